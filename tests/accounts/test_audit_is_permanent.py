"""Every way in which a maintainer might change, delete or replace a row of the audit trail fails, on both databases."""

from __future__ import annotations

import io
import json
import re

import pytest
from asgiref.sync import async_to_sync
from django.core import serializers
from django.core.management import CommandError, call_command
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.db.models import F
from django.db.models.deletion import Collector
from django.db.models.sql import DeleteQuery, UpdateQuery
from django.urls import reverse

from accounts import services, triggers
from accounts.actor import SYSTEM, Actor
from accounts.models import AuditAddress, AuditEvent, AuditEventIsPermanent
from tests.support.cast import PASSWORD
from tests.support.server import ROOT


@pytest.fixture
def event(ada):
    AuditEvent.record(by=Actor(user=ada, address="192.0.2.8"), verb="thing:do", target="other")
    return AuditEvent.record(by=Actor(user=ada, address="192.0.2.7"), verb="thing:do", target="it")


def _sql(statement):
    def run(event):
        with connection.cursor() as cursor:
            if connection.vendor == "postgresql":  # Checks that wait would refuse to be truncated away.
                cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute(statement.format(pk=event.pk))

    return run


def _copy_of(event, **changes):
    values = {field.attname: getattr(event, field.attname) for field in AuditEvent._meta.concrete_fields}
    return AuditEvent(**(values | changes))


def _save_as_if_read(event):
    copy = _copy_of(event, verb="other")
    copy._state.adding = False
    copy.save_base(force_update=True)


def _deleted_by_a_collector(event):
    collector = Collector(using="default")
    collector.collect([event])
    collector.delete()


def _updated_by_a_query(event):
    query = UpdateQuery(AuditEvent)
    query.add_update_values({"verb": "other"})
    query.get_compiler("default").execute_sql(None)


def _loaddata(event, path):
    rows = json.loads(serializers.serialize("json", [event]))
    rows[0]["fields"]["verb"] = "other"
    path.write_text(json.dumps(rows))
    call_command("loaddata", str(path), verbosity=0)


