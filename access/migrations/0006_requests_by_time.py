"""An index of a repo's requests by time, whatever their status: the order of the report.

Made while others read and write, so this migration is no transaction; broken off, it can be run again.
"""

from __future__ import annotations

from typing import Any

from django.db import migrations, models

INDEX = models.Index(fields=["repo", "requested_at", "id"], name="access_request_by_time")


def forwards(apps: Any, schema_editor: Any) -> None:
    model = apps.get_model("access", "AccessRequest")
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {INDEX.name}")  # What a broken attempt left.
        schema_editor.add_index(model, INDEX, concurrently=True)
    else:
        schema_editor.add_index(model, INDEX)


def backwards(apps: Any, schema_editor: Any) -> None:
    model = apps.get_model("access", "AccessRequest")
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.remove_index(model, INDEX, concurrently=True)
    else:
        schema_editor.remove_index(model, INDEX)


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("access", "0005_find_requests")]
    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunPython(forwards, backwards)],
            state_operations=[migrations.AddIndex("accessrequest", INDEX)],
        )
    ]
