"""Stretches of time of a list: days in UTC, and blocks of 32 of them, as the index `access_request_find` knows them.

The first column of that index is an array of three numbers: the list of repo and status that a request is in, that list
on the day on which it was sent, and that list in the block of that day.  Numbers, because PostgreSQL makes the array
again for each row that the index finds, and texts took it four times as long.  Some thirty of them can be asked for at
once; for hundreds, PostgreSQL's index takes longer than for the whole list.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from itertools import groupby
from typing import Any

from django.db.models import BooleanField, F, Func

from access.models import AccessRequest, RequestTally
from repos.models import Repo

BITS = 5
"""A block is 2^5 days."""
MOST_AT_ONCE = 16
"""Of spans, in one question to the index: a year and a half of blocks."""

_STATUSES = (AccessRequest.Status.PENDING, AccessRequest.Status.ACCEPTED, AccessRequest.Status.REJECTED)
_BLOCKS_FROM = 1 << 22  # Above the days: the last one that Python knows is the 3,652,058th.


@dataclass(frozen=True, slots=True)
class Span:
    """A block, with the days in it that have requests, or a day, which has no `days`.

    `first` and `last` are days with requests, counted from 1 January of the year 1.

    `key` is what the index has for it, `number` how many requests of the list it has.
    """

    key: int
    first: int
    last: int
    number: int
    days: tuple[Span, ...] = ()

    @property
    def begins(self) -> datetime:
        return datetime.combine(date.fromordinal(self.first + 1), time.min, UTC)

    @property
    def ends(self) -> datetime:
        """Its last microsecond, which is as fine as PostgreSQL keeps them."""
        return datetime.combine(date.fromordinal(self.last + 1), time.max, UTC)


def key_of(repo: Repo, status: str) -> int:
    """What the index has for the whole list."""
    return (repo.pk * 4 + _STATUSES.index(AccessRequest.Status(status))) << 23


def blocks(repo: Repo, status: str, since: datetime | None, until: datetime | None) -> list[Span]:
    """The blocks with requests of the list that may have been sent then, the oldest first."""
    key = key_of(repo, status)
    tallies = RequestTally.objects.filter(repo=repo, **{f"{status}__gt": 0})
    if since is not None:
        tallies = tallies.filter(day__gte=_day(since))
    if until is not None:
        tallies = tallies.filter(day__lte=_day(until))
    counted = ((_number(day), number) for day, number in tallies.order_by("day").values_list("day", status))
    days = [Span(key + day, day, day, number) for day, number in counted]
    return [_block(key, block, tuple(some)) for block, some in groupby(days, lambda day: day.first >> BITS)]


def _block(key: int, block: int, days: tuple[Span, ...]) -> Span:
    number = sum(day.number for day in days)
    return Span(key + _BLOCKS_FROM + block, days[0].first, days[-1].last, number, days)


def beyond(spans: Iterable[Span], moment: datetime, *, backwards: bool) -> list[Span]:
    """Those that reach to a moment and further; not the days of a block that do not."""
    day = _number(_day(moment))
    return [span for span in spans if (span.first <= day if backwards else span.last >= day)]


def total(spans: Iterable[Span]) -> int:
    return sum(span.number for span in spans)


def leading(spans: Sequence[Span], most: int) -> list[Span]:
    """The first few that have so many requests at most together; one at least."""
    number, end = 0, 0
    while end < min(len(spans), MOST_AT_ONCE) and (not end or number + spans[end].number <= most):
        number += spans[end].number
        end += 1
    return list(spans[:end])


def _day(moment: datetime) -> date:
    return moment.astimezone(UTC).date()


def _number(day: date) -> int:
    return day.toordinal() - 1


_LIST = "((%(repo)s * 4 + CASE %(status)s WHEN 'pending' THEN 0 WHEN 'accepted' THEN 1 ELSE 2 END) << 23)"
_DAY = "((%(at)s AT TIME ZONE 'UTC')::date - '0001-01-01'::date)"
_KEYS = f"ARRAY[{_LIST}, {_LIST} + {_DAY}, {_LIST} + {_BLOCKS_FROM} + ({_DAY} >> {BITS})]"


class IsInOneOf(Func):
    """Whether a request is in one of the lists or spans with these keys, in the words of the index."""

    output_field = BooleanField()

    def __init__(self, *keys: int, **extra: Any) -> None:
        super().__init__(F("repo_id"), F("status"), F("requested_at"), **extra)
        self.keys = list(keys)

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> tuple[str, list[Any]]:
        repo, status, at = (compiler.compile(column)[0] for column in self.get_source_expressions())
        return f"{_KEYS % {'repo': repo, 'status': status, 'at': at}} && %s::bigint[]", [self.keys]
