"""The order in which staff read what was decided about the requests of one form version.

The index is made while others read and write, so this migration is no transaction; broken off, it can be run again.
"""

from __future__ import annotations

from typing import Any

from django.db import migrations, models

INDEX = models.Index(fields=["form", "status", "reviewed_at", "id"], name="access_request_of_form_decided")


def add(apps: Any, schema_editor: Any) -> None:
    model = apps.get_model("access", "AccessRequest")
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {INDEX.name}")  # What a broken attempt left.
        schema_editor.add_index(model, INDEX, concurrently=True)
    else:
        schema_editor.add_index(model, INDEX)


def remove(apps: Any, schema_editor: Any) -> None:
    model = apps.get_model("access", "AccessRequest")
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.remove_index(model, INDEX, concurrently=True)
    else:
        schema_editor.remove_index(model, INDEX)


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("access", "0009_staff_review")]
    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunPython(add, remove)],
            state_operations=[migrations.AddIndex("accessrequest", INDEX)],
        ),
    ]
