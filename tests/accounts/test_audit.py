"""The audit trail: rows are only ever inserted."""

from __future__ import annotations

import pytest
from django.db import DatabaseError, connection, transaction

from access import tokens
from accounts.actor import SYSTEM, Actor, Entrance
from accounts.models import AuditEvent, AuditEventIsPermanent
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


@pytest.mark.parametrize(
    "change",
    [
        lambda event: event.save(),
        lambda event: event.delete(),
        lambda event: AuditEvent.objects.update(verb="other"),
        lambda event: AuditEvent.objects.filter(pk=event.pk).delete(),
        lambda event: AuditEvent.objects.bulk_update([event], ["verb"]),
        lambda event: AuditEvent._base_manager.all().delete(),
        lambda event: AuditEvent.objects.update_or_create(pk=event.pk, defaults={"verb": "other"}),
    ],
)
def test_the_model_refuses_every_change(change, event):
    event.verb = "other"
    with pytest.raises(AuditEventIsPermanent):
        change(event)
    assert AuditEvent.objects.get(pk=event.pk).verb == "thing:do"


@pytest.mark.postgresql
@pytest.mark.parametrize(
    "statement", ["UPDATE accounts_auditevent SET verb = 'other'", "DELETE FROM accounts_auditevent"]
)
def test_the_database_refuses_what_goes_around_the_model(statement, event):
    with pytest.raises(DatabaseError, match="only ever inserted"), transaction.atomic():
        connection.cursor().execute(statement)
    assert AuditEvent.objects.get(pk=event.pk).verb == "thing:do"
