"""Queries whose SQL Django builds once: kept as text, and run with new values in their places.

Building the SQL of a rule takes ten times as long as answering it.  A query is built twice, with different stand-ins in
the places of its values, and both must come out alike but for these: so it is known where each value goes, and that
nothing else of the text depends on one.

PostgreSQL keeps its plan of such a text, too: planning a rule takes it longer than answering.
`GATEHUB_DATABASE_PREPARE=0` spares it that, behind poolers that know no prepared statements.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from copy import copy
from functools import lru_cache
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connections
from django.db.backends.postgresql.base import ServerBindingCursor
from django.db.models import BooleanField, F, Func, Model, QuerySet, Value
from django.db.models.query import FlatValuesListIterable, ValuesListIterable
from psycopg.types.numeric import Int8

from accounts.prepared import Statement

Build = Callable[..., QuerySet[Any, Any]]
"""A function of a module that makes a queryset from values by name.  Nothing else may change what it makes."""


def rows(build: Build, **values: int | str) -> list[Any]:
    """What `build(**values)` gives: instances, or rows of `values_list`.  Its SQL is kept from the first time on."""
    return _kept(build, tuple((name, type(value)) for name, value in values.items())).rows(**values)


@lru_cache(256)
def _kept(build: Build, kinds: tuple[tuple[str, type], ...]) -> CompiledQuery:
    return CompiledQuery(build, dict(kinds))


_PLAIN = (ValuesListIterable, FlatValuesListIterable)


class NotCompilable(TypeError):
    """The text of the query depends on its values, so that it cannot be kept."""


class UnfitValue(TypeError):
    """A value is missing, or of another kind than the stand-in in its place."""


class CompiledQuery:
    """A query that is kept.

    `build` makes the queryset from values by name; `kinds` says of each whether it is an `int` or a `str`.  The query
    runs on the database for which it was built.  Raises NotCompilable.
    """

    def __init__(self, build: Build, kinds: Mapping[str, type]) -> None:
        self._kinds = dict(kinds)
        first, second = ({name: _stand_in(kind) for name, kind in kinds.items()} for _ in range(2))
        queryset: Any = build(**first)
        self._database = queryset.db
        self._iterable_class: Any = queryset._iterable_class
        self._fields = queryset._fields
        self._compiler = queryset.query.get_compiler(self._database)
        self._sql, constants = _as_sql(self._compiler)
        self._is_plain = self._sql is not None and self._iterable_class in _PLAIN and not _converted(self._compiler)
        self._compiler.connection = None  # The next to ask may be another thread.
        self._statement: Statement | None = None
        sql, others = _as_sql(build(**second).query.get_compiler(self._database))
        if sql != self._sql or len(constants) != len(others):
            raise NotCompilable("The SQL differs with the values.")
        self._constants = list(constants)
        self._places: dict[int, str] = {}
        for place, (one, two) in enumerate(zip(constants, others, strict=True)):
            name = _name_of(one, first)
            if name is not None and name == _name_of(two, second):
                self._places[place] = name
            elif name is not None or type(one) is not type(two) or _plain(one) != _plain(two):
                raise NotCompilable(f"Parameter {place} of the SQL is neither a value nor the same for all.")
        if self._sql is not None and connections[self._database].vendor == "postgresql":
            self._statement = Statement(self._sql, list(map(_sized, self._constants)), self._places)

    def rows(self, **values: Any) -> list[Any]:
        """What the queryset would give.  Raises UnfitValue."""
        if self._sql is None:
            return []
        params = _with_values(self._constants, self._places, self._kinds, values)
        connection = connections[self._database]
        found = self._tuples(connection, params, values)
        if self._is_plain:  # Django's iterables would make the same of it, in three times the time.
            return [value for (value,) in found] if self._iterable_class is FlatValuesListIterable else found
        compiler = copy(self._compiler)
        compiler.connection = connection
        if compiler.has_extra_select:  # Columns to sort by.
            found = [row[: compiler.col_count] for row in found]
        compiler.execute_sql = lambda *_, **__: [found]
        return list(self._iterable_class(_Ready(compiler, self._database, self._fields)))

    def _tuples(self, connection: Any, params: list[Any], values: Mapping[str, Any]) -> list[Any]:
        """As the database gives them."""
        found = self._statement.rows(connection, values) if self._statement is not None else None
        if found is None:
            with _prepared(connection, params), connection.cursor() as cursor:
                cursor.execute(self._sql, params)
                found = cursor.fetchall()
        return found


class ChainedQuery:
    """Two kept queries as one statement of PostgreSQL: to each row of the first, those rows of the second to which its
    values lead.  `columns` says which value of the second stands in which column of the first.

    Both give plain rows, and their other values have names of their own.  Raises NotCompilable.
    """

    def __init__(self, first: CompiledQuery, second: CompiledQuery, columns: Mapping[str, str]) -> None:
        if not (first._is_plain and second._is_plain) or connections[first._database].vendor != "postgresql":
            raise NotCompilable("Only plain rows on PostgreSQL are chained.")
        names = [f"of_{field}" for field in first._fields]
        constants, places, stands = list(first._constants), dict(first._places), list[str]()
        for place, constant in enumerate(second._constants):
            name = second._places.get(place)
            if name is not None and name in columns:
                stands.append(f"first.of_{columns[name]}")
                continue
            if name is not None:
                places[len(constants)] = name
            constants.append(constant)
            stands.append("%s")
        text = str(second._sql).replace("%%", "%%%%") % tuple(stands)
        self._sql = f"SELECT * FROM ({first._sql}) AS first ({', '.join(names)}), LATERAL ({text}) AS second"  # noqa: S608
        self._constants, self._places, self._database = constants, places, first._database
        self._kinds = {name: {**first._kinds, **second._kinds}[name] for name in places.values()}
        self._statement = Statement(self._sql, list(map(_sized, constants)), places)

    def rows(self, **values: Any) -> list[tuple[Any, ...]]:
        """Rows of the first, each with what follows it.  Raises UnfitValue."""
        connection = connections[self._database]
        params = _with_values(self._constants, self._places, self._kinds, values)
        found = self._statement.rows(connection, values)
        if found is not None:
            return found
        with _prepared(connection, params), connection.cursor() as cursor:
            cursor.execute(self._sql, params)
            return cursor.fetchall()  # type: ignore[no-any-return]


class IsOneOf(Func):
    """Whether a row's key, or what `of` names, is among those that `keys_as_text` made a text of: a kept query takes no
    lists."""

    output_field = BooleanField()
    template = "%(column)s = ANY(('{' || %(keys)s || '}')::bigint[])"

    def __init__(self, keys: str, of: str = "pk") -> None:
        super().__init__(F(of), Value(keys))

    def as_sql(self, compiler: Any, connection: Any, template: str | None = None, **_: Any) -> Any:  # type: ignore[override]
        (column, _none), (keys, params) = (compiler.compile(part) for part in self.get_source_expressions())
        return (template or self.template) % {"column": column, "keys": keys}, params

    def as_sqlite(self, compiler: Any, connection: Any, **_: Any) -> Any:
        return self.as_sql(compiler, connection, "%(column)s IN (SELECT value FROM json_each('[' || %(keys)s || ']'))")


def columns_of(model: type[Model], *columns: str) -> tuple[str, ...]:
    """The columns in the order in which `from_db` takes their values: that of the model, whatever it is told."""
    return tuple(field.attname for field in model._meta.concrete_fields if field.attname in columns)


def keys_as_text(keys: Iterable[int]) -> str:
    return ",".join(map(str, keys))


@contextmanager
def _prepared(connection: Any, params: list[Any]) -> Iterator[None]:
    """Cursors whose statements PostgreSQL prepares, once they were used some times.

    Of Django's usual cursors it sees texts with the values in them, of which each is new.
    """
    if connection.vendor != "postgresql":
        yield
        return
    # Else each would have the smallest type that holds it, and each type its own plan.
    params[:] = map(_sized, params)
    connection.ensure_connection()
    session = connection.connection
    usual, session.cursor_factory = session.cursor_factory, ServerBindingCursor
    try:
        yield
    finally:
        session.cursor_factory = usual


class _Ready:
    """What Django's iterables need of a queryset: one whose query is compiled already."""

    _hints: Mapping[str, Any] = {}
    _known_related_objects: Mapping[Any, Any] = {}

    def __init__(self, compiler: Any, database: str, fields: Any) -> None:
        self.query = self
        self.db = database
        self._fields = fields
        self._compiler = compiler

    def get_compiler(self, using: str) -> Any:
        return self._compiler


