"""One index that finds requests by list, text and answers together; the two that it replaces go.

Made while others read and write, so this migration is no transaction; broken off, it can be run again.  (Those of
migrations 3 and 4 lock the table: no release had requests before them.)
"""

from __future__ import annotations

from typing import Any

from django.db import migrations

from accounts import trigrams

# The list is an array, since no other index knows this operator on it: see `access.finding`.  Up to 1 MiB of changes
# wait in front of the index, and each search reads those, too; PostgreSQL's 4 MiB would cost it some milliseconds.
FIND = """ON access_accessrequest USING gin (
    (ARRAY[repo_id::text || ' ' || status]), search_text gin_trgm_ops, answers jsonb_path_ops
) WITH (gin_pending_list_limit = 1024)"""


def forwards(apps: Any, schema_editor: Any) -> None:
    trigrams.index(schema_editor, "access_request_find", FIND)
    trigrams.drop(schema_editor, "access_request_search")
    trigrams.drop(schema_editor, "access_request_answers")


def backwards(apps: Any, schema_editor: Any) -> None:
    on = "ON access_accessrequest USING gin"
    trigrams.index(schema_editor, "access_request_search", f"{on} (search_text gin_trgm_ops)")
    trigrams.index(schema_editor, "access_request_answers", f"{on} (answers jsonb_path_ops)")
    trigrams.drop(schema_editor, "access_request_find")


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("access", "0004_search_and_tallies")]
    operations = [migrations.RunPython(forwards, backwards)]
