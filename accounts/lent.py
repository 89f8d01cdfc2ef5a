"""The session in which a thread asks one question of PostgreSQL: its own, or one of the few that are lent to all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from queue import Empty, SimpleQueue
from threading import Lock
from time import monotonic
from typing import Any, NamedTuple

import psycopg

KEPT = 2
"""So few sessions ask for all threads of a process.  With sixteen PostgreSQL takes three times as long for an answer:
it goes from one to the next, and none finds in the processor's caches what it needs."""
PATIENCE = 0.05
"""So many seconds a thread waits for one of them.  Where answers take long, one more is asked."""
KEPT_SECONDS = 60.0
"""Then it goes back to the pool, which sees to it that no session gets old."""


@contextmanager
def session_of(connection: Any) -> Iterator[psycopg.Connection[Any]]:
    """The thread's; where it has none yet, one that the pool lends."""
    pool = None if connection.connection is not None else connection.pool
    if pool is None:
        connection.ensure_connection()
        yield connection.connection
        return
    with _few_of(pool).lent(connection.wrap_database_errors) as session:
        yield session


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
