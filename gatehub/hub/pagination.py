"""Pages of long lists: a `Link` header with the whole address of the next one (hub-protocol section 1.4).

A page begins after the last row of the one before it (keyset), so that the last page costs what the first does.
"""

from __future__ import annotations

from typing import Any, TypeVar

from django.db.models import Model, QuerySet
from django.http import QueryDict
from rest_framework.request import Request

from accounts import keyset
from accounts.errors import BadRequest

PAGE = 1000
CURSOR = "cursor"

M = TypeVar("M", bound=Model)


def whole_number(request: Request, name: str, default: int, *, least: int, most: int) -> int:
    """A number of the query string.  What is above `most` becomes `most`: clients ask for all there is, and follow."""
    said = request.query_params.get(name)
    if said is None:
        return default
    if not (said.isascii() and said.isdigit()) or len(said) > 30 or int(said) < least:
        raise BadRequest(f"{name} must be a whole number, {least} or more.")
    return min(int(said), most)


def next_link(request: Request, path: str, **changed: str) -> str:
    """The `Link` header to the next page: the query of this one, except for what is `changed`.

    `path` is percent-encoded.  The address is absolute, since clients follow no other.
    """
    query: QueryDict = request.query_params.copy()
    for name, value in changed.items():
        query[name] = value
    return f'<{request.build_absolute_uri(path)}?{query.urlencode()}>; rel="next"'


def cursor_of(*values: Any) -> str:
    """What the next page begins after, as clients pass it back.  Dates become text."""
    return keyset.encoded(*values)


def cursor_in(request: Request, length: int) -> list[Any] | None:
    """The values of the cursor that the client passed back, None on the first page.  Raises BadRequest."""
    said = request.query_params.get(CURSOR)
    try:
        return None if said is None else keyset.decoded(said, length)
    except keyset.NotACursor:
        raise _not_ours() from None


def _not_ours() -> BadRequest:
    return BadRequest("The cursor is not one of this server's. Start again without it.")


def keyset_page(
    rows: QuerySet[M], request: Request, *, column: str, descending: bool, limit: int
) -> tuple[list[M], str | None]:
    """One page of `rows` by `column`, then by key; and the cursor of the next page, None on the last one."""
    said = request.query_params.get(CURSOR)
    if said == "":
        raise _not_ours()
    try:
        found = keyset.slice_of(rows, keyset.Order(column, descending), limit, after=said or "")
    except keyset.NotACursor:
        raise _not_ours() from None
    return found.rows, found.next or None
