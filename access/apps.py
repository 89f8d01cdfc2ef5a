from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from django.db import connections
from django.db.models.signals import post_migrate

from access import triggers


class AccessConfig(AppConfig):
    name = "access"

    def ready(self) -> None:
        from access import device  # noqa: F401 - its receiver listens once it is imported.

        post_migrate.connect(_look_after_triggers, sender=self)


def _look_after_triggers(using: str, plan: Any = (), **kwargs: Any) -> None:
    """A migration that makes the table anew on SQLite loses its triggers, and the next count would be wrong."""
    connection = connections[using]
    if plan and "access_requesttally" in connection.introspection.table_names():
        triggers.install(connection)
