"""Statements that libpq is asked for at once, on PostgreSQL alone, held against a cursor's."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.db import OperationalError, connection, transaction
from django.test.utils import CaptureQueriesContext
from psycopg_pool import PoolTimeout

from accounts.models import User
from accounts.prepared import Statement

pytestmark = [pytest.mark.postgresql, pytest.mark.django_db(transaction=True)]
AT = datetime(2026, 11, 27, 3, 4, 5, 678901, tzinfo=UTC)
SQL = """SELECT id, username, is_active, date_joined, %s AS rate, username LIKE '%%e%%' AS has_e, %s AS number
    FROM accounts_user WHERE username = %s AND (is_active OR username = %s) AND id > %s"""
CONSTANTS = ["100 %s", 2**40, "", "closed", -1]


@pytest.fixture(autouse=True)
def people():
    User.objects.create(username="noé", email="noe@example.org", date_joined=AT)
    User.objects.create(username="closed", email="closed@example.org", is_active=False)


@pytest.fixture
def statement() -> Statement:
    return Statement(SQL, CONSTANTS, {2: "name"})


def by_cursor(name: str) -> list[tuple]:
    with connection.cursor() as cursor:
        cursor.execute(SQL, [name if place == 2 else value for place, value in enumerate(CONSTANTS)])
        return cursor.fetchall()


@pytest.mark.parametrize("name", ["noé", "closed", "nobody", "", "'; DROP TABLE x; --", "%s", "\\", "x" * 10_000])
def test_rows_are_those_of_a_cursor(statement, name):
    assert statement.rows(connection, {"name": name}) == by_cursor(name)
    assert statement.rows(connection, {"name": name}) == by_cursor(name)


def test_a_row_has_values_as_a_model_has_them(statement):
    ((key, *rest),) = statement.rows(connection, {"name": "noé"})
    assert User.objects.get(pk=key).username == "noé"
    assert rest == ["noé", True, AT, "100 %s", False, 2**40]


@pytest.mark.parametrize("name", ["noé\0", "noé\0closed", "\ud800"])
def test_a_text_that_libpq_would_cut_off_or_not_take_is_left_to_the_cursor(statement, name):
    assert statement.rows(connection, {"name": "noé"})
    assert statement.rows(connection, {"name": name}) is None


def test_what_was_prepared_and_is_gone_is_prepared_anew(statement):
    connection.ensure_connection()
    assert statement.rows(connection, {"name": "noé"})
    with connection.cursor() as cursor:
        cursor.execute("DEALLOCATE ALL")
    assert statement.rows(connection, {"name": "noé"}) is None
    assert statement.rows(connection, {"name": "noé"}) == by_cursor("noé")


def test_a_table_that_has_changed_since_is_asked_anew(statement):
    connection.ensure_connection()
    assert statement.rows(connection, {"name": "noé"})
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE accounts_user ALTER is_active TYPE text")  # No row has the type of before.
    try:
        assert statement.rows(connection, {"name": "noé"}) is None
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE accounts_user ALTER is_active TYPE boolean USING is_active::boolean")
    statement.rows(connection, {"name": "noé"})
    assert statement.rows(connection, {"name": "noé"}) == by_cursor("noé")


def test_a_failure_is_left_to_the_cursor():
    wrong = Statement("SELECT 1 / (length(%s) - 3)", [""], {0: "name"})
    assert wrong.rows(connection, {"name": "noé"}) is None
    assert wrong.rows(connection, {"name": "noée"}) == [(1,)]


def test_behind_poolers_that_know_no_prepared_statements_nothing_is_prepared(statement, monkeypatch):
    connection.ensure_connection()
    monkeypatch.setattr(connection.connection, "prepare_threshold", None)
    assert statement.rows(connection, {"name": "noé"}) is None


def test_in_a_transaction_it_is_left_to_the_cursor_and_nothing_is_broken(statement):
    with transaction.atomic():
        User.objects.create(username="new", email="new@example.org")
        assert statement.rows(connection, {"name": "new"}) is None
        assert Statement("SELECT 1 / 0", [], {}).rows(connection, {}) is None
        assert len(by_cursor("new")) == 1
    assert len(statement.rows(connection, {"name": "new"})) == 1


def test_what_psycopg_has_let_go_after_a_rollback_is_prepared_anew(statement):
    connection.ensure_connection()
    assert statement.rows(connection, {"name": "noé"})
    for _ in range(10):  # So that it has prepared some of its own.
        User.objects.filter(username="noé").exists()
    with transaction.atomic():
        User.objects.filter(username="noé").exists()
        transaction.set_rollback(True)
    statement.rows(connection, {"name": "noé"})
    assert statement.rows(connection, {"name": "noé"}) == by_cursor("noé")


def test_queries_that_somebody_wants_to_see_are_left_to_the_cursor(statement):
    with CaptureQueriesContext(connection):
        assert statement.rows(connection, {"name": "noé"}) is None


def test_a_session_of_the_pool_is_lent_and_given_back(statement):
    pool = connection.pool
    assert pool is not None
    connection.close()
    assert statement.rows(connection, {"name": "noé"})
    assert connection.connection is None
    stats = pool.get_stats()
    assert stats["pool_available"] == stats["pool_size"]
    assert Statement("SELECT 1 / length(%s)", ["x"], {0: "name"}).rows(connection, {"name": ""}) is None
    stats = pool.get_stats()
    assert stats["pool_available"] == stats["pool_size"]
    assert statement.rows(connection, {"name": "noé"})


def test_a_session_that_has_died_is_nobodys_answer(statement):
    connection.close()
    assert statement.rows(connection, {"name": "noé"})
    session = connection.pool.getconn()
    session.pgconn.finish()
    connection.pool.putconn(session)
    assert statement.rows(connection, {"name": "noé"}) == by_cursor("noé")


def test_where_the_pool_has_none_to_lend_that_is_the_error_of_a_cursor(statement, monkeypatch):
    def getconn() -> None:
        raise PoolTimeout("none left")

    connection.close()
    monkeypatch.setattr(connection.pool, "getconn", getconn)
    with pytest.raises(OperationalError, match="none left"):
        statement.rows(connection, {"name": "noé"})
    with pytest.raises(OperationalError, match="none left"):
        by_cursor("noé")
