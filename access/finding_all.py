"""As `access.finding`, for the requests of all repos: a page of any filter in any order, and how many there are.

An order is read from an index that begins with what the filter names: a person, a form, a repo, a reviewer, a country,
a status, or nothing.  Where it names several repos or statuses, there is a *stretch* of an index for each, and they are
merged.  What
else the filter asks is looked for in three ways, each of which is bounded:

1. The next `LOOKED_AT` rows of the stretches are looked at, or some times as many, if that promises to be enough.  If a
   page of them match, that is the page.
2. Else few match, as a rule.  The indexes of contents find them all, and they are sorted, up to `MOST_SORTED`.
3. Else there is a crowd of matches behind a long stretch without any.  In the order of time it is walked by blocks of
   days, and by days where many match.  In that of decisions, the range in which the first few lie is halved, until so
   few are in it that they can be sorted.

What is left, such as a crowd that all came in the same second, is left to the database.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property, reduce
from typing import Any, NamedTuple

from django.db import connection, transaction
from django.db.models import BooleanField, F, Func, Q, QuerySet
from django.db.models.expressions import RawSQL

from access import spans
from access.filters_all import DECIDED, STATUSES, StaffFilter
from access.finding import ENOUGH, LOOKED_AT, Number
from access.looks import as_case
from access.models import AccessRequest
from access.spans import Stretch
from repos.models import Repo

_LEADS_BY_TIME = ("user", "forms", "repos", "reviewed_by", "granted", "country")
_LEADS_BY_DECISION = ("forms", "repos")
"""What an index can begin with, the narrowest first."""
MOST_SORTED = 12_000
LOOKED_AT_IN_INDEX = 100_000
"""So many, where the index of the order can answer what is asked."""
MOST_HALVES = 6
SAMPLED = 16
"""So many days tell whether there is a crowd, and where."""
SAMPLED_FROM = 4
"""Of fewer blocks, no sample is taken."""
SOME = 300
"""So many matches on these days are looked at."""
MOST_OF_STRETCH = 1000
"""So many matches of some days or blocks are sorted at once."""
MOST_TIMES = 5
"""So many times as many rows are looked at, where the first look promises it."""
MOST_STRETCHES = 60
"""A namespace with more repos is looked for among the rows of the order, where more is asked than that."""
MOST_REPOS = 2000
"""A namespace with more is always looked for there."""

Place = tuple[Any, int]
"""A value of the order's column, and a key."""


