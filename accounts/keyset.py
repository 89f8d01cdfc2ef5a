"""Pages of long lists that begin after the last row of the one before: the last page costs what the first does."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from django.core.exceptions import ValidationError
from django.db.models import Model, Q, QuerySet


class Placed(Protocol):
    """A row that has a key."""

    @property
    def pk(self) -> Any: ...


R = TypeVar("R", bound=Placed)


class NotACursor(ValueError):
    """A text that this server did not give out as a cursor, or not for this list."""


@dataclass(frozen=True, slots=True)
class Order:
    """By a column, then by key."""

    column: str
    descending: bool = False

    @property
    def columns(self) -> list[str]:
        sign = "-" if self.descending else ""
        return [f"{sign}{self.column}", f"{sign}pk"]

    @property
    def reversed(self) -> Order:
        return Order(self.column, not self.descending)

    def cursor(self, row: Any) -> str:
        """What stands for the row's place, as clients pass it back."""
        return encoded(getattr(row, self.column), row.pk)

    def beyond(self, model: type[Model], cursor: str) -> Q:
        """That a row is after the place of the cursor.  Raises NotACursor."""
        values = decoded(cursor, length=2)
        try:
            field: Any = model._meta.get_field(self.column)
            value = field.to_python(values[0])
            key = model._meta.pk.to_python(values[1])
        except (ValidationError, TypeError, ValueError, OverflowError):
            raise NotACursor(cursor) from None
        if value is None or not isinstance(key, int) or not 0 <= key < 2**63:
            raise NotACursor(cursor)
        if isinstance(value, str) and "\0" in value:  # PostgreSQL knows no NUL, and fails.
            raise NotACursor(cursor)
        beyond = "lt" if self.descending else "gt"
        # The second condition follows from the first, and lets the database start in the middle of its index.
        after = Q(**{f"{self.column}__{beyond}": value}) | Q(**{self.column: value, f"pk__{beyond}": key})
        return after & Q(**{f"{self.column}__{beyond}e": value})


@dataclass(frozen=True, slots=True)
class Slice(Generic[R]):
    """One page, and the cursors of its neighbours, "" where there is none."""

    rows: list[R]
    previous: str = ""
    next: str = ""


Pick = Callable[[Q, Sequence[str], int], list[Any]]
"""Gives the keys of the first few rows that meet a condition, in the order of the columns."""
Fetch = Callable[[Sequence[Any]], Iterable[R]]
"""Gives the rows with these keys, in any order."""


def slice_of(
    rows: QuerySet[Any, R],
    order: Order,
    size: int,
    *,
    after: str = "",
    before: str = "",
    last: bool = False,
    pick: Pick | None = None,
    fetch: Fetch[R] | None = None,
) -> Slice[R]:
    """The first page, or the one that follows `after`, or that ends before `before`, or the `last`.  Raises NotACursor.

    The rows have a `pk` and the column of the order: instances, or named tuples.  `pick` chooses among the rows, for
    lists whose conditions the database cannot be left alone with; what it chose, `fetch` can get in a way of its own.
    """
    backwards = last or bool(before)
    way = order.reversed if backwards else order
    place = before or after
    beyond = way.beyond(rows.model, place) if place else Q()
    if pick is None:
        page = list(rows.filter(beyond).order_by(*way.columns)[: size + 1])
        more, page = len(page) > size, page[:size]
    else:
        keys = pick(beyond, way.columns, size + 1)
        chosen = keys[:size]
        by_key = {row.pk: row for row in (fetch(chosen) if fetch and chosen else rows.filter(pk__in=chosen))}
        more, page = len(keys) > size, [by_key[key] for key in chosen if key in by_key]  # One may be gone by now.
    if backwards:
        page.reverse()
    has_previous, has_next = (more, not last) if backwards else (bool(place), more)
    return Slice(
        page,
        previous=order.cursor(page[0]) if page and has_previous else "",
        next=order.cursor(page[-1]) if page and has_next else "",
    )


def encoded(*values: Any) -> str:
    """Values of a row as a text for addresses.  Dates become text."""
    return base64.urlsafe_b64encode(json.dumps(values, default=str).encode()).decode().rstrip("=")


def decoded(cursor: str, length: int) -> list[Any]:
    """The values in a cursor.  Raises NotACursor."""
    try:
        values = json.loads(base64.urlsafe_b64decode(cursor.encode() + b"=" * (-len(cursor) % 4)))
    except (ValueError, binascii.Error, RecursionError):
        values = None
    if not isinstance(values, list) or len(values) != length:
        raise NotACursor(cursor)
    return values
