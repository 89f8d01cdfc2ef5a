"""The index by which people are found by parts of their names, made while others read and write."""

from __future__ import annotations

from typing import Any

from django.db import migrations

from accounts import trigrams


def forwards(apps: Any, schema_editor: Any) -> None:
    if schema_editor.connection.vendor == "postgresql":
        trigrams.require(schema_editor)
    # As `access.people` says it.
    names = "ON accounts_user USING gin (upper(' ' || username || ' ' || fullname) gin_trgm_ops)"
    trigrams.index(schema_editor, "user_find", names)


def backwards(apps: Any, schema_editor: Any) -> None:
    trigrams.drop(schema_editor, "user_find")


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("accounts", "0002_audit_insert_only")]
    operations = [migrations.RunPython(forwards, backwards)]
