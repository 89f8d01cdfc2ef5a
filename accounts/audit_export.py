"""The audit trail, or a part of it, as a file: CSV or JSON Lines, newest first, in constant memory.

Each few hundred rows are a query of their own, which an index answers: one query for all would be carried out to its
end before its first row, or hold a transaction open as long as the slowest reader takes.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from django.db.models import Q

from accounts.audit import AuditEvent, AuditEventQuerySet
from accounts.cells import safe_cell

ROWS_AT_ONCE: Final = 500
FORMATS: Final = {"csv": "text/csv; charset=utf-8", "jsonl": "application/jsonl; charset=utf-8"}
COLUMNS: Final = (
    "time", "actor", "actor_key", "verb", "target", "repo", "entrance", "token_name", "before", "after",
)  # fmt: skip
"""For staff; with `address` for those who may see it."""

Tell = Callable[[AuditEvent], Mapping[str, Any]]


def told_to_staff(event: AuditEvent) -> dict[str, Any]:
    return {
        "time": event.at.isoformat(),
        "actor": event.actor,
        "actor_key": event.actor_id_at_the_time,
        "verb": event.verb,
        "target": event.target,
        "repo": event.repo,
        "entrance": event.entrance,
        "token_name": event.token_name,
        "before": event.before,
        "after": event.after,
    }


def told_with_address(event: AuditEvent) -> dict[str, Any]:
    return told_to_staff(event) | {"address": event.address}


def stream(events: AuditEventQuerySet, columns: Sequence[str], tell: Tell, format: str) -> Iterator[bytes]:  # noqa: A002
    """The file in pieces.  `tell` gives a row's values by the names of the columns."""
    write = _as_csv if format == "csv" else _as_json_lines
    if format == "csv":
        # Spreadsheets take a file without this mark for Latin-1.
        yield ("\ufeff" + _as_csv([dict(zip(columns, columns, strict=True))], columns)).encode()
    for batch in _batches(events):
        yield write([tell(event) for event in batch], columns).encode()


def _batches(events: AuditEventQuerySet) -> Iterator[list[AuditEvent]]:
    beyond = Q()
    while True:
        found = list(events.filter(beyond).order_by("-at", "-pk")[:ROWS_AT_ONCE])
        if found:
            yield found
        if len(found) < ROWS_AT_ONCE:
            return
        at, key = found[-1].at, found[-1].pk
        # The first condition follows from the second, and lets the database start in the middle of its index.
        beyond = Q(at__lte=at) & (Q(at__lt=at) | Q(pk__lt=key))


def _as_csv(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> str:
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerows([safe_cell(_cell(row[name])) for name in columns] for row in rows)
    return buffer.getvalue()


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _as_json_lines(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> str:
    return "".join(json.dumps({name: row[name] for name in columns}, ensure_ascii=False) + "\n" for row in rows)
