"""The index that finds requests has a number for each short answer in its list, too: see `access.answer_keys`.

The list itself goes into a column of its own: whole lists are asked for more often than stretches of time, and the time
of a row takes longer to bring into the index's words than all else of it.

Made while others read and write, so this migration is no transaction; broken off, it can be run again.  The index that
is replaced goes when the new one is there.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from django.db import migrations

by_time = import_module("access.migrations.0008_find_requests_by_time")
staff = import_module("access.migrations.0010_staff_by_day_and_decision")

# Of what is no object, which no service writes, an error here would refuse the row.
FUNCTION = """
CREATE OR REPLACE FUNCTION access_answer_keys(list bigint, answers jsonb) RETURNS bigint[]
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT coalesce(array_agg(hashtextextended(value, hashtextextended(key, list))), '{}')
    FROM jsonb_each_text(CASE jsonb_typeof(answers) WHEN 'object' THEN answers ELSE '{}' END)
    WHERE length(value) BETWEEN 1 AND 40
$$"""
FIND = f"""ON access_accessrequest USING gin (
    (ARRAY[{by_time.LIST}]), search_text gin_trgm_ops, answers jsonb_path_ops,
    (ARRAY[({by_time.LIST}) + ({by_time.DAY}), ({by_time.LIST}) + 4194304 + (({by_time.DAY}) >> 5)]),
    (ARRAY[({by_time.DAY}), 4194304 + (({by_time.DAY}) >> 5)]), (access_answer_keys(({by_time.LIST}), answers))
) WITH (gin_pending_list_limit = 1024)"""


def forwards(apps: Any, schema_editor: Any) -> None:
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(FUNCTION)
        by_time.replace(FIND)(apps, schema_editor)


def backwards(apps: Any, schema_editor: Any) -> None:
    if schema_editor.connection.vendor == "postgresql":
        by_time.replace(staff.FIND)(apps, schema_editor)
        schema_editor.execute("DROP FUNCTION IF EXISTS access_answer_keys(bigint, jsonb)")


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("access", "0010_staff_by_day_and_decision")]
    operations = [migrations.RunPython(forwards, backwards)]
