"""The audit trail: what a row holds.  That rows are only ever inserted: see `test_audit_is_permanent`."""

from __future__ import annotations

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction

from access import tokens
from accounts import triggers
from accounts.actor import SYSTEM, Actor, Entrance
from accounts.models import AuditAddress, AuditEvent
from tests.support.cast import make_token


@pytest.fixture
def event(ada):
    return AuditEvent.record(by=Actor(user=ada), verb="thing:do", target="something")


def test_a_row_says_who_what_how_and_from_where(ada):
    token = tokens.authenticate(make_token(ada, name="ci"))
    by = Actor(user=ada, token=token, entrance=Entrance.API, address="192.0.2.7")
    event = AuditEvent.record(by=by, verb="thing:do", target="it", repo=7, before={"a": 1}, after="done")
    event.refresh_from_db()
    kept = (event.actor, event.actor_id_at_the_time, event.entrance, event.token_name, event.address, event.repo)
    assert kept == ("ada", ada.pk, "api", "ci", "192.0.2.7", 7)
    assert (event.before, event.after) == ({"a": 1}, "done")
    assert str(event) == "ada thing:do it: done"


def test_gatehub_itself_is_named_by_its_entrance(db):
    event = AuditEvent.record(by=SYSTEM, verb="thing:do", target="it")
    assert (event.actor, event.address, str(event)) == ("", None, "system thing:do it")


def test_what_is_too_long_is_cut_rather_than_lost(ada):
    event = AuditEvent.record(by=Actor(user=ada), verb="thing:do", target="x" * 5000)
    event.refresh_from_db()
    assert event.target == "x" * 300


def test_the_trail_outlives_whom_it_speaks_of(event, ada):
    key = ada.pk
    ada.delete()
    kept = AuditEvent.objects.get(pk=event.pk)
    assert (kept.actor, kept.actor_id_at_the_time) == ("ada", key)


BY = Actor(address="192.0.2.7")


def test_many_rows_are_written_with_their_addresses(db, django_assert_num_queries):
    events = [AuditEvent.of(by=BY, verb="thing:do", target=str(number)) for number in range(50)]
    events.append(AuditEvent.of(by=SYSTEM, verb="thing:do", target="without"))
    with django_assert_num_queries(2):
        AuditEvent.objects.bulk_create(events)
    assert AuditAddress.objects.filter(address="192.0.2.7").count() == 50
    assert events[0].address == "192.0.2.7"


def test_many_rows_in_batches_are_written_with_their_addresses(db):
    events = [AuditEvent.of(by=BY, verb="thing:do", target=str(number)) for number in range(50)]
    AuditEvent.objects.bulk_create(events, batch_size=20)
    assert AuditAddress.objects.filter(address="192.0.2.7").count() == 50


def test_a_list_with_addresses_takes_one_query(db, django_assert_num_queries):
    AuditEvent.objects.bulk_create([AuditEvent.of(by=by, verb="thing:do", target="it") for by in (BY, SYSTEM, BY)])
    with django_assert_num_queries(1):
        found = [event.address for event in AuditEvent.objects.with_addresses().order_by("pk")]
    assert found == ["192.0.2.7", None, "192.0.2.7"]


def test_an_address_may_be_forgotten_and_the_event_stays(db):
    event = AuditEvent.record(by=BY, verb="thing:do", target="it")
    AuditAddress.objects.all().delete()
    event.refresh_from_db()
    assert (event.address, event.target) == (None, "it")


@pytest.mark.postgresql
def test_an_address_that_cannot_be_written_takes_its_event_along(db):
    with pytest.raises(ValueError, match="nowhere"), transaction.atomic():
        AuditEvent.record(by=Actor(address="nowhere"), verb="thing:do", target="it")
    assert not AuditEvent.objects.exists()


def test_events_are_found_by_noun_and_by_parts_of_what_they_say(ada):
    token = tokens.authenticate(make_token(ada, name="ci"))
    AuditEvent.record(by=Actor(user=ada, token=token), verb="thing:do", target="lab/bert_100%")
    AuditEvent.record(by=SYSTEM, verb="things:do", target="lab/roberta")
    assert AuditEvent.objects.of_noun("thing").count() == 1
    assert not AuditEvent.objects.of_noun("thing:do").exists()
    for text, number in {"LAB/": 2, "ada": 2, "thing": 2, "bert_": 1, "100%": 1, "ci": 1, "_": 1, "nobody": 0}.items():
        found = AuditEvent.objects.filter(verb__contains="thing").containing(text).count()
        assert found == (1 if text == "ada" else number), text


@pytest.mark.django_db(transaction=True)
def test_the_migration_keeps_addresses_on_both_ways(ada):
    event = AuditEvent.record(by=Actor(user=ada, address="2001:db8::7"), verb="thing:do", target="it")
    try:
        call_command("migrate", "accounts", "0003", verbosity=0)
        with connection.cursor() as cursor:
            cursor.execute("SELECT address FROM accounts_auditevent WHERE id = %s", [event.pk])
            assert str(cursor.fetchone()[0]).startswith("2001:db8::7")
            if connection.vendor == "postgresql":
                with pytest.raises(DatabaseError, match="only ever inserted"), transaction.atomic():
                    cursor.execute("DELETE FROM accounts_auditevent")
    finally:
        call_command("migrate", verbosity=0)
    event.refresh_from_db()
    assert (event.address, event.kept_address.at) == ("2001:db8::7", event.at)
    assert triggers.is_installed(connection)