IN_THE_ORM = {
    "save": lambda event: event.save(),
    "save of some columns": lambda event: event.save(update_fields=["verb"]),
    "save by force": lambda event: event.save(force_update=True),
    "save of a copy with the same key": lambda event: _copy_of(event, verb="other").save(),
    "save beneath save": _save_as_if_read,
    "async save": lambda event: async_to_sync(event.asave)(),
    "delete": lambda event: event.delete(),
    "async delete": lambda event: async_to_sync(event.adelete)(),
    "update": lambda event: AuditEvent.objects.update(verb="other"),
    "update of the time": lambda event: AuditEvent.objects.filter(pk=event.pk).update(at=F("at")),
    "async update": lambda event: async_to_sync(AuditEvent.objects.all().aupdate)(verb="other"),
    "bulk_update": lambda event: AuditEvent.objects.bulk_update([event], ["verb"]),
    "async bulk_update": lambda event: async_to_sync(AuditEvent.objects.all().abulk_update)([event], ["verb"]),
    "update_or_create": lambda event: AuditEvent.objects.update_or_create(pk=event.pk, defaults={"verb": "other"}),
    "bulk_create over it": lambda event: AuditEvent.objects.bulk_create(
        [_copy_of(event, verb="other")], update_conflicts=True, unique_fields=["id"], update_fields=["verb"]
    ),
    "bulk_create beside it": lambda event: AuditEvent.objects.bulk_create(
        [_copy_of(event, verb="other")], ignore_conflicts=True
    ),
    "bulk_create by place": lambda event: AuditEvent.objects.bulk_create(
        [_copy_of(event, verb="other")], None, False, True, ["verb"], ["id"]
    ),
    "bulk_create with the same key": lambda event: AuditEvent.objects.bulk_create([_copy_of(event, verb="other")]),
    "delete of many": lambda event: AuditEvent.objects.filter(pk=event.pk).delete(),
    "async delete of many": lambda event: async_to_sync(AuditEvent.objects.all().adelete)(),
    "raw delete": lambda event: AuditEvent.objects.all()._raw_delete("default"),
    "the base manager's delete": lambda event: AuditEvent._base_manager.all().delete(),
    "the base manager's update": lambda event: AuditEvent._base_manager.update(verb="other"),
    "the default manager's raw delete": lambda event: AuditEvent._default_manager.all()._raw_delete("default"),
    "a collector": _deleted_by_a_collector,
    "a query for deletions": lambda event: DeleteQuery(AuditEvent).delete_batch([event.pk], "default"),
    "a query for updates": _updated_by_a_query,
    "select for update, then save": lambda event: AuditEvent.objects.select_for_update().get(pk=event.pk).save(),
    "the address's save": lambda event: event.kept_address.save(),
    "the address's update": lambda event: AuditAddress.objects.update(address="192.0.2.9"),
    "the address's update of many": lambda event: AuditAddress.objects.bulk_update([event.kept_address], ["address"]),
    "the address, given to another": lambda event: AuditAddress(
        event_id=event.pk, at=event.at, address="192.0.2.9"
    ).save(),
}
IN_THE_DATABASE = {
    "UPDATE": "UPDATE accounts_auditevent SET verb = 'other'",
    "UPDATE of one row": "UPDATE accounts_auditevent SET verb = 'other' WHERE id = {pk}",
    "UPDATE of the time": "UPDATE accounts_auditevent SET at = '2020-01-01 00:00:00+00'",
    "UPDATE that changes nothing": "UPDATE accounts_auditevent SET verb = verb",
    "UPDATE of the key": "UPDATE accounts_auditevent SET id = id + 1000000",
    "DELETE": "DELETE FROM accounts_auditevent",
    "DELETE of one row": "DELETE FROM accounts_auditevent WHERE id = {pk}",
    "DELETE by a common table": "WITH old AS (SELECT id FROM accounts_auditevent) "
    "DELETE FROM accounts_auditevent WHERE id IN (SELECT id FROM old)",
    "upsert": "INSERT INTO accounts_auditevent (id, at, verb, target, actor, entrance, token_name) "
    "VALUES ({pk}, '2020-01-01 00:00:00+00', 'other', '', '', 'page', '') "
    "ON CONFLICT (id) DO UPDATE SET verb = excluded.verb",
    "UPDATE of an address": "UPDATE accounts_auditaddress SET address = '192.0.2.9'",
    "DELETE with its address": "DELETE FROM accounts_auditaddress; DELETE FROM accounts_auditevent",
}
ON_POSTGRESQL = {
    "TRUNCATE": "TRUNCATE accounts_auditevent",
    "TRUNCATE with what refers to it": "TRUNCATE accounts_auditevent CASCADE",
    "TRUNCATE of both": "TRUNCATE accounts_auditaddress, accounts_auditevent",
    "TRUNCATE, counting anew": "TRUNCATE accounts_auditevent RESTART IDENTITY CASCADE",
    "as a replica": "SET session_replication_role = replica; DELETE FROM accounts_auditevent",
    "UPDATE as a replica": "SET session_replication_role = replica; UPDATE accounts_auditevent SET verb = 'other'",
    "TRUNCATE as a replica": "SET session_replication_role = replica; TRUNCATE accounts_auditevent CASCADE",
    "UPDATE FROM": "UPDATE accounts_auditevent AS e SET verb = 'other' "
    "FROM accounts_user AS u WHERE u.username = e.actor",
    "MERGE": "MERGE INTO accounts_auditevent AS e USING accounts_user AS u ON u.username = e.actor "
    "WHEN MATCHED THEN UPDATE SET verb = 'other'",
    "in a block of code": "DO $$ BEGIN DELETE FROM accounts_auditevent; END $$",
    "by a cursor": "DECLARE c CURSOR FOR SELECT * FROM accounts_auditevent FOR UPDATE; FETCH c; "
    "DELETE FROM accounts_auditevent WHERE CURRENT OF c",
    "from a view": "CREATE TEMP VIEW v AS SELECT * FROM accounts_auditevent; DELETE FROM v",
}
ON_SQLITE = {
    "REPLACE": "REPLACE INTO accounts_auditevent (id, at, verb, target, actor, entrance, token_name) "
    "VALUES ({pk}, '2020-01-01', 'other', '', '', 'page', '')",
    "INSERT OR REPLACE": "INSERT OR REPLACE INTO accounts_auditevent "
    "(id, at, verb, target, actor, entrance, token_name) VALUES ({pk}, '2020-01-01', 'other', '', '', 'page', '')",
    "UPDATE OR REPLACE": "UPDATE OR REPLACE accounts_auditevent SET id = {pk}",
    "REPLACE of an address": "REPLACE INTO accounts_auditaddress (event_id, at, address) "
    "VALUES ({pk}, '2020-01-01', '192.0.2.9')",
}
_RAW = IN_THE_DATABASE | (ON_POSTGRESQL if connection.vendor == "postgresql" else ON_SQLITE)
WAYS = IN_THE_ORM | {f"SQL: {name}": _sql(statement) for name, statement in _RAW.items()}
if connection.vendor == "sqlite":  # Whose driver takes one statement at a time.
    WAYS["SQL: DELETE with its address"] = lambda event: [
        _sql(s)(event) for s in _RAW["DELETE with its address"].split(";")
    ]


def _kept():
    return list(AuditEvent.objects.order_by("pk").values()), list(AuditAddress.objects.order_by("pk").values())


@pytest.mark.parametrize("change", WAYS.values(), ids=WAYS.keys())
def test_no_way_leads_to_another_row_or_one_less(change, event):
    before = _kept()
    event.verb = "other"
    refusals = (AuditEventIsPermanent, DatabaseError)
    with pytest.raises(refusals) as caught, transaction.atomic():
        change(event)
    ours = re.search("only ever inserted|never changed|foreign key", str(caught.value))
    assert ours or isinstance(caught.value, AuditEventIsPermanent | IntegrityError)
    assert _kept() == before


