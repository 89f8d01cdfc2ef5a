"""A statement that PostgreSQL has prepared, asked by libpq at once: what psycopg's cursors and Django's do around each
question takes longer than the answer to the one that begins every download.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from queue import Empty, SimpleQueue
from threading import Lock
from time import monotonic
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import psycopg
from psycopg.adapt import PyFormat, Transformer
from psycopg.pq import ExecStatus, Format, TransactionStatus
from psycopg.types.numeric import Int8

_numbers = itertools.count(1)
_Dumped = tuple[list[Any], list[Any], Any]


class Statement:
    """SQL with `%s` in the places of constants and of values, which `places` names: texts, or whole numbers.

    Rows are those that a cursor gives.
    """

    def __init__(self, sql: str, constants: Sequence[Any], places: Mapping[int, str]) -> None:
        numbers = itertools.count(1)
        self._sql = re.sub("%(%|s)", lambda sign: "%" if sign[1] == "%" else f"${next(numbers)}", sql).encode()
        self._constants = list(constants)
        self._places = dict(places)
        self._dumped: _Dumped | None = None
        self._names: WeakKeyDictionary[Any, bytes] = WeakKeyDictionary()  # Of the statement, in each session.

    def rows(self, connection: Any, values: Mapping[str, int | str]) -> list[tuple[Any, ...]] | None:
        """None where it cannot be asked so, or fails: a cursor does it, or says what is wrong.

        `connection` is Django's.  In a transaction it is left to a cursor, as a failure would end the transaction; and
        so are queries that somebody wants to see.
        """
        if connection.queries_logged or connection.execute_wrappers:
            return None
        with suppress(psycopg.Error, _Unfit, UnicodeEncodeError), _session(connection) as session:
            if session.prepare_threshold is not None and session.pgconn.transaction_status == TransactionStatus.IDLE:
                return self._asked(session, values)
        return None

    def _asked(self, session: Any, values: Mapping[str, int | str]) -> list[tuple[Any, ...]] | None:
        transformer = Transformer(session)
        if self._dumped is None:
            self._dumped = self._dump(transformer, values)
        constants, formats, types = self._dumped
        params = constants.copy()
        for place, name in self._places.items():
            params[place] = _text_of(values[name])
        own_name = self._names.get(session)
        if own_name is None:
            own_name = b"gatehub_%d" % next(_numbers)
            if session.pgconn.prepare(own_name, self._sql, types).status != ExecStatus.COMMAND_OK:
                return None
            self._names[session] = own_name
        result = session.pgconn.exec_prepared(own_name, params, formats)
        if result.status != ExecStatus.TUPLES_OK:
            # It was made before a table was changed, or psycopg has let all go, as it does after a rollback.
            self._names.pop(session, None)
            return None
        transformer.set_pgresult(result)
        return transformer.load_rows(0, result.ntuples, tuple)

    def _dump(self, transformer: Any, values: Mapping[str, int | str]) -> _Dumped:
        """The constants, formats and types of all, with nothing of the values but their kinds."""
        stand_ins: dict[int, Any] = {
            place: Int8(0) if isinstance(values[name], int) else "" for place, name in self._places.items()
        }
        params = [stand_ins.get(place, constant) for place, constant in enumerate(self._constants)]
        dumped = list(transformer.dump_sequence(params, [PyFormat.AUTO] * len(params)))
        formats = [
            Format.TEXT if place in stand_ins else usual for place, usual in enumerate(transformer.formats or ())
        ]
        return dumped, formats, transformer.types or ()


class _Unfit(Exception):
    """A value that libpq would not take, or not whole."""


def _text_of(value: int | str) -> bytes:
    if isinstance(value, int):
        return b"%d" % value
    text = value.encode()
    if b"\0" in text:  # Where libpq's texts end.
        raise _Unfit
    return text


@contextmanager
def _session(connection: Any) -> Iterator[psycopg.Connection[Any]]:
    """The thread's; where it has none yet, one that the pool lends."""
    pool = None if connection.connection is not None else connection.pool
    if pool is None:
        connection.ensure_connection()
        yield connection.connection
        return
    with _few_of(pool).lent(connection.wrap_database_errors) as session:
        yield session


KEPT = 2
"""So few sessions ask for all threads of a process.  With sixteen PostgreSQL takes three times as long for an answer:
it goes from one to the next, and none finds in the processor's caches what it needs."""
PATIENCE = 0.05
"""So many seconds a thread waits for one of them.  Where answers take long, one more is asked."""
KEPT_SECONDS = 60.0
"""Then it goes back to the pool, which sees to it that no session gets old."""


class _Kept(NamedTuple):
    session: psycopg.Connection[Any]
    until: float


class _Few:
    """The sessions of a pool that are kept from one question to the next."""

    def __init__(self, pool: Any) -> None:
        self.pool = pool
        self._places: SimpleQueue[_Kept | None] = SimpleQueue()
        self._number = min(KEPT, pool.max_size // 4)  # A small pool has none to spare.
        for _ in range(self._number):
            self._places.put(None)

    @contextmanager
    def lent(self, as_errors_of_django: Any) -> Iterator[psycopg.Connection[Any]]:
        try:
            kept = self._places.get(timeout=PATIENCE if self._number else 0)
        except Empty:
            session = self._of_the_pool(as_errors_of_django)
            try:
                yield session
            finally:
                self.pool.putconn(session)
            return
        try:
            if kept is None:
                kept = _Kept(self._of_the_pool(as_errors_of_django), monotonic() + KEPT_SECONDS)
            yield kept.session
        finally:
            if kept is not None and (kept.session.closed or monotonic() > kept.until):
                self.pool.putconn(kept.session)
                kept = None
            self._places.put(kept)

    def _of_the_pool(self, as_errors_of_django: Any) -> psycopg.Connection[Any]:
        with as_errors_of_django:  # Where the pool has none to lend, a cursor would wait for it in vain, too.
            if self.pool.closed:
                self.pool.open()
            return self.pool.getconn()  # type: ignore[no-any-return]

    def release(self) -> None:
        """Give back to the pool those that nobody uses at the moment."""
        for _ in range(self._number):
            with suppress(Empty):
                kept = self._places.get_nowait()
                if kept is not None:
                    self.pool.putconn(kept.session)
                self._places.put(None)


_few: _Few | None = None
_few_lock = Lock()


def _few_of(pool: Any) -> _Few:
    """Of this process, which has one pool at a time."""
    global _few
    few = _few
    if few is None or few.pool is not pool:
        with _few_lock:
            if _few is None or _few.pool is not pool:
                release()
                _few = _Few(pool)
            few = _few
    return few


def release() -> None:
    """Give back to the pool what is kept, before it is closed."""
    if _few is not None:
        _few.release()
