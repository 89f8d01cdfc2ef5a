from __future__ import annotations

from django.apps import AppConfig


class GatehubConfig(AppConfig):
    name = "gatehub"

    def ready(self) -> None:
        # Django learns of checks, and drf-spectacular of its extensions, by their import.
        from gatehub import checks, openapi  # noqa: F401
