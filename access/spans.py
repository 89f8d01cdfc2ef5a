"""Stretches of time of a list: days in UTC, and blocks of 32 of them, as the index `access_request_find` knows them.

One column of that index is a number for the list of repo and status that a request is in; one is two numbers, for that
list on the day on which it was sent, and for that list in the block of that day.  Numbers, because PostgreSQL makes
them again for each row that the index finds, and texts took it four times as long; arrays, because that is what the
index takes.  Some thirty stretches can be asked for at once; for hundreds, PostgreSQL's index takes longer than for the
whole list.

For staff, who look at all lists together, one column has the day and the block alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any, NamedTuple

from django.db.models import BooleanField, F, Func

from access.models import AccessRequest
from access.tallies import Day
from repos.models import Repo

BITS = 5
"""A block is 2^5 days."""
MOST_AT_ONCE = 36
"""Of spans, in one question to the index: three years of blocks."""

_STATUSES = (AccessRequest.Status.PENDING, AccessRequest.Status.ACCEPTED, AccessRequest.Status.REJECTED)
_BLOCKS_FROM = 1 << 22  # Above the days: the last one that Python knows is the 3,652,058th.


@dataclass(frozen=True, slots=True)
class Span:
    """A block, or a day, which is its own busiest day.  Days are counted from 1 January of the year 1.

    `key` is what the index has for it, `number` how many requests of the list it has.
    """

    key: int
    first: int
    last: int
    number: int
    busiest: int
    most: int  # On the busiest day.

    @property
    def is_day(self) -> bool:
        return self.first == self.last

    @property
    def begins(self) -> datetime:
        return datetime.combine(date.fromordinal(self.first + 1), time.min, UTC)

    @property
    def ends(self) -> datetime:
        """Its last microsecond, which is as fine as PostgreSQL keeps them."""
        return datetime.combine(date.fromordinal(self.last + 1), time.max, UTC)

    @property
    def sample(self) -> Span:
        """The busiest day, of which two have the same key only if they are the same."""
        return Span(self.key_of_list + self.busiest, self.busiest, self.busiest, self.most, self.busiest, self.most)

    @property
    def key_of_list(self) -> int:
        return self.key >> 23 << 23


def key_of(repo: Repo, status: str) -> int:
    """What the index has for the whole list."""
    return (repo.pk * 4 + _STATUSES.index(AccessRequest.Status(status))) << 23


def blocks(
    repo: Repo, status: str, tallied: Iterable[Day], since: datetime | None = None, until: datetime | None = None
) -> list[Span]:
    """The blocks with requests of the list that may have been sent then, the oldest first.

    `tallied` are all days of the repo, in order.
    """
    return _spans(repo, status, tallied, BITS, _BLOCKS_FROM, since, until)


def days(repo: Repo, status: str, tallied: Iterable[Day], block: Span) -> list[Span]:
    """The days of a block with requests of the list, the oldest first."""
    return _spans(repo, status, tallied, 0, 0, block.begins, block.ends)


def _spans(
    repo: Repo,
    status: str,
    tallied: Iterable[Day],
    bits: int,
    keys_from: int,
    since: datetime | None,
    until: datetime | None,
) -> list[Span]:
    """Spans of 2^`bits` days."""
    column = 1 + _STATUSES.index(AccessRequest.Status(status))
    since_day = _number(date.min if since is None else _day(since))
    until_day = _number(date.max if until is None else _day(until))
    list_key, spans = key_of(repo, status), list[Span]()
    first = last = busiest = most = total = 0
    ends = -1
    for row in tallied:  # A thousand, as a rule, for each page of a search: hence one plain loop.
        number: int = row[column]  # type: ignore[assignment]  # Not the day.
        day = row[0].toordinal() - 1
        if not number or not since_day <= day <= until_day:
            continue
        if day > ends:
            if total:
                spans.append(Span(list_key + keys_from + (first >> bits), first, last, total, busiest, most))
            first, ends, total, most = day, day | (1 << bits) - 1, 0, 0
        last, total = day, total + number
        if number > most:
            busiest, most = day, number
    if total:
        spans.append(Span(list_key + keys_from + (first >> bits), first, last, total, busiest, most))
    return spans


def beyond(spans: Iterable[Span], moment: datetime, *, backwards: bool) -> list[Span]:
    """Those that reach to a moment and further."""
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


def day_of(moment: datetime) -> int:
    """The key of its day."""
    return _number(_day(moment))


def _day(moment: datetime) -> date:
    return moment.astimezone(UTC).date()


def _number(day: date) -> int:
    return day.toordinal() - 1


_LIST = "((%(repo)s * 4 + CASE %(status)s WHEN 'pending' THEN 0 WHEN 'accepted' THEN 1 ELSE 2 END) << 23)"
_DAY = "((%(at)s AT TIME ZONE 'UTC')::date - '0001-01-01'::date)"
_KEYS = f"ARRAY[{_LIST} + {_DAY}, {_LIST} + {_BLOCKS_FROM} + ({_DAY} >> {BITS})]"
LIST_SQL = _LIST % {"repo": "repo_id", "status": "status"}
"""The key of the list that a request is in, as `key_of`."""
IS_IN_LIST = f"ARRAY[{LIST_SQL}] && ARRAY[%s]::bigint[]"
"""Whether a request is in the list with a key, in the words of the index."""
IS_IN_ONE_OF = f"{_KEYS % {'repo': 'repo_id', 'status': 'status', 'at': 'requested_at'}} && %s::bigint[]"
"""Whether a request is in one of the spans with some keys, in the words of the index."""
DAY_SQL = _DAY % {"at": "requested_at"}
"""The day on which a request was sent, counted as in `Span`."""
_KEYS_OF_ALL = f"ARRAY[{_DAY}, {_BLOCKS_FROM} + ({_DAY} >> {BITS})]"


class Stretch(NamedTuple):
    """A day or a block of all lists together: what the index has for it, and its days as in `Span`."""

    key: int
    first: int
    last: int

    @property
    def length(self) -> int:
        return self.last - self.first + 1

    @property
    def middle(self) -> int:
        """The key of the day in its middle."""
        return (self.first + self.last) // 2

    def days_in_order(self, *, backwards: bool = False) -> list[Stretch]:
        days = [Stretch(day, day, day) for day in range(self.first, self.last + 1)]
        return days[::-1] if backwards else days


def blocks_of_all(since: datetime, until: datetime) -> list[Stretch]:
    """The blocks from one moment to another, the oldest first; the first and the last without the days beyond."""
    first, last = _number(_day(since)), _number(_day(until))
    return [
        Stretch(_BLOCKS_FROM + block, max(block << BITS, first), min((block + 1 << BITS) - 1, last))
        for block in range(first >> BITS, (last >> BITS) + 1)
    ]


class IsOnOneOf(Func):
    """Whether a request was sent in one of the stretches of all lists with these keys, in the words of the index."""

    output_field = BooleanField()

    def __init__(self, *keys: int, **extra: Any) -> None:
        super().__init__(F("requested_at"), **extra)
        self.keys = list(keys)

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> tuple[str, list[Any]]:
        (at,) = (compiler.compile(column)[0] for column in self.get_source_expressions())
        return f"{_KEYS_OF_ALL % {'at': at}} && %s::integer[]", [self.keys]
