from __future__ import annotations

from django.apps import AppConfig


class GatehubConfig(AppConfig):
    name = "gatehub"

    def ready(self) -> None:
        # Django learns of checks, drf-spectacular of its extensions, and signals of receivers by their import.
        from gatehub import checks, openapi, second_factors  # noqa: F401
        from gatehub.staff import groups

        groups.listen()
