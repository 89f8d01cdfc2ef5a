"""What else is written down once a mail is sent or given up, in the same transaction."""

from __future__ import annotations

from django.utils import timezone

from notifications import confirmations
from notifications.models import Delivery, Kind, OutboxMessage


def sent(delivery: Delivery) -> None:
    if delivery.kind == Kind.ACCOUNT:  # Its secrets are with their reader now.
        OutboxMessage.objects.filter(pk=delivery.message_id).update(sealed="")
    elif delivery.kind == Kind.CONFIRM_ADDRESS:
        confirmations.write_down(delivery, sent_at=timezone.now(), problem="")


def given_up(delivery: Delivery, because: str) -> None:
    if delivery.kind == Kind.CONFIRM_ADDRESS:
        confirmations.write_down(delivery, problem=because[:200])
