"""Pages of long lists: a `Link` header with the whole address of the next one (hub-protocol section 1.4).

A page begins after the last row of the one before it (keyset), so that the last page costs what the first does.
"""

from __future__ import annotations

import base64
import binascii
import json
from typing import Any, TypeVar

from django.core.exceptions import ValidationError
from django.db.models import Model, Q, QuerySet
from django.http import QueryDict
from rest_framework.request import Request

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
    return base64.urlsafe_b64encode(json.dumps(values, default=str).encode()).decode().rstrip("=")


def cursor_in(request: Request, length: int) -> list[Any] | None:
    """The values of the cursor that the client passed back, None on the first page.  Raises BadRequest."""
    said = request.query_params.get(CURSOR)
    if said is None:
        return None
    try:
        values = json.loads(base64.urlsafe_b64decode(said.encode() + b"=" * (-len(said) % 4)))
    except (ValueError, binascii.Error, RecursionError):
        values = None
    if not isinstance(values, list) or len(values) != length:
        raise _not_ours()
    return values


def _not_ours() -> BadRequest:
    return BadRequest("The cursor is not one of this server's. Start again without it.")


def keyset_page(
    rows: QuerySet[M], request: Request, *, column: str, descending: bool, limit: int
) -> tuple[list[M], str | None]:
    """One page of `rows` by `column`, then by key; and the cursor of the next page, None on the last one."""
    sign = "-" if descending else ""
    found = list(_after(rows, request, column, descending).order_by(f"{sign}{column}", f"{sign}pk")[: limit + 1])
    page = found[:limit]
    return page, cursor_of(getattr(page[-1], column), page[-1].pk) if len(found) > limit else None


def _after(rows: QuerySet[M], request: Request, column: str, descending: bool) -> QuerySet[M]:
    values = cursor_in(request, 2)
    if values is None:
        return rows
    try:
        field: Any = rows.model._meta.get_field(column)
        value = field.to_python(values[0])
        key = rows.model._meta.pk.to_python(values[1])
    except (ValidationError, TypeError, ValueError, OverflowError):
        raise _not_ours() from None
    if value is None or not isinstance(key, int) or not 0 <= key < 2**63:
        raise _not_ours()
    beyond = "lt" if descending else "gt"
    # The second condition follows from the first, and lets the database start in the middle of its index.
    return rows.filter(
        Q(**{f"{column}__{beyond}": value}) | Q(**{column: value, f"pk__{beyond}": key}),
        **{f"{column}__{beyond}e": value},
    )
