from __future__ import annotations

from django.apps import AppConfig
from django.contrib.admin import apps as admin


class GatehubConfig(AppConfig):
    name = "gatehub"
    default = True

    def ready(self) -> None:
        # Django learns of checks, drf-spectacular of its extensions, and signals of receivers by their import.
        from gatehub import checks, openapi, second_factors  # noqa: F401
        from gatehub.staff import groups
        from gatehub.web import account_trail  # noqa: F401

        groups.listen()


class StaffConfig(admin.AdminConfig):
    """Django's admin on our site."""

    default = False
    default_site = "gatehub.staff.site.StaffSite"
