"""The indexes by which staff find events among millions, made while others read and write."""

from __future__ import annotations

from typing import Any

from django.db import migrations

from accounts import trigrams

# As `accounts.audit` says them.
NOUN = "ON accounts_auditevent (split_part(verb, ':', 1), at, id)"
FIND = """ON accounts_auditevent USING gin (
    upper(' ' || actor || ' ' || verb || ' ' || target || ' ' || token_name || ' ') gin_trgm_ops
)"""


def forwards(apps: Any, schema_editor: Any) -> None:
    trigrams.index(schema_editor, "audit_noun", NOUN)
    trigrams.index(schema_editor, "audit_find", FIND)


def backwards(apps: Any, schema_editor: Any) -> None:
    trigrams.drop(schema_editor, "audit_noun")
    trigrams.drop(schema_editor, "audit_find")


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("accounts", "0004_audit_addresses")]
    operations = [migrations.RunPython(forwards, backwards)]
