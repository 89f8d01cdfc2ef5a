"""Bulk reviews of staff, over all repos, and the orders in which they read requests of a country, reviewer or form.

The indexes are made while others read and write, so this migration is no transaction; broken off, it can be run again.
"""

from __future__ import annotations

from typing import Any

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

INDEXES = [
    models.Index(fields=["status", "reviewed_at", "id", "requested_at"], name="access_request_of_all_decided"),
    models.Index(fields=["country", "requested_at", "id"], name="access_request_of_country"),
    models.Index(fields=["reviewed_by", "requested_at", "id"], name="access_request_of_reviewer"),
    models.Index(fields=["form", "requested_at", "id"], name="access_request_of_form"),
    models.Index(fields=["requested_at", "id"], condition=models.Q(granted=True), name="access_request_granted"),
]
COUNTRY = models.Index(fields=["country"], name="access_request_by_country")
"""What the new index of countries makes needless."""


def add_beside_readers(apps: Any, schema_editor: Any, indexes: list[models.Index]) -> None:
    model = apps.get_model("access", "AccessRequest")
    for index in indexes:
        if schema_editor.connection.vendor == "postgresql":
            schema_editor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {index.name}")  # What a broken attempt left.
            schema_editor.add_index(model, index, concurrently=True)
        else:
            schema_editor.add_index(model, index)


def remove_beside_readers(apps: Any, schema_editor: Any, indexes: list[models.Index]) -> None:
    model = apps.get_model("access", "AccessRequest")
    for index in indexes:
        if schema_editor.connection.vendor == "postgresql":
            schema_editor.remove_index(model, index, concurrently=True)
        else:
            schema_editor.remove_index(model, index)


def forwards(apps: Any, schema_editor: Any) -> None:
    add_beside_readers(apps, schema_editor, INDEXES)
    remove_beside_readers(apps, schema_editor, [COUNTRY])


def backwards(apps: Any, schema_editor: Any) -> None:
    add_beside_readers(apps, schema_editor, [COUNTRY])
    remove_beside_readers(apps, schema_editor, INDEXES)


def remove_those_of_staff(apps: Any, schema_editor: Any) -> None:
    """Without a repo they cannot be; the audit trail keeps what they did."""
    apps.get_model("access", "BulkReview").objects.filter(repo=None).delete()


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("access", "0008_find_requests_by_time")]
    operations = [
        migrations.AddField(
            "bulkreview",
            "entrance",
            models.CharField(
                choices=[("page", "Page"), ("api", "Api"), ("git", "Git"), ("admin", "Admin"), ("system", "System")],
                default="page",
                help_text="Through which the reviewer came: in the admin, permissions count.",
                max_length=8,
            ),
        ),
        migrations.AlterField(
            "bulkreview",
            "repo",
            models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="bulk_reviews",
                to="repos.repo",
            ),
        ),
        migrations.RunPython(migrations.RunPython.noop, remove_those_of_staff),
        migrations.AlterField(
            "bulkreview",
            "chosen",
            models.JSONField(
                help_text="`access.filters.RequestFilter` as JSON; without a repo, what `access.choices` knows."
            ),
        ),
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunPython(forwards, backwards)],
            state_operations=[
                *(migrations.AddIndex("accessrequest", index) for index in INDEXES),
                migrations.RemoveIndex("accessrequest", "access_request_by_country"),
            ],
        ),
        # The two that follow lose an index that is a part of a new one.
        migrations.AlterField(
            "accessrequest",
            "form",
            models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.RESTRICT,
                related_name="access_requests",
                to="repos.gateform",
            ),
        ),
        migrations.AlterField(
            "accessrequest",
            "reviewed_by",
            models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
    ]
