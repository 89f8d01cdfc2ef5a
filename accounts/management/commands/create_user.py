from __future__ import annotations

from typing import Any

from django.contrib.auth.models import Group
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from accounts import services, standing
from accounts.actor import SYSTEM
from accounts.errors import HubError
from accounts.models import User


class Command(BaseCommand):
    help = "Create a person. The address counts as verified."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name")
        parser.add_argument("--email", required=True)
        parser.add_argument("--password", required=True)
        parser.add_argument("--fullname", default="")
        parser.add_argument("--staff", action="store_true", help="may sign in to the admin")
        parser.add_argument("--superuser", action="store_true", help="may do everything in the admin")
        parser.add_argument(
            "--group", action="append", default=[], metavar="GROUP", help="a group of the admin; may be given again"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        groups = _groups(options["group"])
        if groups and not (options["staff"] or options["superuser"]):
            raise CommandError("--group needs --staff: nobody else comes into the admin.")
        try:
            user = _make(options, groups)
        except HubError as error:
            raise CommandError(error.message) from None
        try:
            validate_password(options["password"], user)
        except ValidationError as error:  # As with Django's own createsuperuser, the operator decides.
            self.stderr.write(f"Warning: the password is weak. {' '.join(error.messages)}")
        self.stderr.write(f"Created {user.username}.")


def _groups(names: list[str]) -> list[Group]:
    found = {group.name: group for group in Group.objects.all()}
    for name in names:
        if name not in found:
            raise CommandError(f"There is no group {name!r}; there are {', '.join(sorted(found))}.")
    return [found[name] for name in names]


@transaction.atomic
def _make(options: dict[str, Any], groups: list[Group]) -> User:
    is_staff, is_superuser = options["staff"], options["superuser"]
    user = services.create_user(
        username=options["name"],
        email=options["email"],
        password=options["password"],
        fullname=options["fullname"],
        is_staff=is_staff,
        is_superuser=is_superuser,
        by=SYSTEM,
    )
    if groups:
        standing.set_rights(user, by=SYSTEM, is_staff=is_staff, is_superuser=is_superuser, groups=groups)
    return user
