from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts import services
from accounts.actor import SYSTEM
from accounts.errors import HubError
from gatehub import second_factors


class Command(BaseCommand):
    help = "Take all second factors from a person who has lost them. Ends their sessions, and tells them by mail."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("user")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            user = services.get_user(options["user"])
            second_factors.reset(user, by=SYSTEM)
        except HubError as error:
            raise CommandError(error.message) from None
        self.stderr.write(f"{user.username} signs in with the password alone now, until they add a second factor.")
