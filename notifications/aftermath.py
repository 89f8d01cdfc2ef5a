"""What else is written down once a mail is sent or given up, in the same transaction."""

from __future__ import annotations

from django.db.models import Q
from django.utils import timezone

from notifications import confirmations
from notifications.models import REQUESTS, Delivery, Kind, OutboxMessage

State = OutboxMessage.State

KINDS = frozenset({Kind.ACCOUNT, Kind.CONFIRM_ADDRESS})
"""Those of which more is written down than that they are sent."""


def sent(delivery: Delivery) -> None:
    if delivery.kind == Kind.ACCOUNT:  # Its secrets are with their reader now.
        OutboxMessage.objects.filter(pk=delivery.message_id).update(sealed="")
    elif delivery.kind == Kind.CONFIRM_ADDRESS:
        confirmations.write_down(delivery, sent_at=timezone.now(), problem="")


def given_up(delivery: Delivery, because: str) -> None:
    if delivery.kind == Kind.CONFIRM_ADDRESS:
        confirmations.write_down(delivery, problem=because[:200])


def dropped(delivery: Delivery) -> None:
    """What it would have told of others, as a summary, goes out without it."""
    folded = Delivery.objects.filter(folded_into=delivery, state=Delivery.State.FOLDED)
    folded.update(state=Delivery.State.WAITING, folded_into=None, due_at=timezone.now())


def handed_back(delivery: Delivery) -> None:
    """Requests that nobody was told of, wait for the next digest."""
    if delivery.kind not in REQUESTS:
        return
    # Locked: of two that are handed back at once, the second finds that the first is.
    message = OutboxMessage.objects.select_for_update(of=("self",)).get(pk=delivery.message_id)
    if message.deliveries.exclude(state=Delivery.State.DROPPED).exists():
        return
    requests = OutboxMessage.objects.filter(Q(pk=message.pk) | Q(digest=message), kind=Kind.NEW_REQUEST)
    requests.exclude(state=State.DROPPED).update(state=State.WAITING, in_digest=True, digest=None)
