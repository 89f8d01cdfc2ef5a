"""From new requests to deliveries: at once where the repo says real-time, in one mail a day where it says bulk.

Who collects a message does so in one transaction with the deliveries, so that a crash leaves either none of it or all,
and of two workers one finds it collected: each request is in one mail per recipient.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Subquery
from django.utils import timezone

from access.models import AccessRequest
from notifications import recipients
from notifications.models import Delivery, DigestRun, Kind, OutboxMessage
from notifications.recipients import Recipient
from repos.models import Repo

State = OutboxMessage.State
BATCH = 100
REPOS = 500
"""So many repos are gone through at a time: memory stays flat, and queries are few."""


def new_requests() -> int:
    """Make the deliveries of all new requests that are told at once.  Returns how many messages were looked after."""
    done = 0
    while number := _next_batch():
        done += number
    return done


def _next_batch() -> int:
    waiting = OutboxMessage.objects.filter(state=State.WAITING, in_digest=False).order_by("pk")
    return _dispatch(waiting) if waiting.exists() else 0  # SQLite has one writer, who is not to wait for nothing.


@transaction.atomic
def _dispatch(waiting: QuerySet[OutboxMessage]) -> int:
    free = waiting.select_for_update(of=("self",), skip_locked=True)
    messages = list(free.select_related("repo__namespace", "access_request")[:BATCH])
    live = [message for message in messages if _is_live(message)]
    told = recipients.of_repos(list({message.repo_id: message.repo for message in live if message.repo}.values()))
    deliveries = []
    for message in live:
        assert message.repo_id is not None
        to = told[message.repo_id]
        message.state, message.in_digest = (State.DISPATCHED, False) if to else (State.WAITING, True)
        deliveries += [_delivery(message, recipient) for recipient in to]
    OutboxMessage.objects.bulk_update(messages, ["state", "in_digest", "because"])
    Delivery.objects.bulk_create(deliveries)
    return len(messages)


def _is_live(message: OutboxMessage) -> bool:
    """Whether somebody still has to decide.  What is over is dropped; what the gate only hides, waits for a digest."""
    repo, request = message.repo, message.access_request
    if repo is None or request is None or not request.is_pending:
        message.state, message.because = State.DROPPED, _OVER
        return False
    if not repo.is_gated:
        message.in_digest = True
        return False
    return True


_OVER = "The request was decided, withdrawn or deleted before its mail went out."


def _delivery(message: OutboxMessage, recipient: Recipient) -> Delivery:
    return Delivery(message=message, kind=message.kind, user=recipient.user, address=recipient.address)


# --- Digests --------------------------------------------------------------------------------------------------------


def digests() -> int:
    """Make a digest for each repo with requests that nobody was told of, and its deliveries.  Returns how many mails.

    Requests of repos that nobody can be told of, or whose gate is off, wait for the next one.  A run that is killed has
    made some of them, and is not noted down, so that the sweep makes the others.
    """
    now = timezone.now()
    _drop_what_is_over(now)
    made = sum(_collect(repos, now) for repos in _repos_with_requests(now))
    DigestRun.objects.create(at=now, mails=made)
    return made


def _waiting(now: datetime) -> QuerySet[OutboxMessage]:
    return OutboxMessage.objects.filter(state=State.WAITING, in_digest=True, created_at__lte=now)


def _drop_what_is_over(now: datetime) -> None:
    pending = AccessRequest.objects.pending().filter(pk=OuterRef("access_request")).order_by()
    over = _waiting(now).filter(Q(repo=None) | ~Q(Exists(pending)))
    over.update(state=State.DROPPED, because=_OVER)


def _repos_with_requests(now: datetime) -> Iterator[list[int]]:
    """Keys of the repos, some at a time, without holding a cursor over the transactions between."""
    waiting, last = _waiting(now).filter(repo__isnull=False), 0
    while True:
        rows = waiting.filter(repo__gt=last).order_by("repo").values_list("repo", flat=True).distinct()
        keys = list(rows[:REPOS])
        if not keys:
            return
        yield keys
        last = keys[-1]


@transaction.atomic
def _collect(keys: Sequence[int], now: datetime) -> int:
    gated = Repo.objects.filter(pk__in=keys).exclude(gated=Repo.Gated.NO).select_related("namespace")
    told = {key: to for key, to in recipients.of_repos(list(gated)).items() if to}
    made = OutboxMessage.objects.bulk_create(
        OutboxMessage(kind=Kind.DIGEST, state=State.DISPATCHED, repo_id=key) for key in told
    )
    digest_of = OutboxMessage.objects.filter(pk__in=[digest.pk for digest in made], repo=OuterRef("repo"))
    # Whoever collects at the same time waits here for the rows, and then finds none.
    collected: dict[str, Any] = {"state": State.DISPATCHED, "digest": Subquery(digest_of.values("pk")[:1])}
    _waiting(now).filter(repo__in=told, kind=Kind.NEW_REQUEST).update(**collected)
    sizes = dict(
        OutboxMessage.objects.filter(digest__in=made).values_list("digest").annotate(number=Count("pk")).order_by()
    )
    empty = [digest.pk for digest in made if digest.pk not in sizes]
    OutboxMessage.objects.filter(pk__in=empty).delete()
    deliveries = [
        _delivery(digest, recipient) for digest in made if digest.pk in sizes for recipient in told[digest.repo_id or 0]
    ]
    Delivery.objects.bulk_create(deliveries)
    return len(deliveries)
