"""What staff need, who look at the requests of all repos together: orders, the country of each request, permissions.

The indexes are made while others read and write, so this migration is no transaction; broken off, it can be run again.
"""

from __future__ import annotations

from typing import Any

from django.db import migrations, models

from access import answers

AT_ONCE = 1000
INDEXES = [
    models.Index(fields=["requested_at", "id"], name="access_request_of_all"),
    models.Index(fields=["status", "requested_at", "id"], name="access_request_of_all_queue"),
    models.Index(fields=["country"], name="access_request_by_country"),
]


def fill_country(apps: Any, schema_editor: Any) -> None:
    requests = apps.get_model("access", "AccessRequest").objects
    forms = apps.get_model("repos", "GateForm").objects.values_list("pk", "spec")
    for form, spec in forms.iterator(20):
        if {field["type"] for field in spec.get("fields", [])}.isdisjoint({"country", "ip_location"}):
            continue
        rows = requests.filter(form=form).only("pk", "answers").order_by("pk")
        last = 0
        while some := list(rows.filter(pk__gt=last)[:AT_ONCE]):
            for row in some:
                row.country = answers.country_of(spec, row.answers)
            requests.bulk_update(some, ["country"])
            last = some[-1].pk


def add_indexes(apps: Any, schema_editor: Any) -> None:
    model = apps.get_model("access", "AccessRequest")
    for index in INDEXES:
        if schema_editor.connection.vendor == "postgresql":
            schema_editor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {index.name}")  # What a broken attempt left.
            schema_editor.add_index(model, index, concurrently=True)
        else:
            schema_editor.add_index(model, index)


def remove_indexes(apps: Any, schema_editor: Any) -> None:
    model = apps.get_model("access", "AccessRequest")
    for index in INDEXES:
        if schema_editor.connection.vendor == "postgresql":
            schema_editor.remove_index(model, index, concurrently=True)
        else:
            schema_editor.remove_index(model, index)


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("access", "0006_requests_by_time"), ("repos", "0002_notification_address")]
    operations = [
        migrations.AlterModelOptions(
            "accessrequest",
            {
                "permissions": [
                    ("review_accessrequest", "Can accept, reject and cancel access requests"),
                    ("export_accessrequest", "Can export access requests"),
                ]
            },
        ),
        migrations.AlterModelOptions(
            "accesstoken", {"permissions": [("revoke_accesstoken", "Can revoke access tokens")]}
        ),
        migrations.AddField(
            "accessrequest",
            "country",
            models.CharField(
                blank=True,
                default="",
                editable=False,
                help_text="Said in an answer: see access.answers.",
                max_length=2,
            ),
        ),
        migrations.RunPython(fill_country, migrations.RunPython.noop),
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunPython(add_indexes, remove_indexes)],
            state_operations=[migrations.AddIndex("accessrequest", index) for index in INDEXES],
        ),
    ]
