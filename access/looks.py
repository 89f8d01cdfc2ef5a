"""Two ways of asking PostgreSQL that leave it no choice: the first so many rows of an order, each compared, or all that
an index of contents finds, in no order.  `access.finding` says why, and which when.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, NamedTuple

from django.core.exceptions import EmptyResultSet
from django.db import connection, transaction
from django.db.models import BooleanField, Case, Q, QuerySet, Value, When


class Seen(NamedTuple):
    """What a look has found, and at how many rows it looked: at fewer than it might only where there are no more."""

    keys: list[int]
    rows: int


class Look:
    """At the first rows of an order, as many as one likes: at those that fit."""

    def __init__(self, rows: QuerySet[Any], fits: Q) -> None:
        looked_at = rows.annotate(fits=as_case(fits)).values_list("pk", "fits")
        self._sql, self._params = looked_at.query.sql_with_params()  # Once: it takes longer than to look at some.

    def at(self, number: int, among: int) -> Seen:
        """The first few that fit among so many."""
        # The inner LIMIT keeps the condition outside.  They are counted only where too few fit.
        query = f"""WITH looked_at AS ({self._sql} LIMIT %s)
            SELECT pk FROM looked_at WHERE fits UNION ALL SELECT -count(*) FROM looked_at LIMIT %s"""  # noqa: S608
        with connection.cursor() as cursor:
            cursor.execute(query, [*self._params, among, number])
            keys = [key for (key,) in cursor.fetchall()]
        if len(keys) == number and keys[-1] > 0:
            return Seen(keys, among)
        return Seen(keys[:-1], -keys[-1])


def look_at(rows: QuerySet[Any], fits: Q, number: int, among: int) -> list[int]:
    """Keys of the first few that fit among so many rows, the first of their order."""
    return Look(rows, fits).at(number, among).keys


def look_at_and_sort(
    rows: QuerySet[Any], fits: Q, beyond: Q, columns: Sequence[str], number: int, among: int | None
) -> tuple[list[int], int]:
    """As `look_at`, at all rows for None, but of those that fit, the first few that are `beyond` a place in another
    order, by one column and key; and how many fit at all."""
    value, way = columns[0].lstrip("-"), "DESC" if columns[0].startswith("-") else "ASC"
    looked_at = rows.annotate(fits=as_case(fits), further=as_case(beyond))
    sql, params = looked_at.values_list("pk", value, "fits", "further")[:among].query.sql_with_params()
    with connection.cursor() as cursor:
        query = f"""SELECT pk, further, count(*) OVER () FROM ({sql}) AS looked_at WHERE fits
            ORDER BY further DESC, {value} {way}, pk {way} LIMIT %s"""  # noqa: S608
        cursor.execute(query, [*params, number])
        found = cursor.fetchall()
    return [key for key, further, _ in found if further], found[0][2] if found else 0


class Found:
    """What an index of contents finds in the stretches with some keys, which is asked in several ways.

    Those that are `beyond` a place come first where they are sorted by the columns, which are one and the key.
    """

    def __init__(self, rows: QuerySet[Any], keys: list[int] | None, beyond: Q, columns: Sequence[str]) -> None:
        """`rows` name this very list of keys; without one, they are the same whatever the keys."""
        self._value, self._way = columns[0].lstrip("-"), "DESC" if columns[0].startswith("-") else "ASC"
        asked = dict.fromkeys(("pk", "requested_at", self._value, "further"))
        rows = rows.annotate(further=as_case(beyond)).order_by().values_list(*asked)
        try:
            sql, params = rows.query.sql_with_params()  # Once: it takes as long as to find a few.
        except EmptyResultSet:  # The filter can match nobody.
            sql, params = "", ()
        self._sql, self._params = sql, list(params)
        self._places = [place for place, param in enumerate(self._params) if keys is not None and param is keys]
        if self._sql and keys is not None and not self._places:
            raise ValueError("The rows do not name the keys.")

    def sorted(self, keys: Sequence[int], number: int, among: int | None = None) -> tuple[list[int], int]:
        """As `look_at_and_sort`, of all, or of any `among` them."""
        limit = "" if among is None else f"LIMIT {among:d}"
        outer = f"ORDER BY further DESC, {self._order} LIMIT {number:d}"
        found = self._asked("SELECT pk, further, count(*) OVER () FROM (", keys, f"{limit}) AS found {outer}")
        return [key for key, further, _ in found if further], found[0][2] if found else 0

    def beyond(self, keys: Sequence[int], number: int) -> list[int]:
        """The first few."""
        outer = f"WHERE further ORDER BY {self._order} LIMIT {number:d}"
        return _column(self._asked("SELECT pk FROM (", keys, f") AS found {outer}"))

    def any_beyond(self, keys: Sequence[int], most: int) -> list[int]:
        """Any of them, in their order.  So many say that there may be more: the inner LIMIT comes before the order."""
        outer = f"WHERE further LIMIT {most:d}) AS taken ORDER BY {self._order}"
        return _column(self._asked("SELECT pk FROM (SELECT * FROM (", keys, f") AS found {outer}"))

    def moments(self, keys: Sequence[int], most: int) -> list[datetime]:
        """When any of them were sent."""
        return _column(self._asked("SELECT requested_at FROM (", keys, f") AS found LIMIT {most:d}"))

    def count(self, keys: Sequence[int], most: int) -> int:
        """How many there are, up to so many."""
        outer = f"LIMIT {most:d}) AS taken"
        return sum(_column(self._asked("SELECT count(*) FROM (SELECT 1 FROM (", keys, f") AS found {outer}")))

    @property
    def _order(self) -> str:
        return f"{self._value} {self._way}, pk {self._way}"

    def _asked(self, before: str, keys: Sequence[int], after: str) -> list[tuple[Any, ...]]:
        if not self._sql:
            return []
        for place in self._places:
            self._params[place] = list(keys)
        # All as one message, which is one transaction unless it is in the midst of another.
        also = f"; {_AS_USUAL}" if connection.in_atomic_block else ""
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT {_ALONE}; {before}{self._sql}{after}{also}", self._params)
            cursor.nextset()
            found: list[tuple[Any, ...]] = cursor.fetchall()
        return found


def _column(rows: Sequence[tuple[Any, ...]]) -> list[Any]:
    return [value for (value,) in rows]


def as_case(fits: Q) -> Any:
    """The condition as a value: Django says of one that nobody can meet that it is 0."""
    return Case(When(fits, then=True), default=False, output_field=BooleanField()) if fits else Value(True)


@contextmanager
def by_index_alone() -> Iterator[None]:
    """For what a GIN index finds, in no order.  Not to be nested.

    Where statistics say that half of the rows match, the planner reads the whole table, or an index of another order
    from its beginning, and they are often wrong.
    """
    if connection.vendor != "postgresql":
        yield
        return
    within = connection.in_atomic_block
    with transaction.atomic(savepoint=False), connection.cursor() as cursor:
        cursor.execute(f"SELECT {_ALONE}")
        yield
        if within:  # Else the end of the transaction does it.
            cursor.execute(_AS_USUAL)


_OFF = ("enable_indexscan", "enable_seqscan", "jit")  # A scan of an index in its order, not one for a bitmap.
_ALONE = ", ".join(f"set_config('{name}', 'off', true)" for name in _OFF)
_AS_USUAL = "; ".join(f"SET LOCAL {name} TO DEFAULT" for name in _OFF)
