from __future__ import annotations

from django.apps import AppConfig


class GatehubConfig(AppConfig):
    name = "gatehub"
