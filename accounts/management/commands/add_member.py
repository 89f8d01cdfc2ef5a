from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts import services
from accounts.actor import SYSTEM
from accounts.errors import HubError
from accounts.models import Membership


class Command(BaseCommand):
    help = "Make a person a member of an organization, or change the role of a member."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("org")
        parser.add_argument("user")
        parser.add_argument("--role", required=True, choices=Membership.Role.values)

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            organization = services.get_organization(options["org"])
            user = services.get_user(options["user"])
            services.set_role(organization=organization, user=user, role=options["role"], by=SYSTEM)
        except HubError as error:
            raise CommandError(error.message) from None
        self.stderr.write(f"{user.username} is now {options['role']} in {organization.name}.")
