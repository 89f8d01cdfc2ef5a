"""The report of access requests, in constant memory: CSV, JSON as on the Hub, JSON Lines (design section 11).

Rows are read some hundreds or thousands at a time, each time by a query of its own: one query for all of them would
hold a connection, and on PostgreSQL a transaction, for as long as the slowest reader takes.  So the report is no
snapshot.  Of each request it tells what is so when it comes to it; who is no longer among those asked for by then is
left out, and so is who asked after it began.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from django.db import connections
from django.db.models import Max, QuerySet

from access import policy
from access.models import AccessRequest
from access.policy import Action
from access.report import copied, plain
from access.report.chosen import ReportFilter
from access.report.columns import OWN as COLUMNS
from access.report.columns import Layout, layout_of
from accounts.actor import Actor
from accounts.cells import safe_cell
from accounts.models import AuditEvent
from repos.models import Repo

__all__ = ["COLUMNS", "FORMATS", "Format", "ReportFilter", "export", "record_export", "safe_cell", "stream"]

log = logging.getLogger("access.report")

Rows = Callable[[Layout, QuerySet[AccessRequest]], Iterator[bytes]]
"""Gives pieces of text that hold whole rows, one after the other, when put together."""


class Format(NamedTuple):
    """How rows become a file.  `broken` is its end when it cannot be completed: no strict reader takes it for whole."""

    frame: Callable[[Layout, Iterator[bytes]], Iterator[bytes]]
    content_type: str
    broken: bytes


_BROKEN = "This report is incomplete: the server failed while it wrote it. Download it again."


def export(*, repo: Repo, format: str, chosen: ReportFilter, by: Actor) -> Iterator[bytes]:  # noqa: A002
    """The report of one repo, for who may see its requests.  It is in the audit trail before its first byte is made.

    Raises NotAllowed, or RepoNotFound where the repo is hidden.
    """
    policy.require(by, Action.REQUESTS_VIEW, repo)
    record_export(by, format, repo, chosen.to_json())
    return stream(format, chosen.requests(repo), across_repos=False)


def record_export(by: Actor, format: str, repo: Repo | None, chosen: Mapping[str, Any]) -> AuditEvent:  # noqa: A002
    """Write to the audit trail who takes what out.  Without a repo it is about many.

    To be called before the first byte leaves: what cannot be recorded is not exported.
    """
    return AuditEvent.record(
        by=by,
        verb="report:export",
        target="all repos" if repo is None else str(repo),
        repo=None if repo is None else repo.pk,
        after={"format": format, **({"filter": dict(chosen)} if chosen else {})},
    )


def stream(format: str, requests: QuerySet[AccessRequest], *, across_repos: bool) -> Iterator[bytes]:  # noqa: A002
    """The requests by time, in pieces of up to 64 KiB or little more.  `format` is one of FORMATS.

    `across_repos` puts the type and the id of each request's repo first.  The first piece is made at once, so that
    whatever is wrong with the query is raised here and not in the middle of an answer.
    """
    rows = copied.rows if connections[requests.db].vendor == "postgresql" else plain.rows
    pieces = framed(rows, format, requests, across_repos=across_repos)
    return _breaking(format, next(pieces), pieces)


def framed(
    rows: Rows,
    format: str,  # noqa: A002
    requests: QuerySet[AccessRequest],
    *,
    across_repos: bool,
) -> Iterator[bytes]:
    """The file that a writer of rows makes."""
    newest = AccessRequest.objects.using(requests.db).aggregate(newest=Max("pk"))["newest"] or 0
    requests = requests.filter(pk__lte=newest)  # No row may answer a form that the columns do not know.
    layout = layout_of(format, requests, across_repos=across_repos)
    yield from FORMATS[format].frame(layout, rows(layout, requests))


def _breaking(format: str, first: bytes, pieces: Iterator[bytes]) -> Iterator[bytes]:  # noqa: A002
    """The pieces.  An error among them ends the text as one that is broken, and breaks the connection off."""
    yield first
    try:
        yield from pieces
    except Exception:
        log.exception("A report broke off")
        yield FORMATS[format].broken
        raise


def _as_table(layout: Layout, rows: Iterator[bytes]) -> Iterator[bytes]:
    # Spreadsheets take a file without this mark for Latin-1.
    before = b"\xef\xbb\xbf" + plain.Table().line(layout.header())
    for piece in rows:
        yield before + piece
        before = b""
    if before:
        yield before


def _as_lines(_: Layout, rows: Iterator[bytes]) -> Iterator[bytes]:
    some = False
    for piece in rows:
        yield piece
        some = True
    if not some:
        yield b""


def _as_array(_: Layout, rows: Iterator[bytes]) -> Iterator[bytes]:
    """Each row ends with a comma and a line end, of which the last must go."""
    kept = b"[\n"
    for piece in rows:
        text = kept + piece
        yield text[:-2]
        kept = text[-2:]
    yield b"\n]\n" if kept == b",\n" else b"[\n]\n"


FORMATS: dict[str, Format] = {
    "json": Format(_as_array, "application/json", f'\n{{"error": "{_BROKEN}'.encode()),
    "csv": Format(_as_table, "text/csv; charset=utf-8", f'"{_BROKEN}'.encode()),
    "jsonl": Format(_as_lines, "application/jsonl; charset=utf-8", f'{{"error": "{_BROKEN}'.encode()),
}
