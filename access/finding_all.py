"""As `access.finding`, for the requests of all repos: a page of any filter in any order, and how many there are.

An order is read from an index that begins with what the filter names: a person, a form, a repo, a reviewer, a country,
a status, or nothing.  Where it names several repos or statuses, there is a *stretch* of an index for each, and they are
merged.  What
else the filter asks is looked for in three ways, each of which is bounded:

1. The next `LOOKED_AT` rows of the stretches are looked at.  If a page of them match, that is the page.
2. Else few match, as a rule.  The indexes of contents find them all, and they are sorted, up to `MOST_SORTED`.
3. Else there is a crowd of matches behind a long stretch without any, and ten times as many rows are looked at.

What is left, a crowd behind even more rows, is left to the database.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import reduce
from typing import Any

from django.db import connection, transaction
from django.db.models import BooleanField, Case, F, Func, Q, QuerySet, Value, When

from access.filters_all import DECIDED, STATUSES, StaffFilter
from access.finding import ENOUGH, LOOKED_AT, Number
from access.models import AccessRequest
from repos.models import Repo

_LEADS_BY_TIME = ("user", "forms", "repos", "reviewed_by", "granted", "country")
_LEADS_BY_DECISION = ("repos",)
"""What an index can begin with, the narrowest first."""
MOST_SORTED = 20_000
LOOKED_AT_LAST = 10 * LOOKED_AT
MOST_STRETCHES = 60
"""A namespace with more repos is looked for among the rows of the order."""

Place = tuple[Any, int]
"""A value of the order's column, and a key."""


