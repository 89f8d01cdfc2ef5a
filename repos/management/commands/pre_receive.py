"""git's pre-receive hook: what a push may bring.  Not for operators."""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.errors import HubError
from repos import pushes
from repos.models import Repo


class Command(BaseCommand):
    help = "Run by git during a push: checks what it brings before any branch moves."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("repo", type=int)

    def handle(self, *args: Any, **options: Any) -> None:
        changes = [pushes.RefChange(*line.split(maxsplit=2)) for line in sys.stdin.read().splitlines()]
        try:
            pushes.check(Repo.objects.select_related("namespace").get(pk=options["repo"]), changes)
        except HubError as error:
            raise CommandError(error.message) from None
        except Exception as error:  # noqa: BLE001 - git shows the pusher what a hook prints: not our paths.
            raise CommandError(f"The push could not be checked ({type(error).__name__}). Try again.") from None
