"""Sessions of PostgreSQL in the pool.

A pool looks at a session before it gives it out, and takes another one where the server has ended it.  But between one
and the next it waits for ever longer: after a restart of the database, a lone request would meet those that were left
from a busier minute one by one, and fail.  So the first that is found ended has the others renewed.
"""

from __future__ import annotations

from threading import Lock
from time import monotonic
from typing import Any

import psycopg
from django.db import connections

_renewed_at = 0.0
_lock = Lock()


class Session(psycopg.Connection[Any]):
    """As psycopg's."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._begun_at = monotonic()

    def execute(self, *args: Any, **kwargs: Any) -> psycopg.Cursor[Any]:
        """What the pool looks at a session by; Django asks by cursors of its own."""
        try:
            return super().execute(*args, **kwargs)
        except psycopg.OperationalError:
            if self.closed:
                _renew_pool(self._begun_at)
            raise


def _renew_pool(begun_at: float) -> None:
    """End those that wait in the pool, for new ones; unless that was done since a session has begun."""
    global _renewed_at
    with _lock:
        if begun_at <= _renewed_at:
            return
        _renewed_at = monotonic()
    database: Any = connections["default"]  # Of PostgreSQL, as this is.
    if database.pool is not None:
        database.pool.drain()
