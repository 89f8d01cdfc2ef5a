"""The report of all access requests of a repo, in constant memory: JSON as on the Hub, CSV, JSON Lines.

Each few hundred rows are a query of their own, which the index `access_request_by_time` answers at once.  One query for
all, by a cursor of the database, would be carried out to its end before its first row, or hold a transaction open as
long as the slowest reader takes.  So a row is as it is when the report comes to it.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple

from django.db.models import Exists, OuterRef, Q

from access.models import AccessRequest
from repos.models import Repo

_ROWS_AT_ONCE = 500
_FORMS_AT_ONCE = 20
_PIECE = 64 * 1024
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
"""What a spreadsheet would run, when it comes first in a cell."""

COLUMNS = ("user", "fullname", "email", "status", "time", "reviewedAt", "reviewer", "reason", "form")


def _time(moment: datetime | None) -> str:
    return "" if moment is None else moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


class _Row(NamedTuple):
    """A request, as far as a report tells of it.  Objects of the models would cost four times as much."""

    pk: int
    user: str
    fullname: str
    email: str
    status: str
    requested_at: datetime
    reviewed_at: datetime | None
    reviewer: str | None
    reviewer_fullname: str | None
    reason: str
    form: str | None
    answers: dict[str, Any]


_FIELDS = (
    "pk", "user__username", "fullname", "email", "status", "requested_at", "reviewed_at", "reviewed_by__username",
    "reviewed_by__fullname", "rejection_reason", "form__commit_sha", "answers",
)  # fmt: skip


def _requests(repo: Repo) -> Iterator[_Row]:
    """All of them, by time."""
    requests = AccessRequest.objects.filter(repo=repo).order_by("requested_at", "pk").values_list(*_FIELDS)
    beyond = Q()
    while True:
        found = [_Row(*values) for values in requests.filter(beyond)[:_ROWS_AT_ONCE]]
        yield from found
        if len(found) < _ROWS_AT_ONCE:
            return
        at, key = found[-1].requested_at, found[-1].pk
        # The first condition follows from the second, and lets the database start in the middle of its index.
        beyond = Q(requested_at__gte=at) & (Q(requested_at__gt=at) | Q(pk__gt=key))


def _as_on_the_hub(request: _Row) -> dict[str, Any]:
    """hub-protocol section 7.6."""
    row: dict[str, Any] = {
        "fullname": request.fullname,
        "user": request.user,
        "email": request.email or None,
        "time": _time(request.requested_at),
        "status": request.status,
    }
    if request.reviewed_at is not None:
        row["reviewedAt"] = _time(request.reviewed_at)
    if request.status == AccessRequest.Status.ACCEPTED and request.reviewer is not None:
        row["grantedBy"] = {"fullname": request.reviewer_fullname, "user": request.reviewer}
    return row


def _full(request: _Row) -> dict[str, str]:
    return {
        "user": request.user,
        "fullname": request.fullname,
        "email": request.email,
        "status": request.status,
        "time": _time(request.requested_at),
        "reviewedAt": _time(request.reviewed_at),
        "reviewer": request.reviewer or "",
        "reason": request.reason,
        "form": request.form or "",
    }


def answer_columns(repo: Repo) -> dict[str, str]:
    """Label -> column, for the questions of all form versions that were answered, oldest first."""
    answered = AccessRequest.objects.filter(form=OuterRef("pk"))
    versions = repo.gate_forms.filter(Exists(answered)).order_by("created_at", "pk")
    columns: dict[str, str] = {}
    taken = set(COLUMNS)
    for spec in versions.values_list("spec", flat=True).iterator(_FORMS_AT_ONCE):
        for label in (field["label"] for field in spec.get("fields", [])):
            if label not in columns:
                columns[label] = _column(label, taken)
    return columns


def _column(label: str, taken: set[str]) -> str:
    """The label, or what tells it from another column that a spreadsheet would show under the same name."""
    name = label
    while safe_cell(name) in taken:
        name = f"answer: {name}"
    taken.add(safe_cell(name))
    return name


def as_json(repo: Repo) -> Iterator[str]:
    yield "["
    for number, request in enumerate(_requests(repo)):
        yield (",\n" if number else "\n") + json.dumps(_as_on_the_hub(request), ensure_ascii=False)
    yield "\n]\n"


def as_json_lines(repo: Repo) -> Iterator[str]:
    places = {label: place for place, label in enumerate(answer_columns(repo))}
    for request in _requests(repo):
        answers = sorted(request.answers.items(), key=lambda pair: places.get(pair[0], len(places)))
        yield json.dumps({**_full(request), "fields": dict(answers)}, ensure_ascii=False) + "\n"


def as_csv(repo: Repo) -> Iterator[str]:
    columns = answer_columns(repo)
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    yield "\ufeff"  # Spreadsheets take a file without this mark for Latin-1.
    writer.writerow([safe_cell(name) for name in (*COLUMNS, *columns.values())])
    for request in _requests(repo):
        answers = [str(request.answers.get(label, "")) for label in columns]
        writer.writerow([safe_cell(cell) for cell in (*_full(request).values(), *answers)])
        yield _taken(buffer)
    yield _taken(buffer)


def _taken(buffer: io.StringIO) -> str:
    text = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return text


def safe_cell(text: str) -> str:
    """The cell as text, whatever a spreadsheet would make of it."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def in_pieces(texts: Iterator[str]) -> Iterator[bytes]:
    """Joined to pieces of some size: a piece per row would cost more than the rows."""
    waiting: list[str] = []
    size = 0
    for text in texts:
        waiting.append(text)
        size += len(text)
        if size >= _PIECE:
            yield "".join(waiting).encode()
            waiting, size = [], 0
    yield "".join(waiting).encode()


FORMATS: dict[str, tuple[Callable[[Repo], Iterator[str]], str]] = {
    "json": (as_json, "application/json"),
    "csv": (as_csv, "text/csv; charset=utf-8"),
    "jsonl": (as_json_lines, "application/jsonl; charset=utf-8"),
}
