"""The triggers by which the database itself keeps the audit trail as it was written.

On PostgreSQL they also run for a superuser who has set `session_replication_role`, which leaves ordinary triggers out.
SQLite forgets a table's triggers when a migration makes the table anew, so they are looked after once more at the end
of each `migrate`.
"""

from __future__ import annotations

from typing import Any, Final

_EVENT, _ADDRESS = "accounts_auditevent", "accounts_auditaddress"
_EVENTS_SAY: Final = "audit events are only ever inserted"
_ADDRESSES_SAY: Final = "addresses in the audit trail are never changed"

_POSTGRESQL: Final = {
    # Name of a trigger: its table, what it refuses, and for each what.
    "accounts_auditevent_is_permanent": (_EVENT, "UPDATE OR DELETE", "ROW"),
    "accounts_auditevent_is_kept": (_EVENT, "TRUNCATE", "STATEMENT"),
    "accounts_auditaddress_is_permanent": (_ADDRESS, "UPDATE", "ROW"),
}
_SQLITE: Final = {
    # REPLACE deletes what is in its way without running the triggers of deletions.
    "accounts_auditevent_no_update": (_EVENT, "UPDATE", "", _EVENTS_SAY),
    "accounts_auditevent_no_delete": (_EVENT, "DELETE", "", _EVENTS_SAY),
    "accounts_auditevent_no_replace": (
        _EVENT,
        "INSERT",
        "WHEN EXISTS (SELECT 1 FROM accounts_auditevent WHERE id = NEW.id) ",
        _EVENTS_SAY,
    ),
    "accounts_auditaddress_no_update": (_ADDRESS, "UPDATE", "", _ADDRESSES_SAY),
    "accounts_auditaddress_no_replace": (
        _ADDRESS,
        "INSERT",
        "WHEN EXISTS (SELECT 1 FROM accounts_auditaddress WHERE event_id = NEW.event_id) ",
        _ADDRESSES_SAY,
    ),
}


def _on_postgresql() -> list[str]:
    functions = [
        f"""CREATE OR REPLACE FUNCTION {table}_is_permanent() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '{says}';
END
$$"""
        for table, says in ((_EVENT, _EVENTS_SAY), (_ADDRESS, _ADDRESSES_SAY))
    ]
    triggers = [
        statement
        for name, (table, what, each) in _POSTGRESQL.items()
        for statement in (
            f"CREATE OR REPLACE TRIGGER {name} BEFORE {what} ON {table} "
            f"FOR EACH {each} EXECUTE FUNCTION {table}_is_permanent()",
            f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {name}",
        )
    ]
    return [*functions, *triggers]


def _on_sqlite() -> list[str]:
    return [
        f"CREATE TRIGGER IF NOT EXISTS {name} BEFORE {what} ON {table} {when}BEGIN SELECT RAISE(ABORT, '{says}'); END"
        for name, (table, what, when, says) in _SQLITE.items()
    ]


def install(connection: Any) -> None:
    """Make the triggers where they are missing.  Safe to run again."""
    if is_installed(connection):
        return
    with connection.cursor() as cursor:
        for statement in _on_postgresql() if connection.vendor == "postgresql" else _on_sqlite():
            cursor.execute(statement)


def remove(connection: Any) -> None:
    """For migrations that must change rows.  PostgreSQL's functions stay."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            for name, (table, _, _) in _POSTGRESQL.items():
                cursor.execute(f"DROP TRIGGER IF EXISTS {name} ON {table}")
        else:
            for name in _SQLITE:
                cursor.execute(f"DROP TRIGGER IF EXISTS {name}")


def is_installed(connection: Any) -> bool:
    """Whether each of them is there and, on PostgreSQL, always runs."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT tgname FROM pg_trigger WHERE tgenabled = 'A'")
            return {name for (name,) in cursor.fetchall()} >= set(_POSTGRESQL)
        cursor.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
        return {name for (name,) in cursor.fetchall()} >= set(_SQLITE)
