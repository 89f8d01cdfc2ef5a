"""What a mail service tells of mails that it sent: django-anymail has checked that it is the service which speaks.

A service repeats itself, and its reports come in any order: each can be taken twice, and an older one undoes no newer.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Mapping
from typing import Any, Final

from anymail.signals import AnymailTrackingEvent, EventType, RejectReason, tracking
from django.db import transaction
from django.dispatch import receiver

from accounts.errors import BadRequest
from notifications import addresses
from notifications.models import AddressProblem, Delivery

log = logging.getLogger("gatehub.notifications")

SOFT_BOUNCED: Final = "soft-bounced"
"""It came back this time: the mailbox is full, or the server does not like the mail."""

_WEIGHT: Final[Mapping[str, int]] = {
    "": 0,
    EventType.QUEUED: 0,
    EventType.SENT: 1,
    EventType.DEFERRED: 2,
    SOFT_BOUNCED: 2,
    EventType.DELIVERED: 3,
    EventType.FAILED: 3,
    EventType.REJECTED: 4,
    EventType.BOUNCED: 4,
    EventType.COMPLAINED: 5,
}
"""What is kept of a mail, and what outweighs what.  Other events say nothing of whether it arrived."""
STATUSES: Final = tuple(str(status) for status in _WEIGHT if status)

_REJECTED_FOR_THE_ADDRESS: Final[Mapping[str, AddressProblem.What]] = {
    RejectReason.INVALID: AddressProblem.What.BOUNCED,
    RejectReason.BOUNCED: AddressProblem.What.BOUNCED,
    RejectReason.BLOCKED: AddressProblem.What.BOUNCED,
    RejectReason.UNSUBSCRIBED: AddressProblem.What.BOUNCED,
    RejectReason.SPAM: AddressProblem.What.COMPLAINED,
}
"""A service that refuses a mail for another reason has something against the mail, or the account."""

_SOFT: Final[Mapping[str, tuple[tuple[str, ...], frozenset[str]]]] = {
    "Amazon SES": (("bounce", "bounceType"), frozenset({"Transient", "Undetermined"})),
    "Brevo": (("event",), frozenset({"soft_bounce"})),
    "MailerSend": (("data", "type"), frozenset({"soft_bounced"})),
    "Mailgun": (("event-data", "reason"), frozenset({"old"})),
    "Mandrill": (("event",), frozenset({"soft_bounce"})),
    "Postmark": (("Type",), frozenset({"SoftBounce", "VirusNotification"})),
    "Resend": (("data", "bounce", "type"), frozenset({"Transient", "Undetermined"})),
    "SendGrid": (("type",), frozenset({"blocked"})),
    "SparkPost": (
        ("msys", "message_event", "bounce_class"),
        frozenset({"1", "20", "21", "22", "23", "24", "25", "40", "50", "51", "52", "53", "54", "70"}),
    ),
}
"""Where a service's report says that a bounce is not for good, which django-anymail does not make out for these."""


@receiver(tracking, dispatch_uid="note what the mail service tells")
def note(sender: Any, *, event: AnymailTrackingEvent, esp_name: str, **_: Any) -> None:
    """Note what became of a mail, and stop mails to an address that is no good.

    An error goes up to the service, which tells it again later.
    """
    status = _status(event, esp_name)
    if status not in _WEIGHT:
        log.info("%s told of an event that is not looked at: %s.", esp_name, event.event_type)
        return
    with transaction.atomic():
        delivery = _delivery(event)
        if delivery is None:
            log.info("%s told that a mail was %s, which is not one of ours, or not any more.", esp_name, status)
        else:
            lighter = [known for known, weight in _WEIGHT.items() if weight <= _WEIGHT[status]]
            Delivery.objects.filter(pk=delivery.pk, provider_status__in=lighter).update(provider_status=status)
        what = _problem(status, event)
        if what is not None:
            _stop(delivery.address if delivery is not None else event.recipient, what, event, esp_name)


def _status(event: AnymailTrackingEvent, esp_name: str) -> str:
    if event.event_type == EventType.BOUNCED and _is_soft(event, esp_name):
        return SOFT_BOUNCED
    return str(event.event_type)


def _is_soft(event: AnymailTrackingEvent, esp_name: str) -> bool:
    if event.reject_reason in (RejectReason.SPAM, RejectReason.TIMED_OUT):
        return True  # The server did not like this mail, or was not there.
    path, words = _SOFT.get(esp_name, ((), frozenset()))
    said: Any = event.esp_event
    for key in path:
        said = said.get(key) if isinstance(said, Mapping) else None
    return str(said) in words


def _problem(status: str, event: AnymailTrackingEvent) -> AddressProblem.What | None:
    if status == EventType.COMPLAINED:
        return AddressProblem.What.COMPLAINED
    if status == EventType.BOUNCED:
        return AddressProblem.What.BOUNCED
    if status == EventType.REJECTED:
        return _REJECTED_FOR_THE_ADDRESS.get(str(event.reject_reason))
    return None


def _delivery(event: AnymailTrackingEvent) -> Delivery | None:
    metadata = event.metadata if isinstance(event.metadata, Mapping) else {}
    try:
        found = Delivery.objects.filter(name=uuid.UUID(str(metadata.get("delivery")))).first()
    except ValueError:  # None of ours, or a service that keeps no metadata.
        found = None
    if found is None and event.message_id:
        found = Delivery.objects.filter(provider_id=str(event.message_id)[:255]).first()
    return found


def _stop(address: str | None, what: AddressProblem.What, event: AnymailTrackingEvent, esp_name: str) -> None:
    said = [event.mta_response, event.description]
    detail = next((str(text) for text in said if text), f"{esp_name}: {event.reject_reason or event.event_type}")
    try:
        addresses.mark(address=address or "", what=what, detail=detail, told_at=event.timestamp)
    except BadRequest:
        log.warning("%s told that a mail to an address that cannot be read was %s.", esp_name, event.event_type)
