"""One decision about many requests: at once for a page of them, in steps for all that a filter matches."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from access import bulk_all, policy, services
from access.choices import Choice
from access.filters import RequestFilter
from access.models import AccessRequest, BulkReview
from access.policy import Action
from access.services import Outcome
from accounts.actor import Actor
from accounts.errors import HubError, NotAllowed
from accounts.models import AuditEvent
from repos.models import Repo

log = logging.getLogger("gatehub.access")

STEP = 250
"""Requests a transaction: other reviewers and askers of the repo wait for one at most."""
MOST_REFUSALS_KEPT = 200
MOST_ERRORS_IN_A_ROW = 5
STALLED_AFTER = timedelta(minutes=1)


@transaction.atomic
def review_many(*, repo: Repo, keys: Sequence[int], status: str, expected: str, by: Actor, reason: str = "") -> Outcome:
    """Decide the requests of the repo with these keys alike.  Those that are gone or have moved on are refused.

    One transaction, with as many queries for a thousand as for one.  Raises as `services.review` does, and then
    nothing was decided.
    """
    locked = services.lock_to_review(repo, by=by)
    reason = services.clean_reason(status, reason)
    bulk_all.require_step([expected], status)
    rows = AccessRequest.objects.select_for_update(of=("self",)).filter(repo=locked, pk__in=keys).order_by("pk")
    outcome = Outcome()
    for request in rows.select_related("user", "reviewed_by"):
        request.repo = locked
        if request.status == expected:
            outcome.decided.append(request)
        else:
            outcome.refused.append((request.user.username, services.what_happened(request)))
    services.decide_many(outcome.decided, status=status, by=by, reason=reason)
    return outcome


@transaction.atomic
def start(
    *, repo: Repo, chosen: RequestFilter, status: str, by: Actor, reason: str = "", until: datetime | None = None
) -> BulkReview:
    """Decide all requests that the filter matches and that were sent up to `until` (now, if not said), in steps.

    Only the order is written here; `run` carries it out.  Raises as `services.review` does.
    """
    policy.require(by, Action.REQUESTS_REVIEW, repo)
    services.require_gated(repo)
    reason = services.clean_reason(status, reason)
    bulk_all.require_step([chosen.status], status)
    if by.user is None:
        raise NotAllowed
    now = timezone.now()
    chosen = chosen.until(now if until is None else min(until, now))
    return _order(repo, chosen.to_json(), chosen.requests(repo).count(), status=status, reason=reason, by=by)


@transaction.atomic
def start_everywhere(*, choice: Choice, status: str, by: Actor, reason: str = "") -> BulkReview:
    """As `start`, for requests of any repos, by staff.  Where a repo refuses, its requests are named."""
    policy.require_everywhere(by, Action.REQUESTS_REVIEW)
    reason = services.clean_reason(status, reason)
    bulk_all.require_step(choice.statuses(), status)
    return _order(None, choice.to_json(), choice.count(), status=status, reason=reason, by=by)


def _order(repo: Repo | None, chosen: dict[str, Any], total: int, *, status: str, reason: str, by: Actor) -> BulkReview:
    review = BulkReview.objects.create(
        repo=repo,
        by=by.user,
        address=by.address or None,
        entrance=by.entrance.value,
        chosen=chosen,
        status=status,
        reason=reason,
        total=total,
    )
    record(review, "started", by, {"chosen": chosen, "total": total})
    return review


def run(key: int, *, steps: int | None = None) -> bool:
    """Carry out a bulk review, `steps` steps of it at most; whether there is more to do.

    Safe to run again and by several at once.  An error of a step leaves the requests of that step as they were; after
    several in a row the review is stopped, so that it does not go on for ever.
    """
    done = 0
    try:
        while _step(key):
            done += 1
            if steps is not None and done >= steps:
                return True
    except Exception:
        _count_error(key)
        raise
    return False


@transaction.atomic
def _step(key: int) -> bool:
    """The next few requests; whether there may be more.  Whoever comes while another works on it, leaves it to them."""
    free = BulkReview.objects.select_for_update(of=("self",), skip_locked=True)
    review = free.select_related("repo__namespace", "by").filter(pk=key, finished_at=None).first()
    if review is None:
        return False
    review.touched_at = timezone.now()
    try:
        by = _reviewer(review)
        keys, outcome = _decide_next(review, by) if review.repo else bulk_all.decide_next(review, by, STEP)
    except HubError as error:  # The gate, the reviewer's role or the reviewer is not what it was.
        _finish(review, because=error.text_for_people)
        return False
    review.decided += len(outcome.decided)
    review.refused += len(outcome.refused)
    review.refusals = [*review.refusals, *outcome.refused][:MOST_REFUSALS_KEPT]
    review.errors = 0
    if keys:
        review.last_key = keys[-1]
    if len(keys) < STEP:
        _finish(review)
        return False
    review.save()
    return True


def _decide_next(review: BulkReview, by: Actor) -> tuple[list[int], Outcome]:
    """The next few of one repo."""
    assert review.repo is not None
    chosen = RequestFilter.from_json(review.chosen)
    left = chosen.requests(review.repo).filter(pk__gt=review.last_key).order_by("pk")
    keys = list(left.values_list("pk", flat=True)[:STEP])
    outcome = review_many(
        repo=review.repo, keys=keys, status=review.status, expected=chosen.status, by=by, reason=review.reason
    )
    return keys, outcome


def _reviewer(review: BulkReview) -> Actor:
    if review.by is None or not review.by.is_active:
        raise NotAllowed("The account of the reviewer is closed.")
    return review.reviewer


def _finish(review: BulkReview, *, because: str = "", by: Actor | None = None) -> None:
    review.finished_at = timezone.now()
    review.stopped_because = because
    review.save()
    numbers = {"decided": review.decided, "refused": review.refused}
    actor = by or review.reviewer
    record(review, "stopped" if because else "finished", actor, numbers | ({"because": because} if because else {}))


def record(review: BulkReview, event: str, by: Actor, said: dict[str, object]) -> None:
    """Write down what became of the order itself."""
    after = {"bulk_review": review.pk, "status": review.status, **said}
    target = review.repo.repo_id if review.repo else "all repos"
    AuditEvent.record(by=by, verb=f"bulk_review:{event}", target=target, repo=review.repo_id, after=after)


def _count_error(key: int) -> None:
    with transaction.atomic():
        BulkReview.objects.filter(pk=key).update(errors=F("errors") + 1, touched_at=timezone.now())
        failing = BulkReview.objects.select_related("repo__namespace", "by").filter(
            pk=key, errors__gte=MOST_ERRORS_IN_A_ROW, finished_at=None
        )
        for review in failing:
            _finish(review, because="The server failed several times in a row. Its log says why.")


@transaction.atomic
def stop(review: BulkReview, *, by: Actor) -> None:
    """Leave the rest undecided.  What is decided stays.  Nothing happens to one that is finished."""
    if review.repo:
        policy.require(by, Action.REQUESTS_REVIEW, review.repo)
    else:
        policy.require_everywhere(by, Action.REQUESTS_REVIEW)
    locked = BulkReview.objects.select_for_update(of=("self",)).select_related("repo__namespace", "by")
    running = locked.filter(pk=review.pk, finished_at=None).first()
    if running is not None:
        _finish(running, because=f"{by} stopped it.", by=by)


def stalled() -> list[int]:
    """Keys of reviews that nobody works on: their nudge was lost, or their worker was killed."""
    left = BulkReview.objects.filter(finished_at=None, touched_at__lt=timezone.now() - STALLED_AFTER)
    return list(left.order_by("pk").values_list("pk", flat=True))
