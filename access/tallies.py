"""How many requests a repo has in each status: kept by the database itself, one row a repo and day.

Triggers rather than services, since rows also go by ways that no service sees: a person or a repo is deleted with all
that is theirs.  `access.triggers` has them.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from django.db.models import Q, QuerySet, Sum

from access.models import AccessRequest, RequestTally
from accounts.compiled import rows
from repos.models import Repo

_STATUSES = tuple(AccessRequest.Status.values)


def counts(repo: Repo) -> dict[str, int]:
    """Status -> number of requests."""
    sums = next(iter(rows(_sums, repo=repo.pk)), (0, 0, 0))
    return dict(zip(_STATUSES, sums, strict=True))


def _sums(repo: int) -> QuerySet[RequestTally, Any]:
    tallies = RequestTally.objects.filter(repo=repo).order_by().values("repo")  # All as one group.
    return tallies.annotate(**{f"all_{status}": Sum(status) for status in _STATUSES}).values_list(
        *(f"all_{status}" for status in _STATUSES)
    )


Day = tuple[date, int, int, int]
"""The requests that were sent on a day, by their status now: pending, accepted, rejected.  A plain tuple, as a page of
the review has a thousand of them."""


def sums_of(days: Iterable[Day]) -> dict[str, int]:
    """Status -> number of requests."""
    pending = accepted = rejected = 0
    for _, of_pending, of_accepted, of_rejected in days:
        pending += of_pending
        accepted += of_accepted
        rejected += of_rejected
    return {"pending": pending, "accepted": accepted, "rejected": rejected}


def by_day(repo: Repo) -> tuple[Day, ...]:
    """The days on which requests were sent that are still there, the oldest first."""
    return tuple(rows(_by_day, repo=repo.pk))


def _by_day(repo: int) -> QuerySet[RequestTally, Any]:
    some = Q(pending__gt=0) | Q(accepted__gt=0) | Q(rejected__gt=0)
    return RequestTally.objects.filter(some, repo=repo).order_by("day").values_list("day", *_STATUSES)


def of_all_by_day() -> tuple[Day, ...]:
    """As `by_day`, of all repos together: for staff."""
    some = Q(pending__gt=0) | Q(accepted__gt=0) | Q(rejected__gt=0)
    days = RequestTally.objects.filter(some).order_by("day").values("day")
    sums = days.annotate(**{f"all_{status}": Sum(status) for status in _STATUSES})
    return tuple(sums.values_list("day", *(f"all_{status}" for status in _STATUSES)))


def most_pending(number: int) -> list[tuple[int, int]]:
    """The keys of the repos with the most requests that wait, and how many."""
    waiting = RequestTally.objects.filter(pending__gt=0).order_by().values("repo")
    sums = waiting.annotate(waiting=Sum("pending")).order_by("-waiting", "repo")
    return list(sums.values_list("repo", "waiting")[:number])
