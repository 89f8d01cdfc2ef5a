"""The first few of the requests that a filter matches, in an order, and how many there are: quickly at any size.

PostgreSQL would have to guess.  For a word that half of the people wrote, walking the index of the order finds a page
at once, and collecting all matches takes most of a second; for a word that one of them wrote, it is the other way
round; and what its statistics say of a word in this repo, beside that answer, is easily wrong by a thousand times.  So
nothing is left to the guess, and each way is bounded:

1. The next `LOOKED_AT` rows of the order are looked at, and no more.  If a page of them match, that is the page.
2. Else few match, as a rule, and the index `access_request_find` finds them all: it holds repo and status, the groups
   of three characters of the search text, and the answers, and intersects them before a row is fetched.

What is left is a crowd of matches behind a long stretch without any, such as the answers to a new question with the
oldest first: then the crowd is sorted.  `bench/README.md` says how long that takes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction
from django.db.models import BooleanField, Case, F, Func, Q, QuerySet, Value, When

from access.filters import RequestFilter
from access.models import AccessRequest
from repos.models import Repo

LOOKED_AT = 3000
ENOUGH = 50
"""So many matches among those looked at are a crowd, which is not counted to its end."""


@dataclass(frozen=True, slots=True)
class Number:
    """How many there are; more than so many if `more`."""

    value: int
    more: bool = False


class Finder:
    """Finds the requests of one repo that one filter matches, and counts them up to `most`."""

    def __init__(self, repo: Repo, chosen: RequestFilter, most: int) -> None:
        self.repo = repo
        self.chosen = chosen
        self.most = most
        self._few = False  # Whether a stretch of the list was looked at, and too few matched.
        self._seen: int | None = None  # How many there are, up to one more than `most`.

    def first(self, beyond: Q, columns: Sequence[str], number: int) -> list[int]:
        """Keys of the first few that are `beyond` a place, in the order of the columns."""
        if not self._is_hard:
            return _keys(self.chosen.requests(self.repo).filter(beyond), columns, number)
        contents, times = self.chosen.contents(), self.chosen.times()
        if columns[0].lstrip("-") == "requested_at":  # Its index skips what is too old or too new.
            rows, fits = self._listed().filter(beyond, times), contents
        else:
            rows, fits = self._listed().filter(beyond), contents & times
        found = look_at(rows.order_by(*columns), fits, number)
        if len(found) == number or rows[:LOOKED_AT].count() < LOOKED_AT:  # Enough, or the list ends there.
            return found
        self._few = True
        if times and self._listed().filter(times)[: LOOKED_AT + 1].count() <= LOOKED_AT:
            in_time = look_at(self._listed().filter(times).order_by("requested_at", "pk"), contents, LOOKED_AT)
            self._seen = len(in_time)
            return _keys(AccessRequest.objects.filter(beyond, pk__in=in_time), columns, number)
        with by_index_alone():
            if beyond:
                return _keys(self._all().filter(beyond), columns, number)
            found = _keys(self._all(), columns, max(number, self.most + 1))  # All the same work; counts them, too.
        self._seen = len(found)
        return found[:number]

    def count(self) -> Number:
        """How many there are.  Counted up to `most`; of a crowd, it is enough to know that it is one."""
        if self._is_hard and not self._few:
            rows = self._listed().filter(self.chosen.times()).order_by("requested_at", "pk")
            seen = len(look_at(rows, self.chosen.contents(), self.most + 1))
            if seen > ENOUGH:
                return Number(_rounded(seen - 1), more=True)
        if self._seen is None:
            with by_index_alone():
                self._seen = self._all()[: self.most + 1].count()
        return Number(min(self._seen, self.most), more=self._seen > self.most)

    @property
    def _is_hard(self) -> bool:
        """Whether it asks for what the indexes of the orders do not hold.  SQLite has no other way than to look."""
        return connection.vendor == "postgresql" and self.chosen.narrows

    def _listed(self) -> QuerySet[AccessRequest]:
        """The list of the status, not narrowed."""
        return AccessRequest.objects.filter(repo=self.repo, status=self.chosen.status)

    def _all(self) -> QuerySet[AccessRequest]:
        """All that match.  Asked in these words, `access_request_find` alone can find contents."""
        contents = self.chosen.contents()
        if not contents or connection.vendor != "postgresql":
            return self.chosen.requests(self.repo)
        place = _IsIn(F("repo_id"), F("status"), Value(f"{self.repo.pk} {self.chosen.status}"))
        return AccessRequest.objects.filter(place, contents, self.chosen.times()).order_by()


def _keys(rows: QuerySet[AccessRequest], columns: Sequence[str], number: int) -> list[int]:
    return list(rows.order_by(*columns).values_list("pk", flat=True)[:number])


def look_at(rows: QuerySet[Any], fits: Q, number: int) -> list[int]:
    """Keys of the first few that fit among the first `LOOKED_AT` rows.  The inner LIMIT keeps the condition outside."""
    # As a CASE, since Django says of what can fit nobody that it is 0.
    fits_or_not = Case(When(fits, then=True), default=False, output_field=BooleanField()) if fits else Value(True)
    looked_at = rows.annotate(fits=fits_or_not)
    sql, params = looked_at.values_list("pk", "fits")[:LOOKED_AT].query.sql_with_params()
    with connection.cursor() as cursor:
        query = f"SELECT pk FROM ({sql}) AS looked_at WHERE fits LIMIT %s"  # noqa: S608 - Django's own SQL.
        cursor.execute(query, [*params, number])
        return [key for (key,) in cursor.fetchall()]


def _rounded(number: int) -> int:
    """Down to tens, or to hundreds: it says "more than" anyway."""
    return number // 100 * 100 if number >= 100 else number // 10 * 10


class _IsIn(Func):
    """Whether a request is in the list of a repo and a status, as the index `access_request_find` says it."""

    arity = 3
    output_field = BooleanField()

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> tuple[str, list[Any]]:
        (repo, _), (status, _), (place, params) = map(compiler.compile, self.get_source_expressions())
        return f"ARRAY[{repo}::text || ' ' || {status}] @> ARRAY[{place}]", list(params)


@contextmanager
def by_index_alone() -> Iterator[None]:
    """Where statistics say that half of the rows match, the planner reads the whole table, and they are often wrong."""
    if connection.vendor != "postgresql":
        yield
        return
    with transaction.atomic(savepoint=False), connection.cursor() as cursor:
        cursor.execute("SELECT set_config('enable_seqscan', 'off', true), set_config('jit', 'off', true)")
        yield
        cursor.execute("SET LOCAL enable_seqscan TO DEFAULT; SET LOCAL jit TO DEFAULT")
