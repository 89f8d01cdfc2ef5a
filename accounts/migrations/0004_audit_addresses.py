"""Addresses in a table of their own, so that they can be forgotten; the trail itself is never touched again.

Safe on a trail that is in use: the triggers that refuse changes are made last, and leave first on the way back.
"""

from __future__ import annotations

from typing import Any

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models

from accounts import triggers

_COPY = """
INSERT INTO accounts_auditaddress (event_id, at, address)
    SELECT id, at, address FROM accounts_auditevent WHERE address IS NOT NULL
"""
_COPY_BACK = """
UPDATE accounts_auditevent SET address = (SELECT address FROM accounts_auditaddress WHERE event_id = id)
    WHERE id IN (SELECT event_id FROM accounts_auditaddress)
"""
_AS_IN_MIGRATION_2 = """
CREATE TRIGGER accounts_auditevent_is_permanent BEFORE UPDATE OR DELETE ON accounts_auditevent
    FOR EACH ROW EXECUTE FUNCTION accounts_auditevent_is_permanent();
"""


def guard(apps: Any, schema_editor: Any) -> None:
    triggers.install(schema_editor.connection)


def open_up(apps: Any, schema_editor: Any) -> None:
    triggers.remove(schema_editor.connection)
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("DROP FUNCTION accounts_auditaddress_is_permanent()")


def guard_as_before(apps: Any, schema_editor: Any) -> None:
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(_AS_IN_MIGRATION_2)


class Migration(migrations.Migration):
    dependencies = [("accounts", "0003_find_people")]

    operations = [
        migrations.RunPython(migrations.RunPython.noop, guard_as_before),
        migrations.CreateModel(
            name="AuditAddress",
            fields=[
                (
                    "event",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        primary_key=True,
                        related_name="kept_address",
                        serialize=False,
                        to="accounts.auditevent",
                    ),
                ),
                ("at", models.DateTimeField(db_index=True, verbose_name="time of the event")),
                ("address", models.GenericIPAddressField(db_index=True)),
            ],
            options={"default_permissions": ["view"], "base_manager_name": "objects"},
        ),
        migrations.RunSQL(_COPY, _COPY_BACK),
        migrations.AlterModelOptions(
            name="auditevent",
            options={
                "base_manager_name": "objects",
                "default_permissions": ["view"],
                "ordering": ["-at", "-pk"],
                "permissions": [("export_auditevent", "Can export audit events")],
            },
        ),
        migrations.RemoveField(model_name="auditevent", name="address"),
        migrations.AlterField(
            model_name="auditevent", name="at", field=models.DateTimeField(default=django.utils.timezone.now)
        ),
        migrations.AlterField(
            model_name="auditevent", name="repo", field=models.BigIntegerField(null=True, verbose_name="repo key")
        ),
        migrations.AddIndex(model_name="auditevent", index=models.Index(fields=["at", "id"], name="audit_by_time")),
        migrations.AddIndex(
            model_name="auditevent", index=models.Index(fields=["repo", "at", "id"], name="audit_of_repo")
        ),
        migrations.AddIndex(
            model_name="auditevent", index=models.Index(fields=["entrance", "at", "id"], name="audit_by_entrance")
        ),
        migrations.RunPython(guard, open_up),
    ]
