from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from access import tokens
from access.models import AccessToken
from accounts import services
from accounts.actor import SYSTEM
from accounts.errors import HubError


class Command(BaseCommand):
    help = "Create an access token for a person. Prints the token, and nothing else, on standard output."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("user")
        parser.add_argument("--name", required=True)
        parser.add_argument("--role", required=True, choices=[AccessToken.Role.READ, AccessToken.Role.WRITE])

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            user = services.get_user(options["user"])
            _, secret = tokens.create(user=user, name=options["name"], role=options["role"], by=SYSTEM)
        except HubError as error:
            raise CommandError(error.message) from None
        self.stdout.write(secret)
