"""Moments that PostgreSQL gives are read as Django's own reader reads them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.db import DataError, connection
from django.db.backends.postgresql.psycopg_any import BaseTzLoader
from psycopg.postgres import types
from psycopg.pq import Format

from accounts.models import User
from accounts.timestamps import TimestampLoader

pytestmark = [pytest.mark.postgresql, pytest.mark.django_db]
TIMESTAMPTZ = types["timestamptz"].oid


class DjangosLoader(BaseTzLoader):
    timezone = UTC


@pytest.mark.parametrize(
    "said",
    [
        "2026-11-27 11:30:21.123456+00",
        "2026-11-27 11:30:21+00",
        "2026-11-27 11:30:21.5+00",
        "2026-02-28 23:59:59.000001+00",
        "0001-01-01 00:00:00+00",
        "9999-12-31 23:59:59.999999+00",
    ],
)
def test_they_are_those_of_django(said):
    connection.ensure_connection()
    session = connection.connection
    assert session.adapters.get_loader(TIMESTAMPTZ, Format.TEXT) is TimestampLoader
    expected = DjangosLoader(TIMESTAMPTZ, session).load(said.encode())
    found = TimestampLoader(TIMESTAMPTZ, session).load(said.encode())
    assert (found, found.tzinfo) == (expected, UTC)
    with connection.cursor() as cursor:
        cursor.execute("SELECT %s::timestamptz", [said])
        assert cursor.fetchone() == (expected,)


@pytest.mark.parametrize("zone", ["Pacific/Auckland", "America/St_Johns", "Europe/Amsterdam"])
def test_the_zone_of_a_session_changes_no_moment(zone, sam):
    at = datetime(1883, 7, 1, 12, 30, 0, 7, tzinfo=UTC)
    User.objects.filter(pk=sam.pk).update(date_joined=at)
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('TimeZone', %s, true)", [zone])
        cursor.execute("SELECT date_joined FROM accounts_user WHERE id = %s", [sam.pk])
        ((found,),) = cursor.fetchall()
    assert (found, found.utcoffset()) == (at, timedelta(0))


@pytest.mark.parametrize("said", ["infinity", "-infinity", "0044-03-15 12:00:00+00 BC", "12026-01-01 00:00:00+00"])
def test_what_python_knows_no_moment_for_is_an_error(said):
    with connection.cursor() as cursor:
        cursor.execute("SELECT %s::timestamptz", [said])
        with pytest.raises(DataError):
            cursor.fetchall()
