"""Two ways of asking PostgreSQL that leave it no choice: the first so many rows of an order, each compared, or all that
an index of contents finds, in no order.  `access.finding` says why, and which when.

Their statements are put together from conditions, each of which Django puts into SQL once: a queryset for each question
of a page took longer to make than PostgreSQL to answer.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, NamedTuple

from django.core.exceptions import EmptyResultSet, FullResultSet
from django.db import connection, transaction
from django.db.models import BooleanField, Case, Q, QuerySet, Value, When
from django.db.models.sql import Query

from access import spans
from access.models import AccessRequest

_TABLE = AccessRequest._meta.db_table


class Condition(NamedTuple):
    """What is asked of a row: SQL, with `%s` in the places of its parameters."""

    sql: str
    params: tuple[Any, ...] = ()


NO_ROW, EACH_ROW = Condition("FALSE"), Condition("TRUE")


def condition(fits: Q) -> Condition:
    """In the words of Django's lookups, on access requests alone."""
    query = Query(AccessRequest)
    try:
        sql, params = query.get_compiler(connection=connection).compile(query.build_where(fits))
    except EmptyResultSet:
        return NO_ROW
    except FullResultSet:
        return EACH_ROW
    return Condition(sql, tuple(params))


def all_of(*conditions: Condition) -> Condition:
    if NO_ROW in conditions:
        return NO_ROW
    some = [each for each in conditions if each != EACH_ROW]
    if not some:
        return EACH_ROW
    return Condition(" AND ".join(f"({sql})" for sql, _ in some), tuple(param for _, said in some for param in said))


class Seen(NamedTuple):
    """What a look has found, and at how many rows it looked: at fewer than it might only where there are no more."""

    keys: list[int]
    rows: int


class Look:
    """At the first rows of an order, as many as one likes: at those that fit."""

    def __init__(self, rows: Condition, columns: Sequence[str], fits: Condition) -> None:
        """`rows` are all that are looked at, in the order of the columns."""
        self._sql = f"SELECT id AS pk, {as_value(fits)} AS fits {_ordered(rows, columns)}"
        self._params = (*fits.params, *rows.params)

    def at(self, number: int, among: int) -> Seen:
        """The first few that fit among so many."""
        return _seen(self._sql, self._params, number, among)


def look_at(rows: QuerySet[Any], fits: Q, number: int, among: int) -> list[int]:
    """Keys of the first few that fit among so many rows, whatever they are, the first of their order."""
    sql, params = rows.annotate(fits=as_case(fits)).values_list("pk", "fits").query.sql_with_params()
    return _seen(sql, params, number, among).keys


def _seen(sql: str, params: Sequence[Any], number: int, among: int) -> Seen:
    # The inner LIMIT keeps the condition outside.  They are counted only where too few fit.
    query = f"""WITH looked_at AS ({sql} LIMIT %s)
        SELECT pk FROM looked_at WHERE fits UNION ALL SELECT -count(*) FROM looked_at LIMIT %s"""  # noqa: S608
    keys = _column(_asked(query, [*params, among, number]))
    if len(keys) == number and keys[-1] > 0:
        return Seen(keys, among)
    return Seen(keys[:-1], -keys[-1])


def first_moment(rows: Condition, columns: Sequence[str]) -> datetime | None:
    """When the first of an order was sent; None without any."""
    return next(iter(_column(_asked(f"SELECT requested_at {_ordered(rows, columns)} LIMIT 1", rows.params))), None)


def look_at_and_sort(
    rows: Condition, fits: Condition, beyond: Condition, columns: Sequence[str], number: int, among: int
) -> tuple[list[int], int]:
    """As a `Look` at some rows in the order of time, but of those that fit, the first few that are `beyond` a place in
    another order, by one column and key; and how many fit at all."""
    value, way = _order_of(columns)
    looked_at = f"SELECT id AS pk, {value}, {as_value(fits)} AS fits, {as_value(beyond)} AS further"
    query = f"""SELECT pk, further, count(*) OVER ()
        FROM ({looked_at} {_ordered(rows, _BY_TIME)} LIMIT %s) AS looked_at WHERE fits
        ORDER BY further DESC, {value} {way}, pk {way} LIMIT %s"""  # noqa: S608
    found = _asked(query, [*fits.params, *beyond.params, *rows.params, among, number])
    return [key for key, further, _ in found if further], found[0][2] if found else 0


