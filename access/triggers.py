"""The triggers that keep `RequestTally` (see `access.tallies`).

On PostgreSQL they run once a statement, so that many rows at once cost little more than one.  SQLite forgets a table's
triggers when a migration makes the table anew, so they are looked after once more at the end of each `migrate`.
"""

from __future__ import annotations

from typing import Any, Final

NAMES: Final = ("access_tally_insert", "access_tally_update", "access_tally_delete")

_ADD: Final = """ON CONFLICT (repo_id, day) DO UPDATE SET
        pending = access_requesttally.pending + excluded.pending,
        accepted = access_requesttally.accepted + excluded.accepted,
        rejected = access_requesttally.rejected + excluded.rejected"""

_COUNT: Final = """count(*) FILTER (WHERE status = 'pending') AS pending,
        count(*) FILTER (WHERE status = 'accepted') AS accepted,
        count(*) FILTER (WHERE status = 'rejected') AS rejected"""

_COUNT_AGAIN: Final = f"""
DELETE FROM access_requesttally;
INSERT INTO access_requesttally (repo_id, day, pending, accepted, rejected)
    SELECT repo_id, {{day}}, {_COUNT} FROM access_accessrequest GROUP BY 1, 2;
"""

# A row of a day that is gone with its repo is not made again: deletions only subtract from what is there.
POSTGRESQL: Final = f"""
CREATE OR REPLACE FUNCTION access_tally() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO access_requesttally (repo_id, day, pending, accepted, rejected)
        SELECT repo_id, (requested_at AT TIME ZONE 'UTC')::date AS day, {_COUNT}
        FROM new_rows GROUP BY 1, 2 ORDER BY 1, 2
        {_ADD};
    ELSIF TG_OP = 'UPDATE' THEN
        INSERT INTO access_requesttally (repo_id, day, pending, accepted, rejected)
        SELECT repo_id, day, sum(pending), sum(accepted), sum(rejected) FROM (
            SELECT repo_id, (requested_at AT TIME ZONE 'UTC')::date AS day, {_COUNT} FROM new_rows GROUP BY 1, 2
            UNION ALL
            SELECT repo_id, day, -pending, -accepted, -rejected FROM (
                SELECT repo_id, (requested_at AT TIME ZONE 'UTC')::date AS day, {_COUNT} FROM old_rows GROUP BY 1, 2
            ) AS before
        ) AS changes GROUP BY 1, 2
        HAVING sum(pending) <> 0 OR sum(accepted) <> 0 OR sum(rejected) <> 0
        ORDER BY 1, 2
        {_ADD};
    ELSE
        UPDATE access_requesttally AS tally SET
            pending = tally.pending - gone.pending,
            accepted = tally.accepted - gone.accepted,
            rejected = tally.rejected - gone.rejected
        FROM (
            SELECT repo_id, (requested_at AT TIME ZONE 'UTC')::date AS day, {_COUNT} FROM old_rows GROUP BY 1, 2
        ) AS gone
        WHERE tally.repo_id = gone.repo_id AND tally.day = gone.day;
    END IF;
    RETURN NULL;
END
$$;
CREATE OR REPLACE TRIGGER access_tally_insert AFTER INSERT ON access_accessrequest
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION access_tally();
CREATE OR REPLACE TRIGGER access_tally_update AFTER UPDATE ON access_accessrequest
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION access_tally();
CREATE OR REPLACE TRIGGER access_tally_delete AFTER DELETE ON access_accessrequest
    REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION access_tally();
"""


def _on_sqlite(event: str, row: str, sign: str) -> str:
    """What adds one row to the tally of its day, or takes it away."""
    numbers = ", ".join(f"{sign}({row}.status = '{status}')" for status in ("pending", "accepted", "rejected"))
    if event == "DELETE":
        sets = ", ".join(
            f"{status} = {status} - ({row}.status = '{status}')" for status in ("pending", "accepted", "rejected")
        )
        return (
            f"UPDATE access_requesttally SET {sets} WHERE repo_id = {row}.repo_id AND day = date({row}.requested_at);"
        )
    return f"""INSERT INTO access_requesttally (repo_id, day, pending, accepted, rejected)
        VALUES ({row}.repo_id, date({row}.requested_at), {numbers}) {_ADD};"""


SQLITE: Final = (
    f"CREATE TRIGGER IF NOT EXISTS access_tally_insert AFTER INSERT ON access_accessrequest "
    f"BEGIN {_on_sqlite('INSERT', 'NEW', '')} END",
    f"CREATE TRIGGER IF NOT EXISTS access_tally_update AFTER UPDATE ON access_accessrequest "
    f"WHEN OLD.status <> NEW.status OR OLD.repo_id <> NEW.repo_id OR OLD.requested_at <> NEW.requested_at "
    f"BEGIN {_on_sqlite('UPDATE', 'OLD', '-')} {_on_sqlite('UPDATE', 'NEW', '')} END",
    f"CREATE TRIGGER IF NOT EXISTS access_tally_delete AFTER DELETE ON access_accessrequest "
    f"BEGIN {_on_sqlite('DELETE', 'OLD', '')} END",
)


def install(connection: Any) -> None:
    """Make the triggers where they are missing, and count what is there.  Safe to run again."""
    if _installed(connection):
        return
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(POSTGRESQL)
            day = "(requested_at AT TIME ZONE 'UTC')::date"
        else:
            for statement in SQLITE:
                cursor.execute(statement)
            day = "date(requested_at)"
        for statement in _COUNT_AGAIN.format(day=day).split(";")[:-1]:
            cursor.execute(statement)


def remove(connection: Any) -> None:
    with connection.cursor() as cursor:
        on_table = " ON access_accessrequest" if connection.vendor == "postgresql" else ""
        for name in NAMES:
            cursor.execute(f"DROP TRIGGER IF EXISTS {name}{on_table}")
        if connection.vendor == "postgresql":
            cursor.execute("DROP FUNCTION IF EXISTS access_tally()")


def _installed(connection: Any) -> bool:
    query = (
        "SELECT count(*) FROM pg_trigger WHERE tgname = ANY(%s)"
        if connection.vendor == "postgresql"
        else "SELECT count(*) FROM sqlite_master WHERE type = 'trigger' AND name IN (%s, %s, %s)"
    )
    with connection.cursor() as cursor:
        cursor.execute(query, [list(NAMES)] if connection.vendor == "postgresql" else NAMES)
        return bool(cursor.fetchone()[0] == len(NAMES))