def test_fixtures_do_not_replace_a_row(event, tmp_path):
    before = _kept()
    with pytest.raises((AuditEventIsPermanent, DatabaseError)), transaction.atomic():
        _loaddata(event, tmp_path / "rows.json")
    assert _kept() == before


def test_flush_is_refused_and_empties_nothing(event):
    before = _kept()
    with pytest.raises(CommandError), transaction.atomic():
        call_command("flush", interactive=False, verbosity=0, stdout=io.StringIO(), stderr=io.StringIO())
    assert _kept() == before


def test_what_is_deleted_with_a_person_is_not_the_trail(event, ada):
    before = _kept()
    ada.delete()
    assert _kept() == before


@pytest.mark.parametrize("what", ["add", "change", "delete", "delete_selected"])
def test_the_admin_refuses_everybody(what, event, browser):
    stef = services.create_user(
        username="stef", email="stef@example.org", password=PASSWORD, is_superuser=True, by=SYSTEM
    )
    client, before = browser(stef), _kept()
    form = {"verb": "other", "target": "it", "post": "yes", "entrance": "page", "at_0": "2020-01-01", "at_1": "00:00"}
    if what == "delete_selected":
        data = {"action": "delete_selected", "_selected_action": [event.pk], "post": "yes"}
        answer = client.post(reverse("admin:accounts_auditevent_changelist"), data)
        assert answer.status_code in (302, 403, 200)
    else:
        answer = client.post(reverse(f"admin:accounts_auditevent_{what}", args=[event.pk][: what != "add"]), form)
        assert answer.status_code == 403
    events, addresses = _kept()
    assert [row for row in events if row["verb"] == "thing:do"] == [
        row for row in before[0] if row["verb"] == "thing:do"
    ]
    assert addresses[: len(before[1])] == before[1]


def test_migrations_leave_the_triggers_behind(db):
    assert triggers.is_installed(connection)


@pytest.mark.django_db(transaction=True)
def test_lost_triggers_are_made_again_at_the_end_of_a_migration():
    triggers.remove(connection)
    assert not triggers.is_installed(connection)
    call_command("migrate", "accounts", "0004", verbosity=0)
    call_command("migrate", verbosity=0)
    assert triggers.is_installed(connection)


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_a_trigger_that_is_switched_off_is_noticed():
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE accounts_auditevent DISABLE TRIGGER accounts_auditevent_is_kept")
        assert not triggers.is_installed(connection)
    triggers.install(connection)
    assert triggers.is_installed(connection)


@pytest.mark.postgresql
def test_a_role_as_the_operators_guide_has_it_writes_the_trail_and_cannot_open_it(db, event):
    """The statements of docs/operators.md.  Roles belong to the cluster; that of the test goes with its transaction."""
    guide = (ROOT / "docs/operators.md").read_text()
    grants = guide.split("let the server use a role that may not:")[1].split("```")[1].removeprefix("sql")
    before = _kept()
    with connection.cursor() as cursor:
        cursor.execute("CREATE ROLE gatehub_server")
        cursor.execute(grants)
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; SET ROLE gatehub_server")
        for statement in (
            "UPDATE accounts_auditevent SET verb = 'other'",
            "DELETE FROM accounts_auditevent",
            "TRUNCATE accounts_auditevent CASCADE",
            "UPDATE accounts_auditaddress SET address = '192.0.2.9'",
            "ALTER TABLE accounts_auditevent DISABLE TRIGGER ALL",
            "DROP TRIGGER accounts_auditevent_is_permanent ON accounts_auditevent",
            "DROP TABLE accounts_auditevent CASCADE",
            "SET session_replication_role = replica",
        ):
            with pytest.raises(DatabaseError, match=r"permission denied|must be owner"), transaction.atomic():
                cursor.execute(statement)
        AuditEvent.record(by=Actor(address="192.0.2.7"), verb="thing:do", target="by the server's role")
        cursor.execute("DELETE FROM accounts_auditaddress WHERE event_id = %s", [event.pk])
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; RESET ROLE")
    assert _kept()[0][: len(before[0])] == before[0]


@pytest.mark.postgresql
def test_the_owner_removes_a_row_as_the_operators_guide_has_it(db, event):
    guide = (ROOT / "docs/operators.md").read_text()
    steps = guide.split("### If a row must go")[1].split("```")[1].removeprefix("sql")
    steps = steps.replace("BEGIN;", "").replace("COMMIT;", "").replace("4711", str(event.pk))
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(steps)
    assert not AuditEvent.objects.filter(pk=event.pk).exists()
    assert AuditEvent.objects.get(verb="audit:row_removed").target == f"audit event {event.pk}"
    assert triggers.is_installed(connection)
