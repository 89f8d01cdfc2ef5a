"""Which of the deliveries in hand are sent now: who may still be told, in which order, and how many an hour."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Count, Max, Q
from django.db.models.functions import Lower
from django.utils import timezone

from notifications import addresses, recipients
from notifications.claims import Claim
from notifications.models import DECISIONS, REQUESTS, TOPICS, Delivery, Kind, OutboxMessage
from notifications.recipients import Recipient

FAMILIES: tuple[tuple[str, ...], ...] = ((Kind.NEW_REQUEST,), DECISIONS)
"""Kinds of which an address may get many at once, and then gets one summary of each family."""
HOUR = timedelta(hours=1)
BETWEEN_SUMMARIES = timedelta(minutes=10)
TURN = timedelta(seconds=2)
"""How long a decision waits for an earlier one about the same request, which another worker has or nobody has tried."""


def sendable(claim: Claim) -> list[Delivery]:
    """Those to be sent now, with the address they go to.  The others are dropped, or put back for later."""
    return _within_the_cap(claim, _in_turn(claim, _addressed(claim)))


# --- Who may be told ------------------------------------------------------------------------------------------------


def _addressed(claim: Claim) -> list[Delivery]:
    reviewers = _reviewers(claim.deliveries)
    people = _people(claim.deliveries)
    wanted = []
    for delivery in claim.deliveries:
        address = _address(delivery, reviewers, people)
        if address is None:
            claim.hand_back(
                delivery, "Whoever it was for is not to be told any more, does not want it, or has no address."
            )
            continue
        if address.lower() != delivery.address.lower():
            claim.address(delivery, address)
        wanted.append(delivery)
    stopped = addresses.stopped({delivery.address for delivery in wanted})
    for delivery in wanted:
        if delivery.address.lower() in stopped:
            claim.drop(delivery, "Mails to this address came back, or were reported as spam.")
    return [delivery for delivery in wanted if delivery.address.lower() not in stopped]


def _reviewers(deliveries: Sequence[Delivery]) -> dict[int, list[Recipient]]:
    """Who is told of requests for each repo: whoever left an organization since, is not."""
    repos = {d.message.repo.pk: d.message.repo for d in deliveries if d.kind in REQUESTS and d.message.repo is not None}
    return recipients.of_repos(list(repos.values()))


def _people(deliveries: Sequence[Delivery]) -> dict[str, dict[int, Recipient]]:
    """Who can be told of each topic, and of none."""
    found = {}
    for topic in {TOPICS.get(d.kind, "") for d in deliveries if d.user_id is not None and d.kind not in REQUESTS}:
        keys = {d.user_id for d in deliveries if d.user_id is not None and TOPICS.get(d.kind, "") == topic}
        found[topic] = recipients.of_people(keys, without=topic)
    return found


def _address(
    delivery: Delivery, reviewers: dict[int, list[Recipient]], people: dict[str, dict[int, Recipient]]
) -> str | None:
    if delivery.kind in (Kind.ACCOUNT, Kind.CONFIRM_ADDRESS):  # The address itself is what they are about.
        return delivery.address
    if delivery.kind in REQUESTS:
        told = reviewers.get(delivery.message.repo_id or 0, [])
        return next((one.address for one in told if _is_for(delivery, one)), None)
    person = people.get(TOPICS.get(delivery.kind, ""), {}).get(delivery.user_id or 0)
    return None if person is None else person.address


def _is_for(delivery: Delivery, recipient: Recipient) -> bool:
    if delivery.user_id is not None and recipient.user is not None:
        return delivery.user_id == recipient.user.pk
    return delivery.address.lower() == recipient.address.lower()


# --- In which order -------------------------------------------------------------------------------------------------


def _in_turn(claim: Claim, deliveries: Sequence[Delivery]) -> list[Delivery]:
    """Decisions about one request keep their order, so that the last mail somebody gets is the one that holds."""
    requests = {d.message.access_request_id for d in deliveries if d.kind in DECISIONS} - {None}
    if not requests:
        return list(deliveries)
    told = OutboxMessage.objects.filter(access_request__in=requests, kind__in=DECISIONS).order_by()
    newest = dict(told.values_list("access_request").annotate(Max("pk")))
    in_hand_or_untried = Q(claim__isnull=False, due_at__gt=timezone.now()) | Q(attempts=0)
    elsewhere = Delivery.objects.waiting().filter(
        in_hand_or_untried, message__access_request__in=requests, kind__in=DECISIONS, held=False
    )
    first = list(elsewhere.exclude(claim=claim.name).values_list("message__access_request", "pk"))
    found = []
    for delivery in deliveries:
        request = delivery.message.access_request_id
        if delivery.kind not in DECISIONS or request is None:
            found.append(delivery)
        elif newest[request] > delivery.message_id and (delivery.attempts > 1 or delivery.held):
            claim.drop(delivery, "A later decision about the same request was told instead.")
        elif any(other == request and key < delivery.pk for other, key in first):
            claim.put_back(delivery, until=timezone.now() + TURN)
        else:
            found.append(delivery)
    return found


# --- How many -------------------------------------------------------------------------------------------------------


def _within_the_cap(claim: Claim, deliveries: Sequence[Delivery]) -> list[Delivery]:
    """An address that got many within the hour gets what comes next as one summary, a while after the last mail.

    Six of the mails of each hour are kept for summaries, so that with them the cap holds.
    """
    now = timezone.now()
    lately = _lately(claim, deliveries)
    found, summaries = [], []
    for delivery in deliveries:
        family = _family(delivery)
        number, last = lately.get(delivery.address.lower(), (0, now))
        is_crowded = number >= settings.MAILS_PER_HOUR - HOUR // BETWEEN_SUMMARIES
        if family and is_crowded and last + BETWEEN_SUMMARIES > now:
            claim.put_back(delivery, until=last + BETWEEN_SUMMARIES, held=True)
            continue
        if family and (is_crowded or delivery.held):
            summaries.append((delivery, family))
        lately[delivery.address.lower()] = (number + 1, now)
        found.append(delivery)
    for delivery, family in summaries:
        claim.fold(delivery, family)
    return found


def _family(delivery: Delivery) -> tuple[str, ...]:
    return next((family for family in FAMILIES if delivery.kind in family), ())


def _lately(claim: Claim, deliveries: Sequence[Delivery]) -> dict[str, tuple[int, datetime]]:
    """How many mails each address got within the hour, and when the last; of those that other workers have in hand, the
    earlier ones count as sent now."""
    now = timezone.now()
    first: dict[str, int] = {}
    for delivery in deliveries:
        if _family(delivery):
            first.setdefault(delivery.address.lower(), delivery.pk)
    if not first:
        return {}
    to_them = Delivery.objects.annotate(to=Lower("address")).filter(to__in=first).order_by()
    sent = to_them.filter(state=Delivery.State.SENT, sent_at__gt=now - HOUR).values_list("to")
    found = {
        address: (number, last) for address, number, last in sent.annotate(number=Count("pk"), last=Max("sent_at"))
    }
    in_hand = to_them.filter(state=Delivery.State.WAITING, claim__isnull=False, due_at__gt=now).exclude(
        claim=claim.name
    )
    for address, key in in_hand.values_list("to", "pk"):
        if key < first[address]:
            found[address] = (found.get(address, (0, now))[0] + 1, now)
    return found
