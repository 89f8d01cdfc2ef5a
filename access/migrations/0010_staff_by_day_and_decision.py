"""What staff read quickly: decisions about the requests of one form version, and crowds far from the end of the order.

The index that finds requests knows the day of each and its block of days, whatever the repo (`access.spans`).  Both
indexes are made while others read and write, so this migration is no transaction; broken off, it can be run again.  The
one that is replaced goes when the new one is there.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from django.db import migrations, models

before = import_module("access.migrations.0008_find_requests_by_time")
staff = import_module("access.migrations.0009_staff_review")

DECIDED = models.Index(fields=["form", "status", "reviewed_at", "id"], name="access_request_of_form_decided")
FIND = f"""ON access_accessrequest USING gin (
    ({before.BY_TIME}), search_text gin_trgm_ops, answers jsonb_path_ops,
    (ARRAY[({before.DAY}), 4194304 + (({before.DAY}) >> 5)])
) WITH (gin_pending_list_limit = 1024)"""


def add(apps: Any, schema_editor: Any) -> None:
    staff.add_beside_readers(apps, schema_editor, [DECIDED])


def remove(apps: Any, schema_editor: Any) -> None:
    staff.remove_beside_readers(apps, schema_editor, [DECIDED])


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("access", "0009_staff_review")]
    operations = [
        migrations.RunPython(before.replace(FIND), before.replace(before.FIND.format(keys=before.BY_TIME))),
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunPython(add, remove)],
            state_operations=[migrations.AddIndex("accessrequest", DECIDED)],
        ),
    ]