class StaffFinder:
    """Finds the requests that one filter matches, and counts them up to `most`."""

    def __init__(self, chosen: StaffFilter, most: int) -> None:
        self.chosen = chosen
        self.most = most
        self._seen: int | None = None  # How many there are, up to one more than `most`.

    def first(self, beyond: Q, columns: Sequence[str], number: int) -> list[int]:
        """Keys of the first few that are `beyond` a place, in the order of the columns."""
        if connection.vendor != "postgresql":  # SQLite has no other way than to look.
            return list(self.chosen.requests().filter(beyond).order_by(*columns).values_list("pk", flat=True)[:number])
        stretches, rest = self._stretches(by_time=columns[0].lstrip("-") == "requested_at")
        if not rest:
            return _merged([rows.filter(beyond) for rows in stretches], columns, number)
        found, certain = _looked_at(stretches, beyond, rest, columns, number, LOOKED_AT)
        if certain:
            return found
        collected = self._collect(beyond, columns[0].lstrip("-"), MOST_SORTED + 1)
        if len(collected) <= MOST_SORTED:
            if not beyond:
                self._seen = min(len(collected), self.most + 1)
            collected.sort(reverse=columns[0].startswith("-"))
            return [key for _, key in collected[:number]]
        found, certain = _looked_at(stretches, beyond, rest, columns, number, LOOKED_AT_LAST)
        if certain:
            return found
        rows = self.chosen.requests().filter(beyond).order_by(*columns)
        return list(rows.values_list("pk", flat=True)[:number])

    def count(self) -> Number:
        """How many there are.  Counted up to `most`; of a crowd, it is enough to know that it is one."""
        if self._seen is None:
            self._seen = self._count()
            if self._seen < 0:
                return Number(-self._seen, more=True)
        return Number(min(self._seen, self.most), more=self._seen > self.most)

    def _count(self) -> int:
        """Up to one more than `most`; negative for a crowd of more than so many."""
        if connection.vendor != "postgresql":
            return self.chosen.requests()[: self.most + 1].count()
        stretches, rest = self._stretches(by_time=True)
        if not rest:
            return min(sum(rows[: self.most + 1].count() for rows in stretches), self.most + 1)
        columns = ("-requested_at", "-pk")
        found, certain = _looked_at(stretches, Q(), rest, columns, self.most + 1, LOOKED_AT)
        if certain or len(found) > ENOUGH:
            return len(found) if certain else -(len(found) // 10 * 10)
        return len(self._collect(Q(), "requested_at", self.most + 1))

    def _stretches(self, *, by_time: bool) -> tuple[list[QuerySet[AccessRequest]], Q]:
        """The stretches of an index that hold all that match, and what is to be asked of each row there."""
        asked = self._asked(by_time=by_time)
        lead = next((name for name in (_LEADS_BY_TIME if by_time else _LEADS_BY_DECISION) if name in asked), "")
        firsts = asked.pop(lead, [Q()])
        # The indexes by decision have the status in them, and of those by time, that of a repo and that of all.
        ends = asked.pop("status", [Q()]) if lead in ("", "repos") else [Q()]
        rest = self.chosen.contents()
        for alternatives in asked.values():
            rest &= reduce(Q.__or__, alternatives, Q(pk__in=[]))
        rows = AccessRequest.objects.order_by()
        if by_time:
            rows = rows.filter(self.chosen.times())
        else:
            rest &= self.chosen.times()
        return [rows.filter(first, end) for first in firsts for end in ends], rest

    def _asked(self, *, by_time: bool) -> dict[str, list[Q]]:
        """What is asked of each row, beside contents and times: one of these for each name.  None fits none."""
        chosen = self.chosen
        asked: dict[str, list[Q]] = {}
        if chosen.repos is not None:
            asked["repos"] = [Q(repo=key) for key in chosen.repos]
        if chosen.namespace is not None:
            repos = Repo.objects.filter(namespace=chosen.namespace).values_list("pk", flat=True)
            inside = list(repos[: MOST_STRETCHES + 1])
            if chosen.repos is None and len(inside) <= MOST_STRETCHES:
                asked["repos"] = [Q(repo=key) for key in inside]
            else:
                asked["namespace"] = [Q(repo__namespace=chosen.namespace)]
        if chosen.forms is not None:
            asked["forms"] = [Q(form=key) for key in chosen.forms]
        for name, value in {
            "reviewed_by": chosen.reviewer,
            "country": chosen.country or None,
            "user": chosen.person,
        }.items():
            if value is not None:
                asked[name] = [Q(**{name: value})]
        if chosen.granted is not None:
            asked["granted" if chosen.granted else "not granted"] = [Q(granted=chosen.granted)]
        if chosen.status or not by_time:
            asked["status"] = [Q(status=status) for status in STATUSES[chosen.status or DECIDED]]
        return asked

    def _collect(self, beyond: Q, column: str, most: int) -> list[Place]:
        """Any of those that match, up to `most`, by indexes that say which rows they are and not in which order."""
        chosen = self.chosen
        statuses = Q()
        if chosen.repos is not None and chosen.search:  # In these words, `access_request_find` holds both.
            lists = [f"{repo} {status}" for repo in chosen.repos for status in STATUSES[chosen.status]]
            statuses = Q(_IsInOneOf(lists))
        elif chosen.status:
            statuses = Q(_Unindexed(F("status"), STATUSES[chosen.status]))
        rows = AccessRequest.objects.filter(statuses, chosen.places(), chosen.contents(), chosen.times(), beyond)
        with _bitmaps_alone():
            return list(rows.order_by().values_list(column, "pk")[:most])


def _merged(stretches: list[QuerySet[AccessRequest]], columns: Sequence[str], number: int) -> list[int]:
    """The first few of several stretches of the same order."""
    if not stretches:
        return []
    if len(stretches) == 1:
        return list(stretches[0].order_by(*columns).values_list("pk", flat=True)[:number])
    value = columns[0].lstrip("-")
    pages = [rows.order_by(*columns).values_list("pk", value)[:number].query.sql_with_params() for rows in stretches]
    found = _rows(" UNION ALL ".join(f"({sql})" for sql, _ in pages), [each for _, said in pages for each in said])
    places = sorted(((at, key) for key, at in found), reverse=columns[0].startswith("-"))
    return [key for _, key in places[:number]]


def _looked_at(
    stretches: list[QuerySet[AccessRequest]], beyond: Q, fits: Q, columns: Sequence[str], number: int, looked_at: int
) -> tuple[list[int], bool]:
    """Keys of the first few that fit among the next rows, and whether these are the first few of all."""
    if not stretches:
        return [], True
    size = max(looked_at // len(stretches), number)
    value, descending = columns[0].lstrip("-"), columns[0].startswith("-")
    # As a CASE, since Django says of what can fit nobody that it is 0.
    fits_or_not = Case(When(fits, then=True), default=False, output_field=BooleanField())
    pages = []
    for place, rows in enumerate(stretches):
        page = rows.filter(beyond).order_by(*columns).annotate(fits=fits_or_not, stretch=Value(place))
        pages.append(page.values_list("stretch", "pk", value, "fits")[:size].query.sql_with_params())
    sql = " UNION ALL ".join(f"({sql})" for sql, _ in pages)
    counts: dict[int, int] = {}
    lasts: dict[int, Place] = {}
    fitting: list[Place] = []
    later = min if descending else max
    for stretch, key, at, fit in _rows(sql, [each for _, said in pages for each in said]):
        counts[stretch] = counts.get(stretch, 0) + 1
        lasts[stretch] = later(lasts.get(stretch, (at, key)), (at, key))
        if fit:
            fitting.append((at, key))
    fitting.sort(reverse=descending)
    ends = [lasts[stretch] for stretch, count in counts.items() if count == size]  # Beyond these, nothing is known.
    if ends:
        horizon = max(ends) if descending else min(ends)
        fitting = [place for place in fitting if (place >= horizon if descending else place <= horizon)]
    return [key for _, key in fitting[:number]], not ends or len(fitting) >= number


def _rows(sql: str, params: list[Any]) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return list(cursor.fetchall())


class _IsInOneOf(Func):
    """Whether a request is in the list of a repo and a status, as the index `access_request_find` says it."""

    output_field = BooleanField()
    conditional = True

    def __init__(self, lists: Sequence[str]) -> None:
        super().__init__(F("repo_id"), F("status"))
        self.lists = list(lists)

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> tuple[str, list[Any]]:
        (repo, _), (status, _) = map(compiler.compile, self.get_source_expressions())
        return f"ARRAY[{repo}::text || ' ' || {status}] && %s::text[]", [self.lists]


class _Unindexed(Func):
    """Whether the status is one of these, in words that no index answers: half of all rows would be collected."""

    output_field = BooleanField()
    conditional = True

    def __init__(self, column: F, values: Sequence[str]) -> None:
        super().__init__(column)
        self.values = list(values)

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> tuple[str, list[Any]]:
        (column, _) = compiler.compile(self.get_source_expressions()[0])
        return f"({column} || '') = ANY(%s::text[])", [self.values]


@contextmanager
def _bitmaps_alone() -> Iterator[None]:
    """The planner believes statistics, which of words within texts are easily wrong by a thousand times."""
    with transaction.atomic(savepoint=False), connection.cursor() as cursor:
        off = ("enable_seqscan", "enable_indexscan", "enable_indexonlyscan", "jit")
        cursor.execute("".join(f"SET LOCAL {name} TO off;" for name in off))
        yield
        cursor.execute("".join(f"SET LOCAL {name} TO DEFAULT;" for name in off))
