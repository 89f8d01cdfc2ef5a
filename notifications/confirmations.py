"""The mail that asks an address whether it wants a repo's notifications: see `repos.notification_address`.

It names people by their user name alone: a full name may hold any text, and the reader is a stranger.
"""

from __future__ import annotations

import logging
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.dispatch import receiver
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone

from accounts.actor import SYSTEM
from accounts.models import AuditEvent
from repos import notification_address
from repos.models import ConfirmationMail
from repos.notification_address import State
from repos.signals import confirmation_mail_due

log = logging.getLogger("gatehub.notifications")


@receiver(confirmation_mail_due, dispatch_uid="send the confirmation mail")
def send_when_certain(sender: Any, *, mail: ConfirmationMail, **_: Any) -> None:
    transaction.on_commit(partial(send, mail.pk), robust=True)


def send(key: int) -> None:
    """Send one confirmation mail, and write down what became of it.  A mail server that fails raises nothing."""
    mails = ConfirmationMail.objects.filter(sent_at=None, problem="")
    mail = mails.select_related("repo__namespace", "asked_by").filter(pk=key).first()
    if mail is None or not _is_due(mail):
        return
    try:
        _message(mail).send()
    except Exception as error:  # Each mail service's backend has errors of its own.
        log.exception("The confirmation mail %s for %s could not be sent.", mail.pk, mail.repo)
        _write_down(mail, problem=type(error).__name__)
    else:
        _write_down(mail, sent_at=timezone.now())


def _is_due(mail: ConfirmationMail) -> bool:
    """Whether the address still waits: the next change may have come before the mail could go."""
    repo = mail.repo
    if repo is None or repo.gated_notifications_email.lower() != mail.address:
        return False
    return notification_address.state_of(repo) is State.WAITING


@transaction.atomic
def _write_down(mail: ConfirmationMail, **became: Any) -> None:
    ConfirmationMail.objects.filter(pk=mail.pk).update(**became)
    event = "mail_failed" if "problem" in became else "mailed"
    repo = mail.repo
    assert repo is not None  # `_is_due` has looked.
    after = {"address": repo.gated_notifications_email}
    AuditEvent.record(by=SYSTEM, verb=f"notification_address:{event}", target=str(repo), repo=repo.pk, after=after)


def _message(mail: ConfirmationMail) -> EmailMessage:
    repo = mail.repo
    assert repo is not None
    public = settings.PUBLIC_URL.rstrip("/")
    context = {
        "repo": repo,
        "asked_by": mail.asked_by,
        "server": urlsplit(public).netloc,
        "link": public + reverse("confirm_notification_address", args=[notification_address.token_for(repo)]),
        "until": mail.at + notification_address.LINK_LIFE,
    }
    return EmailMessage(
        subject=f"{settings.ACCOUNT_EMAIL_SUBJECT_PREFIX}Do you want the notifications of {repo.repo_id}?",
        body=render_to_string("notifications/confirm_address.txt", context),
        to=[repo.gated_notifications_email],
        headers={"Auto-Submitted": "auto-generated"},
    )
