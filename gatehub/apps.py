from __future__ import annotations

from django.apps import AppConfig


class GatehubConfig(AppConfig):
    name = "gatehub"

    def ready(self) -> None:
        from gatehub import openapi  # noqa: F401 - drf-spectacular learns of its extensions by their import.
