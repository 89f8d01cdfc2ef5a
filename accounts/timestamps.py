"""Moments as PostgreSQL writes them, read by Python's own parser.

Django's reader of them is psycopg's in Python with a regular expression, which took longer than the rest of a row.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.db.backends.postgresql.psycopg_any import BaseTzLoader, get_adapters_template


class TimestampLoader(BaseTzLoader):  # type: ignore[misc]  # Django's types know the older psycopg.
    """As Django's, in UTC."""

    timezone = UTC

    def load(self, data: Any) -> datetime:
        try:
            moment = datetime.fromisoformat(bytes(data).decode())
        except ValueError:  # Of years that Python does not know, or in another style: as psycopg says.
            said: datetime = super().load(data)
            return said
        return moment if moment.tzinfo is UTC else moment.astimezone(UTC)


def install() -> None:
    """Into what all sessions of PostgreSQL begin with."""
    get_adapters_template(settings.USE_TZ, UTC).register_loader("timestamptz", TimestampLoader)
