"""The index that finds requests knows when they were sent, too: day and block of days (`access.spans`).

Made while others read and write, so this migration is no transaction; broken off, it can be run again.  The index that
it replaces goes when the new one is there.
"""

from __future__ import annotations

from typing import Any

from django.db import migrations

from accounts import trigrams

NAME, WHILE_MADE = "access_request_find", "access_request_find_new"

LIST = "(repo_id * 4 + CASE status WHEN 'pending' THEN 0 WHEN 'accepted' THEN 1 ELSE 2 END) << 23"
DAY = "(requested_at AT TIME ZONE 'UTC')::date - '0001-01-01'::date"
BY_TIME = f"ARRAY[({LIST}), ({LIST}) + ({DAY}), ({LIST}) + 4194304 + (({DAY}) >> 5)]"
BY_LIST = "ARRAY[repo_id::text || ' ' || status]"

# As in migration 5: up to 1 MiB of changes wait in front of the index.
FIND = """ON access_accessrequest USING gin (({keys}), search_text gin_trgm_ops, answers jsonb_path_ops)
WITH (gin_pending_list_limit = 1024)"""


def replace(definition: str) -> Any:
    def on_postgresql(apps: Any, schema_editor: Any) -> None:
        if schema_editor.connection.vendor == "postgresql":
            trigrams.index(schema_editor, WHILE_MADE, definition)
            trigrams.drop(schema_editor, NAME)
            schema_editor.execute(f"ALTER INDEX {WHILE_MADE} RENAME TO {NAME}")

    return on_postgresql


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("access", "0007_staff")]
    operations = [migrations.RunPython(replace(FIND.format(keys=BY_TIME)), replace(FIND.format(keys=BY_LIST)))]
