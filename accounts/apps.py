from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from django.db import connections
from django.db.models.signals import post_migrate

from accounts import like, timestamps, triggers


class AccountsConfig(AppConfig):
    name = "accounts"

    def ready(self) -> None:
        timestamps.install()
        like.install()
        post_migrate.connect(_look_after_triggers, sender=self)


def _look_after_triggers(using: str, plan: Any = (), **kwargs: Any) -> None:
    """A migration that makes the table anew on SQLite loses its triggers, and rows could be changed."""
    connection = connections[using]
    if plan and "accounts_auditaddress" in connection.introspection.table_names():
        triggers.install(connection)
