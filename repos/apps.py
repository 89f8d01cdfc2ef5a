from __future__ import annotations

from django.apps import AppConfig

from accounts.known_repos import known_repos


class ReposConfig(AppConfig):
    name = "repos"

    def ready(self) -> None:
        from repos import trail

        known_repos.keys, known_repos.name = trail.keys, trail.name
