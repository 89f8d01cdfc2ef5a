"""The rows of a report by PostgreSQL's COPY, which writes them as they go out: CSV with safe cells, or JSON.

Which requests there are is asked first, up to 100,000 keys at a time: a search that finds ten rows is carried out once,
and one that finds a million, eleven times.  Then some thousand rows at a time are copied by their keys to a buffer,
which goes to the disk when it grows, and the connection is given back before they are sent.
Two batches are copied at once: PostgreSQL works on each in one process, and the report would wait for that.
"""

from __future__ import annotations

import tempfile
from array import array
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import islice
from typing import IO, Any, NamedTuple

from django.conf import settings
from django.core.exceptions import EmptyResultSet
from django.db import connections, transaction
from django.db.models import BooleanField, F, Func, Q, QuerySet, Value

from access.models import AccessRequest
from access.report import lines
from access.report.columns import Layout
from access.report.plain import later_than

_FIRST_KEYS = 1000
_KEYS_AT_ONCE = 100_000
_FIRST_ROWS = 100
_MOST_ROWS = 10_000
_BATCH = 2 * 1024**2
"""How long the text of a batch is about to be: the next batch has as many rows as would have filled this one."""
_AT_ONCE = 2
"""Batches, each by a connection of its own, and so many of the pool's connections for as long as no reader is slow."""
_IN_MEMORY = 4 * 1024**2
"""What a buffer holds before it becomes a file: 10,000 rows may be as long as a book, or each as long as one."""
_PIECE = 64 * 1024
_BY_KEY = "SELECT " + ", ".join(
    f"set_config('{name}', '{value}', true)"
    for name, value in {
        "enable_seqscan": "off",
        "enable_hashjoin": "off",
        "enable_mergejoin": "off",
        "max_parallel_workers_per_gather": "0",
    }.items()
)
"""For the rows of a batch, within its transaction: PostgreSQL would at times rather read all people there are, for each
batch, than look up those of the batch.  Without workers, rows also stay in the order of the inner query."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_KEYS = "the keys of a batch"
"""Stands in the parameters for what each batch puts there."""


def rows(layout: Layout, requests: QuerySet[AccessRequest]) -> Iterator[bytes]:
    """The rows as text, in pieces."""
    try:
        statement = _statement(layout, requests)
    except EmptyResultSet:  # Django sees that nothing can match.
        return
    cut = _Cut()
    for batch in _copied(cut.batches(_keys(requests)), statement, requests.db):
        with batch.text as text:
            yield from iter(partial(text.read, _PIECE), b"")
        cut.learn(batch)


class _Batch(NamedTuple):
    """Some rows: how many, their text, to be read once and closed, and its length."""

    rows: int
    text: IO[bytes]
    size: int


class _Cut:
    """How many rows a batch has: few first, so that the first byte comes soon, then as many as fill a buffer."""

    def __init__(self) -> None:
        self._number = _FIRST_ROWS

    def batches(self, keys: Iterable[array[int]]) -> Iterator[array[int]]:
        for some in keys:
            at = 0
            while at < len(some):
                number = self._number
                yield some[at : at + number]
                at += number

    def learn(self, batch: _Batch) -> None:
        """From one that was copied."""
        fitting = batch.rows * _BATCH // max(batch.size, 1)
        self._number = max(1, min(fitting, 4 * max(batch.rows, self._number), _MOST_ROWS))


def _copied(batches: Iterator[array[int]], statement: _Statement, database: str) -> Iterator[_Batch]:
    """Their rows, in this order: some are copied at once, by as many connections, and while others are sent."""
    copied = partial(_copy_batch, statement, database)
    if connections[database].in_atomic_block:  # What the transaction has not committed, no other thread sees.
        yield from map(copied, batches)
        return
    connections[database].close()  # Of this thread: `_keys` takes one when it needs one.
    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="report") as copiers:
        ordered: deque[Future[_Batch]] = deque()
        try:
            while True:
                ordered += [copiers.submit(copied, keys) for keys in islice(batches, _AT_ONCE - len(ordered))]
                if not ordered:
                    return
                batch = ordered.popleft().result()
                ordered += [copiers.submit(copied, keys) for keys in islice(batches, 1)]
                yield batch
        finally:
            for left in ordered:  # The reader has gone away, or something failed.
                if left.exception() is None:
                    left.result().text.close()


def _copy_batch(statement: _Statement, database: str, keys: Sequence[int]) -> _Batch:
    with ExitStack() as unless_it_fails:
        text = unless_it_fails.enter_context(_spool())
        size = _copy_rows(database, statement.about(keys), text)
        text.seek(0)
        unless_it_fails.pop_all()
    return _Batch(len(keys), text, size)


@dataclass(frozen=True, slots=True)
class _Statement:
    """SQL with its parameters."""

    sql: str
    params: tuple[Any, ...]

    def about(self, keys: Sequence[int]) -> _Statement:
        listed = "{" + ",".join(map(str, keys)) + "}"
        return _Statement(self.sql, tuple(listed if param is _KEYS else param for param in self.params))


class _IsAmong(Func):
    """Takes one parameter, however many keys it is.  `pk__in` has one for each."""

    template = "%(expressions)s::bigint[])"
    arg_joiner = " = ANY("
    output_field = BooleanField()


def _statement(layout: Layout, requests: QuerySet[AccessRequest]) -> _Statement:
    """The query itself, asked for a batch.  It is asked again, so that who has left it since is not in the report."""
    names = lines.sources(layout)
    batch = requests.filter(_IsAmong(F("pk"), Value(_KEYS))).order_by("requested_at", "pk")
    found, params = batch.values_list(*names.values()).query.get_compiler(requests.db).as_sql()
    select, own_params = lines.select(layout, f"({found}) AS request ({', '.join(names)})")
    return _Statement(f"COPY ({select}) TO STDOUT ({lines.OPTIONS[layout.format]})", (*own_params, *params))


def _keys(requests: QuerySet[AccessRequest]) -> Iterator[array[int]]:
    """The keys of all of them by time, many at once."""
    beyond = Q()
    most = _FIRST_KEYS
    while True:
        ordered = requests.filter(beyond).order_by("requested_at", "pk").values_list("requested_at", "pk")
        found, params = ordered[:most].query.get_compiler(requests.db).as_sql()
        # In one text: taking 100,000 rows one by one takes longer than finding them.
        cells = "string_agg(found.key::text, ' '), (extract(epoch FROM max(found.at)) * 1000000)::bigint"
        sql = f"COPY (SELECT {cells} FROM ({found}) AS found (at, key)) TO STDOUT"  # noqa: S608
        with _copy(requests.db, _Statement(sql, tuple(params))) as copy:
            listed, _, microseconds = b"".join(map(bytes, copy)).partition(b"\t")
        keys = array("q", [] if listed == b"\\N" else map(int, listed.split(b" ")))
        yield keys
        if len(keys) < most:
            return
        most = _KEYS_AT_ONCE
        at = _EPOCH + timedelta(microseconds=int(microseconds))
        beyond = later_than(at, keys[-1])


def _copy_rows(database: str, statement: _Statement, spool: IO[bytes]) -> int:
    """Write what the statement gives.  Returns its length."""
    size = 0
    waiting = bytearray()
    with _copy(database, statement, _BY_KEY) as copy:
        for row in copy:
            waiting += row
            if len(waiting) >= _PIECE:
                size += spool.write(waiting)
                waiting.clear()
    return size + spool.write(waiting)


@contextmanager
def _copy(database: str, statement: _Statement, planner: str = "") -> Iterator[Any]:
    """The rows of a COPY.  The connection goes back to the pool: the reader of the report may take hours."""
    connection = connections[database]
    try:
        # COPY takes no parameters: they are put into the text.
        text = connection.ops.compose_sql(statement.sql, statement.params)  # type: ignore[attr-defined]
        with transaction.atomic(using=database), connection.cursor() as cursor:
            if planner:
                cursor.execute(planner)
            with cursor.copy(text) as copy:
                yield copy
    finally:
        if not connection.in_atomic_block:
            connection.close()


def _spool() -> Any:
    folder = settings.GATEHUB_TMP_DIR
    folder.mkdir(parents=True, exist_ok=True)
    return tempfile.SpooledTemporaryFile(_IN_MEMORY, dir=str(folder))
