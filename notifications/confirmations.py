"""What became of the mail that asks an address whether it wants a repo's notifications."""

from __future__ import annotations

from typing import Any

from accounts.actor import SYSTEM
from accounts.models import AuditEvent
from notifications.models import Delivery
from repos import notification_address
from repos.models import ConfirmationMail
from repos.notification_address import State


def find(delivery: Delivery) -> ConfirmationMail | None:
    """The row for which the mail goes out."""
    mails = ConfirmationMail.objects.select_related("repo__namespace", "asked_by")
    return mails.filter(pk=delivery.message.data.get("confirmation")).first()


def is_due(mail: ConfirmationMail) -> bool:
    """Whether the address still waits: the next change may have come before the mail could go."""
    repo = mail.repo
    if repo is None or repo.gated_notifications_email.lower() != mail.address:
        return False
    return notification_address.state_of(repo) is State.WAITING


def write_down(delivery: Delivery, **became: Any) -> None:
    """In the row, which the settings page shows, and in the audit trail."""
    mail = find(delivery)
    if mail is None:
        return
    ConfirmationMail.objects.filter(pk=mail.pk).update(**became)
    if mail.repo is not None:
        event = "mail_failed" if became.get("problem") else "mailed"
        after = {"address": mail.address}
        AuditEvent.record(
            by=SYSTEM, verb=f"notification_address:{event}", target=str(mail.repo), repo=mail.repo.pk, after=after
        )