def _sized(param: Any) -> Any:
    return Int8(param) if type(param) is int else param


def _with_values(
    constants: list[Any], places: Mapping[int, str], kinds: Mapping[str, type], values: Mapping[str, Any]
) -> list[Any]:
    params = constants.copy()
    for place, name in places.items():
        value = values.get(name)
        if type(value) is not kinds[name]:  # Nor a subclass: True is not a key.
            raise UnfitValue(f"{name} must be an {kinds[name].__name__}.")
        params[place] = value
    return params


def _converted(compiler: Any) -> bool:
    """Whether rows are not what the database gives: JSON is read, and columns to sort by are left out."""
    columns = [column for column, *_ in compiler.select[: compiler.col_count]]
    return bool(compiler.has_extra_select or compiler.has_composite_fields(columns) or compiler.get_converters(columns))


def _as_sql(compiler: Any) -> tuple[str | None, tuple[Any, ...]]:
    """Without SQL for what can match nothing."""
    try:
        sql, params = compiler.as_sql()
    except EmptyResultSet:
        return None, ()
    return sql, tuple(params)


def _stand_in(kind: type) -> Any:
    """A value that occurs nowhere else."""
    if kind is int:
        return 2**30 + secrets.randbits(30)  # Fits every column of numbers: what fits none, Django does not ask for.
    if kind is str:
        # Whatever a lookup makes of its text, such as a pattern, shows on this one.  In lower case, as callers must be
        # able to give their texts to what looks for them in lower case.
        return f" ß%_\\'\" stand-in-{secrets.token_hex(12)} "
    raise NotCompilable(f"There is no stand-in for {kind}.")


def _name_of(param: Any, stand_ins: Mapping[str, Any]) -> str | None:
    # Of a plain column of numbers, psycopg gets its own kind of int.
    return next((name for name, value in stand_ins.items() if isinstance(param, type(value)) and param == value), None)


def _plain(param: Any) -> Any:
    """Comparable: psycopg's wrappers of JSON are not."""
    return getattr(param, "obj", param)
