from __future__ import annotations

from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts import services
from accounts.actor import SYSTEM
from accounts.errors import HubError


class Command(BaseCommand):
    help = "Create a person. The address counts as verified."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name")
        parser.add_argument("--email", required=True)
        parser.add_argument("--password", required=True)
        parser.add_argument("--fullname", default="")
        parser.add_argument("--staff", action="store_true", help="may sign in to the admin")
        parser.add_argument("--superuser", action="store_true", help="may do everything in the admin")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            user = services.create_user(
                username=options["name"],
                email=options["email"],
                password=options["password"],
                fullname=options["fullname"],
                is_staff=options["staff"],
                is_superuser=options["superuser"],
                by=SYSTEM,
            )
        except HubError as error:
            raise CommandError(error.message) from None
        try:
            validate_password(options["password"], user)
        except ValidationError as error:  # As with Django's own createsuperuser, the operator decides.
            self.stderr.write(f"Warning: the password is weak. {' '.join(error.messages)}")
        self.stderr.write(f"Created {user.username}.")
