"""Two ways of asking PostgreSQL that leave it no choice: the first so many rows of an order, each compared, or all that
an index of contents finds, in no order.  `access.finding` says why, and which when.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

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
        cursor.execute(f"SELECT {_OFF}, set_config('enable_seqscan', 'off', true), set_config('jit', 'off', true)")
        yield
        if within:  # Else the end of the transaction does it.
            cursor.execute(f"{_ON}; SET LOCAL enable_seqscan TO DEFAULT; SET LOCAL jit TO DEFAULT")


@contextmanager
def in_order() -> Iterator[None]:
    """For what an index of an order finds, in the midst of `by_index_alone`."""
    with connection.cursor() as cursor:
        cursor.execute(_ON)
        yield
        cursor.execute(f"SELECT {_OFF}")


_OFF = "set_config('enable_indexscan', 'off', true)"  # A scan of an index in its order, not one for a bitmap.
_ON = "SET LOCAL enable_indexscan TO DEFAULT"