class Sample(NamedTuple):
    """How many of the first blocks seem to have none that match, how many may match in all, and on a busy day.

    It may be wrong: that costs time, never an answer.
    """

    quiet: int = 0
    expected: float = 0
    busiest: int = 0


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
        by_time = columns[0].lstrip("-") == "requested_at"
        if self._asks_for_a_namespace_alone and len(self._inside) <= MOST_REPOS:
            statuses = [Q(status=status) for status in STATUSES[self.chosen.status or DECIDED]]
            ends = statuses if self.chosen.status or not by_time else [Q()]
            return _merged_of_repos(self._inside, [beyond & end for end in ends], columns, number)
        stretches, rest = self._stretches(by_time=by_time)
        if not rest:
            return _merged([rows.filter(beyond) for rows in stretches], columns, number)
        in_index = rest == self.chosen.times()  # Of the orders by decision, which hold that time.
        size = LOOKED_AT_IN_INDEX if in_index else LOOKED_AT
        found, certain = _looked_at(stretches, beyond, rest, columns, number, size)
        if not certain and len(found) > number // MOST_TIMES:  # As many more rows may well have the others.
            size = 2 * size * number // len(found)
            found, certain = _looked_at(stretches, beyond, rest, columns, number, size)
        return found if certain else self._of_all(beyond, columns, number)

    def _of_all(self, beyond: Q, columns: Sequence[str], number: int) -> list[int]:
        """The first few, found by the indexes of contents, of which the order is not known."""
        by_time = columns[0].lstrip("-") == "requested_at"
        waiting = self._blocks(beyond, columns) if by_time else []
        sample = self._sample(waiting, beyond)
        if sample.expected > MOST_SORTED:
            return self._by_time(beyond, columns, number, waiting, sample)
        collected = self._collect(beyond, columns[0].lstrip("-"), MOST_SORTED + 1)
        if len(collected) <= MOST_SORTED:
            if not beyond:
                self._seen = min(len(collected), self.most + 1)
            collected.sort(reverse=columns[0].startswith("-"))
            return [key for _, key in collected[:number]]
        if by_time:
            return self._by_time(beyond, columns, number, waiting, sample)
        narrowed = self._narrow(beyond, columns, number, collected)
        if narrowed is not None:
            return narrowed
        rows = self.chosen.requests().filter(beyond).order_by(*columns)
        return list(rows.values_list("pk", flat=True)[:number])

    def _blocks(self, beyond: Q, columns: Sequence[str]) -> list[Stretch]:
        """The blocks of days in which those may lie that are `beyond` a place, in the order of the columns."""
        rows = AccessRequest.objects.filter(self.chosen.times()).values_list("requested_at", flat=True)
        first = rows.filter(beyond).order_by(*columns).first()
        backwards = columns[0].startswith("-")
        last = rows.order_by("requested_at" if backwards else "-requested_at").first()
        if first is None or last is None:
            return []
        blocks = spans.blocks_of_all(min(first, last), max(first, last))
        return blocks[::-1] if backwards else blocks

    def _sample(self, blocks: Sequence[Stretch], beyond: Q) -> Sample:
        """What the middle days of some blocks say of all; of few blocks, nothing."""
        step = -(-len(blocks) // SAMPLED)
        days = [block.middle for block in blocks[::step]] if blocks else []
        if len(days) < SAMPLED_FROM:
            return Sample()
        within = beyond & Q(spans.IsOnOneOf(*days))
        found = Counter(spans.day_of(at) for at, _ in self._collect(within, "requested_at", SOME + 1))
        if not found:
            return Sample()
        first = next(place for place, day in enumerate(days) if day in found)
        expected = found.total() * sum(block.length for block in blocks) / len(days)
        return Sample(max((first - 1) * step + 1, 0), expected, max(found.values()))

    def _by_time(
        self, beyond: Q, columns: Sequence[str], number: int, waiting: list[Stretch], sample: Sample
    ) -> list[int]:
        """The first few of a crowd in the order of time: by blocks, then by days where many match."""
        backwards = columns[0].startswith("-")
        found: list[int] = []
        size = max(sample.quiet, 1)  # So many blocks at once, which double as long as few match.
        longer = 1
        while waiting and len(found) < number:
            stretch = waiting[: min(size, spans.MOST_AT_ONCE)]
            if len(stretch) == 1 and stretch[0].length > 1 and sample.busiest * stretch[0].length > MOST_OF_STRETCH:
                waiting[:1] = stretch[0].days_in_order(backwards=backwards)
                stretch = waiting[:1]
            within = beyond & Q(spans.IsOnOneOf(*(one.key for one in stretch)))
            some = self._collect(within, "requested_at", MOST_OF_STRETCH + 1)
            if len(some) <= MOST_OF_STRETCH:
                found += [key for _, key in sorted(some, reverse=backwards)]
                waiting = waiting[len(stretch) :]
                size, longer = longer, longer * 2
            elif len(stretch) > 1:
                size, longer = len(stretch) // 2, 1
            elif stretch[0].length > 1:
                waiting[:1] = stretch[0].days_in_order(backwards=backwards)
                size, longer = 1, 1
            else:
                rows = self.chosen.requests().filter(within).order_by(*columns)
                found += rows.values_list("pk", flat=True)[: number - len(found)]
                waiting = waiting[1:]
        return found[:number]

    def _narrow(self, beyond: Q, columns: Sequence[str], number: int, crowd: list[Place]) -> list[int] | None:
        """The first few of more than can be sorted, of whom any `crowd` is known; None if that takes too long.

        The few that come first of those known, have at most the places of the first few of all.  So the range in which
        these lie is known at one end, and it is halved until few enough are in it.
        """
        value, descending = columns[0].lstrip("-"), columns[0].startswith("-")
        reach = "gte" if descending else "lte"
        crowd.sort(reverse=descending)
        enough: Any = crowd[number - 1][0]  # So far, there are enough.
        edge = self._edge(beyond, columns)
        tried = enough
        for _ in range(MOST_HALVES):
            found = self._collect(beyond & Q(**{f"{value}__{reach}": tried}), value, MOST_SORTED + 1)
            found.sort(reverse=descending)
            if number <= len(found) <= MOST_SORTED:
                return [key for _, key in found[:number]]
            if len(found) > MOST_SORTED:
                enough = found[number - 1][0]
            else:
                edge = tried
            if edge is None:
                return None
            tried = enough + (edge - enough) / 2
        return None

    def _edge(self, beyond: Q, columns: Sequence[str]) -> Any:
        """The order's column in its first row that may be meant; None without any."""
        stretches, _ = self._stretches(by_time=columns[0].lstrip("-") == "requested_at")
        firsts = [
            rows.filter(beyond).order_by(*columns).values_list(columns[0].lstrip("-"), flat=True).first()
            for rows in stretches
        ]
        known = [first for first in firsts if first is not None]
        return (max(known) if columns[0].startswith("-") else min(known)) if known else None

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
        ends = asked.pop("status", [Q()]) if lead in ("", "repos") or not by_time else [Q()]
        rest = self.chosen.contents()
        for alternatives in asked.values():
            rest &= _any(alternatives)
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
            inside = self._inside
            if chosen.repos is None and len(inside) <= MOST_STRETCHES:
                asked["repos"] = [Q(repo=key) for key in inside]
            elif len(inside) <= MOST_REPOS:  # By key: a join leads PostgreSQL to search each repo by itself.
                asked["namespace"] = [Q(repo__in=inside)]
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

    @cached_property
    def _inside(self) -> list[int]:
        """The repos of the namespace, up to one more than `MOST_REPOS`."""
        repos = Repo.objects.filter(namespace=self.chosen.namespace).order_by("pk").values_list("pk", flat=True)
        return list(repos[: MOST_REPOS + 1])

    @property
    def _asks_for_a_namespace_alone(self) -> bool:
        """Beside statuses, and nothing else."""
        return self.chosen.namespace is not None and self.chosen == StaffFilter(
            namespace=self.chosen.namespace, status=self.chosen.status
        )

    def _collect(self, beyond: Q, column: str, most: int) -> list[Place]:
        """Any of those that match, up to `most`, by indexes that say which rows they are and not in which order."""
        asked = self._asked(by_time=True)
        statuses = asked.pop("status", None)
        rest = self.chosen.contents() & self.chosen.times() & beyond
        for alternatives in asked.values():
            rest &= _any(alternatives)
        if statuses is not None:
            rest &= Q(_Unindexed(F("status"), STATUSES[self.chosen.status]))
        rows = AccessRequest.objects.filter(rest).order_by()
        with _bitmaps_alone():
            return list(rows.values_list(column, "pk")[:most])


def _any(alternatives: Sequence[Q]) -> Q:
    """One of these; without any, nothing fits."""
    return reduce(Q.__or__, alternatives, Q(pk__in=[]))


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


def _merged_of_repos(repos: Sequence[int], conditions: Sequence[Q], columns: Sequence[str], number: int) -> list[int]:
    """The first few that meet one of the conditions, of which none holds for what another does.

    As `_merged`, for repos too many to name each in the statement.
    """
    value, descending = columns[0].lstrip("-"), columns[0].startswith("-")
    way = "DESC" if descending else "ASC"
    found: list[Place] = []
    for condition in conditions:
        rows = AccessRequest.objects.filter(condition, repo=RawSQL("among.repo", ())).order_by(*columns)
        sql, params = rows.values_list(value, "pk")[:number].query.sql_with_params()
        sql = f"SELECT page.* FROM unnest(%s::bigint[]) AS among (repo) CROSS JOIN LATERAL ({sql}) AS page"  # noqa: S608
        found += _rows(f"{sql} ORDER BY 1 {way}, 2 {way} LIMIT %s", [list(repos), *params, number])
    found.sort(reverse=descending)
    return [key for _, key in found[:number]]


def _looked_at(
    stretches: list[QuerySet[AccessRequest]], beyond: Q, fits: Q, columns: Sequence[str], number: int, looked_at: int
) -> tuple[list[int], bool]:
    """Keys of the first few that fit among the next rows, and whether these are the first few of all."""
    if not stretches:
        return [], True
    size = max(looked_at // len(stretches), number)
    value, descending = columns[0].lstrip("-"), columns[0].startswith("-")
    fitting: list[Place] = []
    ends: list[Place] = []  # Beyond these, nothing is known.
    for rows in stretches:
        ordered = rows.filter(beyond).order_by(*columns)
        page = ordered.annotate(fits=as_case(fits)).values_list("pk", value, "fits")[:size]
        sql, params = page.query.sql_with_params()
        # The inner LIMIT keeps the condition outside, and the outer one ends the search.
        sql = f"SELECT pk, {value} FROM ({sql}) AS looked_at WHERE fits LIMIT %s"  # noqa: S608 - Django's own SQL.
        found = [(at, key) for key, at in _rows(sql, [*params, number])]
        fitting += found
        if len(found) < number:
            ends += ordered.values_list(value, "pk")[size - 1 : size]
    fitting.sort(reverse=descending)
    if ends:
        horizon = max(ends) if descending else min(ends)
        fitting = [place for place in fitting if (place >= horizon if descending else place <= horizon)]
    return [key for _, key in fitting[:number]], not ends or len(fitting) >= number


def _rows(sql: str, params: list[Any]) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return list(cursor.fetchall())


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
