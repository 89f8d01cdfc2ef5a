"""Sessions of the pool after the server has ended them all, as it does when it is restarted."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from time import monotonic

import pytest
from django.db import connection
from psycopg import Connection, DataError, OperationalError
from psycopg_pool import ConnectionPool

from accounts import lent
from accounts.pooled import Session

pytestmark = [pytest.mark.postgresql, pytest.mark.django_db(transaction=True)]
MANY = 8


@pytest.fixture
def pool() -> ConnectionPool:
    connection.close()
    lent.release()
    pool = connection.pool
    assert pool.connection_class is Session
    sessions = [pool.getconn() for _ in range(MANY)]
    for session in sessions:
        pool.putconn(session)
    return pool


def end_all(pool: ConnectionPool) -> None:
    with Connection.connect(**pool.kwargs) as own:
        own.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE pid <> pg_backend_pid() AND datname = current_database()"
        )


def answer(pool: ConnectionPool) -> int:
    with pool.connection() as session:
        return session.execute("SELECT 7").fetchone()[0]


def test_a_lone_request_does_not_meet_them_one_by_one(pool):
    for _ in range(2):
        end_all(pool)
        begun = monotonic()
        assert answer(pool) == 7
        assert monotonic() - begun < 10  # One by one it is 20, and an error.


def test_all_who_ask_at_once_get_an_answer(pool):
    end_all(pool)
    with ThreadPoolExecutor(2 * MANY) as threads:
        assert list(threads.map(lambda _: answer(pool), range(4 * MANY))) == [7] * 4 * MANY


@pytest.fixture
def drains(pool, monkeypatch) -> list[None]:
    drained: list[None] = []
    drain = pool.drain
    monkeypatch.setattr(pool, "drain", lambda: drained.append(drain()))
    return drained


def test_an_error_of_a_statement_renews_nothing(pool, drains):
    with pool.connection() as session:
        with pytest.raises(DataError):
            session.execute("SELECT 1 / 0")
        with pytest.raises(OperationalError, match="canceling statement"):
            session.execute("SET statement_timeout = 1; SELECT pg_sleep(1)")
        session.execute("RESET statement_timeout")
    assert drains == []


def test_one_that_was_there_before_the_others_were_renewed_renews_nothing_more(pool, drains):
    early = pool.getconn()
    end_all(pool)
    assert answer(pool) == 7
    assert len(drains) == 1
    with pytest.raises(OperationalError):
        early.execute("SELECT 7")
    pool.putconn(early)
    assert len(drains) == 1
