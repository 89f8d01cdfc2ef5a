"""How many requests a repo has in each status: kept by the database itself, one row a repo and day.

Triggers rather than services, since rows also go by ways that no service sees: a person or a repo is deleted with all
that is theirs.  `access.triggers` has them.
"""

from __future__ import annotations

from datetime import date

from django.db.models import Q, Sum

from access.models import AccessRequest, RequestTally
from repos.models import Repo

_STATUSES = tuple(AccessRequest.Status.values)


def counts(repo: Repo) -> dict[str, int]:
    """Status -> number of requests."""
    sums = RequestTally.objects.filter(repo=repo).aggregate(**{status: Sum(status) for status in _STATUSES})
    return {status: sums[status] or 0 for status in _STATUSES}


def by_day(repo: Repo) -> list[tuple[date, dict[str, int]]]:
    """The days on which requests were sent that are still there, the oldest first, with their status now."""
    some = Q(pending__gt=0) | Q(accepted__gt=0) | Q(rejected__gt=0)
    rows = RequestTally.objects.filter(some, repo=repo).order_by("day").values_list("day", *_STATUSES)
    return [(day, dict(zip(_STATUSES, numbers, strict=True))) for day, *numbers in rows]
