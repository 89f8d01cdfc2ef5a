"""What goes into the outbox: written in the transaction of the change, so a mail is stored with it or not at all."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.db import transaction
from django.dispatch import receiver

from access.models import AccessRequest, AccessToken
from access.signals import access_requests_changed, access_token_created
from accounts import nudges
from accounts.actor import Actor
from accounts.models import User
from notifications import sealed
from notifications.models import Delivery, Kind, OutboxMessage
from repos.models import ConfirmationMail, Repo
from repos.signals import confirmation_mail_due

State = OutboxMessage.State

_DECISIONS = {
    "accepted": Kind.ACCEPTED,
    "rejected": Kind.REJECTED,
    "cancelled": Kind.CANCELLED,
    "granted": Kind.GRANTED,
}


@receiver(access_requests_changed, dispatch_uid="write the outbox")
def tell_of_requests(sender: Any, *, access_requests: Sequence[AccessRequest], event: str, **_: Any) -> None:
    """New requests that wait are told to whoever reviews, decisions to whoever asked.

    What was accepted at once needs nobody's decision, and its person sees it on the page; so it is with what was
    withdrawn.
    """
    if event == "asked":
        waiting = [request for request in access_requests if request.is_pending]
        _write(_new_request(request) for request in waiting)
    elif event in _DECISIONS:
        _write_to_people(_decision(request, _DECISIONS[event]) for request in access_requests)


def _new_request(request: AccessRequest) -> OutboxMessage:
    in_digest = request.repo.gated_notifications_mode != Repo.NotificationsMode.REAL_TIME
    return OutboxMessage(kind=Kind.NEW_REQUEST, repo_id=request.repo_id, access_request=request, in_digest=in_digest)


def _decision(request: AccessRequest, kind: Kind) -> tuple[OutboxMessage, User]:
    repo = request.repo
    data = {"repo_id": repo.repo_id, "type": repo.type, "reason": request.rejection_reason}
    message = OutboxMessage(
        kind=kind, state=State.DISPATCHED, repo_id=request.repo_id, access_request=request, data=data
    )
    return message, request.user


@receiver(access_token_created, dispatch_uid="write the outbox")
def tell_of_token(sender: Any, *, token: AccessToken, by: Actor, **_: Any) -> None:
    expires_at = None if token.expires_at is None else token.expires_at.isoformat()
    data = {"name": token.name, "role": token.role, "expires_at": expires_at, "address": by.address}
    message = OutboxMessage(kind=Kind.TOKEN_CREATED, state=State.DISPATCHED, data=data)
    _write_to_people([(message, token.user)])


@receiver(confirmation_mail_due, dispatch_uid="write the outbox")
def ask_address(sender: Any, *, mail: ConfirmationMail, **_: Any) -> None:
    message = OutboxMessage(
        kind=Kind.CONFIRM_ADDRESS, state=State.DISPATCHED, repo_id=mail.repo_id, data={"confirmation": mail.pk}
    )
    assert mail.repo is not None  # It was made for one, a moment ago.
    _write_to_addresses([(message, None, mail.repo.gated_notifications_email)])


@transaction.atomic
def tell_account(*, address: str, user: User | None, subject: str, text: str, html: str = "") -> None:
    """Have an account mail sent.  What it says may open an account, so it waits sealed and is forgotten once sent."""
    contents = sealed.seal({"subject": subject, "text": text, "html": html})
    message = OutboxMessage(kind=Kind.ACCOUNT, state=State.DISPATCHED, sealed=contents)
    _write_to_addresses([(message, user, address)])


def _write(messages: Iterable[OutboxMessage]) -> None:
    written = OutboxMessage.objects.bulk_create(messages)
    if any(not message.in_digest for message in written):
        _nudge()


def _write_to_people(messages: Iterable[tuple[OutboxMessage, User]]) -> None:
    """To a person's address as it is when the mail goes out; the one that is written now is for staff to see."""
    _write_to_addresses((message, user, user.email) for message, user in messages)


def _write_to_addresses(messages: Iterable[tuple[OutboxMessage, User | None, str]]) -> None:
    to = list(messages)
    if not to:
        return
    OutboxMessage.objects.bulk_create(message for message, _, _ in to)
    Delivery.objects.bulk_create(
        Delivery(message=message, kind=message.kind, user=user, address=address) for message, user, address in to
    )
    _nudge()


def _nudge() -> None:
    nudges.nudge_when_certain("notifications.tasks.deliver")
