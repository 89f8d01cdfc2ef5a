"""Sessions, held against Django's own store on the same table."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.sessions.backends import db
from django.contrib.sessions.models import Session
from django.http.cookie import parse_cookie
from django.utils import timezone

from accounts.sessions import SessionStore

both = pytest.mark.parametrize("database", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
pytestmark = pytest.mark.django_db


def begun(store) -> str:
    session = store()
    session["cart"] = "three weights"
    session.create()
    return session.session_key


@both
@pytest.mark.parametrize(("writer", "reader"), [(db.SessionStore, SessionStore), (SessionStore, db.SessionStore)])
def test_each_reads_what_the_other_wrote(database, writer, reader):
    key = begun(writer)
    found = reader(key)
    assert found["cart"] == "three weights"
    assert found.session_key == key


@both
@pytest.mark.parametrize("store", [db.SessionStore, SessionStore])
def test_one_that_has_ended_is_empty_and_gets_another_key(database, store):
    key = begun(store)
    Session.objects.filter(pk=key).update(expire_date=timezone.now() - timedelta(microseconds=1))
    session = store(key)
    assert dict(session.items()) == {}
    assert session.session_key is None
    session["cart"] = "another"
    session.save()
    assert session.session_key not in (None, key)


@both
@pytest.mark.parametrize("store", [db.SessionStore, SessionStore])
@pytest.mark.parametrize("key", ["0" * 32, "x' OR '1'='1", "%", "a" * 5000])
def test_one_that_never_was_is_empty_and_has_no_key(database, store, key):
    begun(store)
    session = store(key)
    assert dict(session.items()) == {}
    assert session.session_key is None


@both
def test_a_cookie_that_no_database_can_be_asked_for_is_a_strangers(database, client):
    client.cookies["gatehub_session"] = "0" * 20 + "\0"
    assert "\0" in parse_cookie(client.cookies.output(header="", sep="; "))["gatehub_session"]
    assert client.get("/settings/profile").status_code == 302


@pytest.mark.parametrize("store", [db.SessionStore, SessionStore])
def test_one_whose_signature_is_wrong_is_empty(store):
    key = begun(store)
    Session.objects.filter(pk=key).update(session_data="eyJhIjoxfQ:forged:signature")
    assert dict(store(key).items()) == {}


def test_one_that_was_ended_is_gone_at_once():
    key = begun(SessionStore)
    assert SessionStore(key)["cart"] == "three weights"
    SessionStore(key).delete()
    assert dict(SessionStore(key).items()) == {}


def test_a_session_costs_one_query(django_assert_num_queries):
    key = begun(SessionStore)
    with django_assert_num_queries(1):
        assert SessionStore(key).get("cart") == "three weights"


def test_the_product_uses_it(settings, client, sam):
    client.force_login(sam)
    assert settings.SESSION_ENGINE == "accounts.sessions"
    assert isinstance(client.session, SessionStore)