class Found:
    """What an index of contents finds in the stretches with some keys, or in all of a list: asked in several ways.

    Those that are `beyond` a place come first where they are sorted by the columns, which are one and the key.
    """

    def __init__(self, fits: Condition, whole: Condition, beyond: Condition, columns: Sequence[str]) -> None:
        """`whole` is asked in the place of a stretch where the keys are None, for all that fit."""
        self._value, self._way = _order_of(columns)
        selected = dict.fromkeys(("id AS pk", "requested_at", self._value, f"{as_value(beyond)} AS further"))
        self._sql = f"SELECT {', '.join(selected)} FROM {_TABLE} WHERE "  # noqa: S608
        self._fits, self._whole, self._before = fits, whole, beyond.params

    def sorted(self, keys: Sequence[int] | None, number: int, among: int | None = None) -> tuple[list[int], int]:
        """As `look_at_and_sort`, of all, or of any `among` them."""
        limit = "" if among is None else f"LIMIT {among:d}"
        outer = f"ORDER BY further DESC, {self._order} LIMIT {number:d}"
        found = self._ask("SELECT pk, further, count(*) OVER () FROM (", keys, f"{limit}) AS found {outer}")
        return [key for key, further, _ in found if further], found[0][2] if found else 0

    def beyond(self, keys: Sequence[int] | None, number: int) -> list[int]:
        """The first few."""
        outer = f"WHERE further ORDER BY {self._order} LIMIT {number:d}"
        return _column(self._ask("SELECT pk FROM (", keys, f") AS found {outer}"))

    def any_beyond(self, keys: Sequence[int] | None, most: int) -> list[int]:
        """Any of them, in their order.  So many say that there may be more: the inner LIMIT comes before the order."""
        outer = f"WHERE further LIMIT {most:d}) AS taken ORDER BY {self._order}"
        return _column(self._ask("SELECT pk FROM (SELECT * FROM (", keys, f") AS found {outer}"))

    def days(self, keys: Sequence[int] | None, most: int) -> list[tuple[int, int]]:
        """On which days any of them were sent, as in `spans.Span`, and how many on each; up to so many of them."""
        before = f"SELECT day, count(*) FROM (SELECT {spans.DAY_SQL} AS day FROM ("  # noqa: S608
        return self._ask(before, keys, f") AS found LIMIT {most:d}) AS taken GROUP BY day ORDER BY day")

    def count(self, keys: Sequence[int] | None, most: int) -> int:
        """How many there are, up to so many."""
        outer = f"LIMIT {most:d}) AS taken"
        return sum(_column(self._ask("SELECT count(*) FROM (SELECT 1 FROM (", keys, f") AS found {outer}")))

    @property
    def _order(self) -> str:
        return f"{self._value} {self._way}, pk {self._way}"

    def _ask(self, before: str, keys: Sequence[int] | None, after: str) -> list[Any]:
        within = Condition(spans.IS_IN_ONE_OF, (list(keys),)) if keys is not None else self._whole
        rows = all_of(within, self._fits)
        if rows == NO_ROW:
            return []
        params = [*self._before, *rows.params]
        # All as one message, which is one transaction unless it is in the midst of another.
        also = f"; {_AS_USUAL}" if connection.in_atomic_block else ""
        return _asked(f"SELECT {_ALONE}; {before}{self._sql}{rows.sql}{after}{also}", params, place=1)


def _ordered(rows: Condition, columns: Sequence[str]) -> str:
    value, way = _order_of(columns)
    return f"FROM {_TABLE} WHERE {rows.sql} ORDER BY {value} {way}, id {way}"


def _order_of(columns: Sequence[str]) -> tuple[str, str]:
    """The column beside the key, and which way both go."""
    return columns[0].lstrip("-"), "DESC" if columns[0].startswith("-") else "ASC"


def as_value(fits: Condition) -> str:
    """Of what is not known, such as whether no moment is before another, it is that it does not fit."""
    return fits.sql if fits in (NO_ROW, EACH_ROW) else f"(({fits.sql}) IS TRUE)"


def _asked(query: str, params: Sequence[Any], place: int = 0) -> list[Any]:
    """The rows of the only statement, or of that in a place among several."""
    with connection.cursor() as cursor:
        cursor.execute(query, params)
        for _ in range(place):
            cursor.nextset()
        found: list[Any] = cursor.fetchall()
        return found


_BY_TIME = ("requested_at", "pk")


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
