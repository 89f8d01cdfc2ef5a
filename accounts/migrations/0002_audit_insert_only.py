"""On PostgreSQL the database itself refuses to change or delete rows of the audit trail."""

from __future__ import annotations

from typing import Any

from django.db import migrations

CREATE = """
CREATE FUNCTION accounts_auditevent_is_permanent() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'audit events are only ever inserted';
END
$$;
CREATE TRIGGER accounts_auditevent_is_permanent BEFORE UPDATE OR DELETE ON accounts_auditevent
    FOR EACH ROW EXECUTE FUNCTION accounts_auditevent_is_permanent();
"""
DROP = """
DROP TRIGGER accounts_auditevent_is_permanent ON accounts_auditevent;
DROP FUNCTION accounts_auditevent_is_permanent();
"""


def _run(sql: str) -> Any:
    def on_postgresql(apps: Any, schema_editor: Any) -> None:
        if schema_editor.connection.vendor == "postgresql":
            schema_editor.execute(sql)

    return on_postgresql


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_initial")]
    operations = [migrations.RunPython(_run(CREATE), _run(DROP))]
