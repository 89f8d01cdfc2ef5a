"""Statements that libpq is asked for at once, and the sessions lent to them, held against a cursor's; on PostgreSQL."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, nullcontext
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from django.db import OperationalError, connection, connections, transaction
from django.test.utils import CaptureQueriesContext
from psycopg_pool import PoolTimeout

from accounts import lent
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


def out_of_the_pool() -> int:
    stats = connection.pool.get_stats()
    return stats["pool_size"] - stats["pool_available"]


def test_a_session_of_the_pool_is_kept_for_the_next_question_until_its_time_is_over(statement, monkeypatch):
    connection.close()
    for _ in range(5):
        assert statement.rows(connection, {"name": "noé"})
        assert connection.connection is None
        assert 1 <= out_of_the_pool() <= lent.KEPT
    assert Statement("SELECT 1 / length(%s)", ["x"], {0: "name"}).rows(connection, {"name": ""}) is None
    assert statement.rows(connection, {"name": "noé"})
    lent.release()
    assert out_of_the_pool() == 0
    monkeypatch.setattr(lent, "KEPT_SECONDS", -1)
    assert statement.rows(connection, {"name": "noé"})
    assert out_of_the_pool() == 0


def test_however_many_ask_few_sessions_answer(statement):
    connection.close()
    usual, used = Statement._asked, set[int]()

    def asked(self, session, values):
        used.add(id(session))
        return usual(self, session, values)

    def ask(number):
        try:
            return [statement.rows(connections["default"], {"name": "noé"}) for _ in range(number)]
        finally:
            connections["default"].close()

    with pytest.MonkeyPatch.context() as patch, ThreadPoolExecutor(12) as threads:
        patch.setattr(Statement, "_asked", asked)
        patch.setattr(lent, "PATIENCE", 60)
        answers = list(threads.map(ask, [50] * 12))
    assert answers == [[by_cursor("noé")] * 50] * 12
    assert 1 <= len(used) <= lent.KEPT


def test_where_all_of_the_few_are_busy_one_more_is_asked(statement, monkeypatch):
    connection.close()
    monkeypatch.setattr(lent, "PATIENCE", 0.01)
    few = lent._few_of(connection.pool)
    with ExitStack() as busy:
        for _ in range(lent.KEPT):
            busy.enter_context(few.lent(nullcontext()))
        assert statement.rows(connection, {"name": "noé"})
        assert out_of_the_pool() == lent.KEPT
    assert statement.rows(connection, {"name": "noé"})


def test_a_small_pool_has_none_to_spare():
    pool = SimpleNamespace(
        max_size=3, closed=False, getconn=lambda: "a session", putconn=lambda session: back.append(session)
    )
    back: list[str] = []
    few = lent._Few(pool)
    for number in (1, 2):
        with few.lent(nullcontext()) as session:
            assert session == "a session"
        assert back == ["a session"] * number
    few.release()
    assert len(back) == 2


def test_a_session_that_has_died_is_nobodys_answer(statement):
    connection.close()
    assert statement.rows(connection, {"name": "noé"})
    with lent._few_of(connection.pool).lent(nullcontext()) as session:
        session.pgconn.finish()
    for _ in range(2 * lent.KEPT):
        found = statement.rows(connection, {"name": "noé"})
        assert found is None or found == by_cursor("noé")
        connection.close()
    assert statement.rows(connection, {"name": "noé"})


def test_a_session_that_the_server_has_ended_is_nobodys_answer(statement):
    connection.close()
    assert statement.rows(connection, {"name": "noé"})
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE pid <> pg_backend_pid() AND datname = current_database()"
        )
    connection.close()
    answers = [statement.rows(connection, {"name": "noé"}) for _ in range(2 * lent.KEPT)]
    assert None in answers
    assert answers[-1] == by_cursor("noé")


@pytest.mark.parametrize("number", [0, -1, 7, 2**31, 2**62, -(2**40)])
def test_whole_numbers_are_taken_as_they_are(number):
    of_number = Statement(
        "SELECT id, username FROM accounts_user WHERE id > %s AND id <> %s", [5, 5], {0: "key", 1: "key"}
    )
    found = of_number.rows(connection, {"key": number})
    assert found == list(User.objects.filter(pk__gt=number).values_list("pk", "username"))


def test_where_the_pool_has_none_to_lend_that_is_the_error_of_a_cursor(statement, monkeypatch):
    def getconn() -> None:
        raise PoolTimeout("none left")

    connection.close()
    lent.release()
    monkeypatch.setattr(connection.pool, "getconn", getconn)
    with pytest.raises(OperationalError, match="none left"):
        statement.rows(connection, {"name": "noé"})
    with pytest.raises(OperationalError, match="none left"):
        by_cursor("noé")
