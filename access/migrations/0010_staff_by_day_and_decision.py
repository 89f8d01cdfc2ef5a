"""What staff read quickly: decisions about the requests of one form version, and crowds far from the end of the order.

The index that finds requests knows the day of each and its block of days, whatever the repo (`access.spans`).  Both
indexes are made while others read and write, so this migration is no transaction; broken off, it can be run again.  The
one that is replaced goes when the new one is there.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from django.db import migrations, models

from accounts import trigrams

before = import_module("access.migrations.0008_find_requests_by_time")

DECIDED = models.Index(fields=["form", "status", "reviewed_at", "id"], name="access_request_of_form_decided")
FIND = f"""ON access_accessrequest USING gin (
    ({before.BY_TIME}), search_text gin_trgm_ops, answers jsonb_path_ops,
    (ARRAY[({before.DAY}), 4194304 + (({before.DAY}) >> 5)])
) WITH (gin_pending_list_limit = 1024)"""


def _replace(definition: str) -> Any:
    def on_postgresql(apps: Any, schema_editor: Any) -> None:
        if schema_editor.connection.vendor == "postgresql":
            trigrams.index(schema_editor, before.WHILE_MADE, definition)
            trigrams.drop(schema_editor, before.NAME)
            schema_editor.execute(f"ALTER INDEX {before.WHILE_MADE} RENAME TO {before.NAME}")

    return on_postgresql


def add(apps: Any, schema_editor: Any) -> None:
    model = apps.get_model("access", "AccessRequest")
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {DECIDED.name}")  # What a broken attempt left.
        schema_editor.add_index(model, DECIDED, concurrently=True)
    else:
        schema_editor.add_index(model, DECIDED)


def remove(apps: Any, schema_editor: Any) -> None:
    model = apps.get_model("access", "AccessRequest")
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.remove_index(model, DECIDED, concurrently=True)
    else:
        schema_editor.remove_index(model, DECIDED)


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("access", "0009_staff_review")]
    operations = [
        migrations.RunPython(_replace(FIND), _replace(before.FIND.format(keys=before.BY_TIME))),
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunPython(add, remove)],
            state_operations=[migrations.AddIndex("accessrequest", DECIDED)],
        ),
    ]
