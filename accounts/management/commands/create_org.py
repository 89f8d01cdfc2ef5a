from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts import services
from accounts.actor import SYSTEM
from accounts.errors import HubError


class Command(BaseCommand):
    help = "Create an organization with its first admin."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name")
        parser.add_argument("--admin", required=True, metavar="USER")
        parser.add_argument("--fullname", default="")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            admin = services.get_user(options["admin"])
            services.create_organization(name=options["name"], admin=admin, fullname=options["fullname"], by=SYSTEM)
        except HubError as error:
            raise CommandError(error.message) from None
        self.stderr.write(f"Created {options['name']}, with {admin.username} as its admin.")
