"""SQLite's LIKE finds letters of any script in any case, as PostgreSQL does; its own knows those of ASCII only.

Only where a text is looked for within others: names and addresses that are compared as a whole stay as SQLite compares
them, or a sign that folds to an ASCII letter would make two of them one.  Source: https://sqlite.org/lang_expr.html#like
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

_REMEMBERED = 256
"""Patterns: a page has few, and a list compares its rows with the same."""


def install() -> None:
    """For each connection to SQLite from now on."""
    connection_created.connect(_prepare, dispatch_uid="accounts.like")


def _prepare(connection: BaseDatabaseWrapper, **kwargs: Any) -> None:
    if connection.vendor == "sqlite":
        # With ESCAPE, as Django writes it.
        connection.connection.create_function("like", 3, like, deterministic=True)


def like(pattern: Any, value: Any, escape: str) -> bool | None:
    """`value LIKE pattern ESCAPE escape`."""
    if pattern is None or value is None:
        return None
    return _matcher(str(pattern), escape)(value if isinstance(value, str) else str(value))


@lru_cache(_REMEMBERED)
def _matcher(pattern: str, escape: str) -> Callable[[str], bool]:
    parts = re.findall(rf"{re.escape(escape)}(.)|(%)|(.)", pattern, re.DOTALL)
    if len(parts) > 1 and parts[0][1] and parts[-1][1] and not any(any_ or one == "_" for _, any_, one in parts[1:-1]):
        within = "".join(escaped or one for escaped, _, one in parts[1:-1])
        folded = within.casefold()
        return lambda text: within in text or folded in text.casefold()
    wanted = "".join(".*" if any_ else "." if one == "_" else re.escape(escaped or one) for escaped, any_, one in parts)
    fits = re.compile(wanted, re.ASCII | re.IGNORECASE | re.DOTALL)
    return lambda text: fits.fullmatch(text) is not None
