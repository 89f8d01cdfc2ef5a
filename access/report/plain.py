"""The rows of a report by Python, for SQLite, and the measure for those that PostgreSQL writes."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple

from django.db.models import Q, QuerySet, TextField
from django.db.models.functions import Cast

from access.models import AccessRequest
from access.report.columns import Layout
from accounts.cells import safe_cell

_ROWS_AT_ONCE = 500
_PIECE = 64 * 1024


class _Number(str):
    """A number as the database spells it: as a float it might come out as another."""


class _Row(NamedTuple):
    """A request, as far as a report tells of it.  Objects of the models would cost four times as much."""

    pk: int
    requested_at: datetime
    type: str
    namespace: str
    repo: str
    user: str
    fullname: str
    email: str
    status: str
    reviewed_at: datetime | None
    reviewer: str | None
    reviewer_fullname: str | None
    reason: str
    form: str | None
    answers_text: str

    @property
    def answers(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.answers_text, parse_int=_Number, parse_float=_Number)
        return found


_FIELDS = (
    "pk", "requested_at", "repo__type", "repo__namespace__name", "repo__name", "user__username", "fullname", "email",
    "status", "reviewed_at", "reviewed_by__username", "reviewed_by__fullname", "rejection_reason", "form__commit_sha",
)  # fmt: skip


def rows(layout: Layout, requests: QuerySet[AccessRequest]) -> Iterator[bytes]:
    """The rows as text, in pieces: a piece per row would cost more than the rows."""
    write = _WRITERS[layout.format](layout)
    waiting = bytearray()
    for row in _requests(requests):
        waiting += write(row)
        if len(waiting) >= _PIECE:
            yield bytes(waiting)
            waiting.clear()
    if waiting:
        yield bytes(waiting)


def _requests(requests: QuerySet[AccessRequest]) -> Iterator[_Row]:
    """All of them, by time."""
    ordered = requests.order_by("requested_at", "pk").values_list(*_FIELDS, Cast("answers", TextField()))
    beyond = Q()
    while True:
        found = [_Row(*values) for values in ordered.filter(beyond)[:_ROWS_AT_ONCE]]
        yield from found
        if len(found) < _ROWS_AT_ONCE:
            return
        beyond = later_than(found[-1].requested_at, found[-1].pk)


def later_than(at: datetime, key: int) -> Q:
    """What comes after that request, by time."""
    # The first condition follows from the second, and lets the database start in the middle of its index.
    return Q(requested_at__gte=at) & (Q(requested_at__gt=at) | Q(pk__gt=key))


class Table:
    """Writes lines of CSV.  Each ends as PostgreSQL ends them, which on Linux cannot be chosen."""

    def __init__(self) -> None:
        # Cells with either sign of the writer's own line end are quoted, and so they are by PostgreSQL.
        self._writer = csv.writer(self, lineterminator="\r\n")
        self._written = ""

    def write(self, text: str) -> None:
        """For `csv`."""
        self._written = text

    def line(self, cells: list[str]) -> bytes:
        self._writer.writerow(map(safe_cell, cells))
        return self._written.removesuffix("\r\n").encode() + b"\n"


def _time(moment: datetime | None) -> str:
    return "" if moment is None else moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def _of_repo(row: _Row) -> dict[str, str]:
    return {"type": row.type, "repo": f"{row.namespace}/{row.repo}"}


def _full(row: _Row) -> dict[str, str]:
    return {
        "user": row.user,
        "fullname": row.fullname,
        "email": row.email,
        "status": row.status,
        "time": _time(row.requested_at),
        "reviewedAt": _time(row.reviewed_at),
        "reviewer": row.reviewer or "",
        "reason": row.reason,
        "form": row.form or "",
    }


def _as_on_the_hub(layout: Layout) -> Callable[[_Row], bytes]:
    """hub-protocol section 7.6."""

    def write(row: _Row) -> bytes:
        told: dict[str, Any] = _of_repo(row) if layout.across_repos else {}
        told |= {
            "fullname": row.fullname,
            "user": row.user,
            "email": row.email or None,
            "time": _time(row.requested_at),
            "status": row.status,
        }
        if row.reviewed_at is not None:
            told["reviewedAt"] = _time(row.reviewed_at)
        if row.status == AccessRequest.Status.ACCEPTED and row.reviewer is not None:
            told["grantedBy"] = {"fullname": row.reviewer_fullname, "user": row.reviewer}
        return f"{_dumps(told)},\n".encode()

    return write


def _as_line(layout: Layout) -> Callable[[_Row], bytes]:
    places = {label: place for place, label in enumerate(layout.labels)}

    def write(row: _Row) -> bytes:
        answers = sorted(row.answers.items(), key=lambda pair: places.get(pair[0], len(places)))
        told = {**(_of_repo(row) if layout.across_repos else {}), **_full(row), "fields": dict(answers)}
        return f"{_dumps(told)}\n".encode()

    return write


def _as_cells(layout: Layout) -> Callable[[_Row], bytes]:
    table = Table()
    labels = layout.labels
    placed = frozenset(labels)

    def write(row: _Row) -> bytes:
        answers = row.answers
        cells = [*_of_repo(row).values()] if layout.across_repos else []
        cells += _full(row).values()
        cells += [_cell(answers.get(label)) for label in labels]
        if layout.more:
            rest = {label: answer for label, answer in answers.items() if label not in placed}
            cells.append(_dumps(rest) if rest else "")
        return table.line(cells)

    return write


def _cell(answer: Any) -> str:
    """An answer as a cell: texts as they are, the rest as JSON."""
    if answer is None:
        return ""
    return answer if isinstance(answer, str) else _dumps(answer)


def _dumps(value: Any) -> str:
    """As `json.dumps`, with numbers as they were read."""
    if isinstance(value, _Number):
        return str(value)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_dumps(key)}: {_dumps(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_dumps, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


_WRITERS = {"json": _as_on_the_hub, "jsonl": _as_line, "csv": _as_cells}
