"""What `manage.py check` and `make up` look at beyond the settings: whether what they name can be used."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.core.mail import get_connection
from django.db import connection

from accounts import names
from accounts.models import Namespace
from gatehub import mail_webhooks


@register
def mail_service(app_configs: Any, **_: Any) -> list[CheckMessage]:
    """Makes what sends and what listens, as it is made for each mail: keys that cannot be read are told of now."""
    if not settings.MAIL_SERVICE:
        return []
    problems: list[CheckMessage] = []
    service = settings.MAIL_SERVICE
    try:
        get_connection()
    except Exception as error:  # noqa: BLE001 - each service's part has errors of its own.
        problems.append(_unusable("GATEHUB_EMAIL_URL", f"mails cannot be sent through {service}", error, "E001"))
    if settings.MAIL_WEBHOOKS:
        try:
            mail_webhooks.make(service)
        except Exception as error:  # noqa: BLE001
            what = f"the reports of {service} cannot be checked"
            problems.append(_unusable("ANYMAIL_*", what, error, "E002"))
    return problems


def _unusable(variable: str, what: str, error: Exception, number: str) -> Error:
    """Names the error and not its text, which may show a key."""
    hint = "Compare its variables with the service's pages and with docs/operators.md."
    return Error(f"{variable}: {what}: {type(error).__name__}", hint=hint, id=f"gatehub.{number}")


@register(Tags.database)
def nobody_is_named_like_the_admin(app_configs: Any, databases: Any = None, **_: Any) -> list[CheckMessage]:
    """Whose page would be hidden behind the admin's address."""
    if "default" not in (databases or []):
        return []
    if Namespace._meta.db_table not in connection.introspection.table_names():  # Before the first `migrate`.
        return []
    taken = Namespace.objects.named(names.first_of_admin_path()).first()
    if taken is None:
        return []
    said = f"GATEHUB_ADMIN_PATH: begins with {taken.name!r}, the name of a person or an organization"
    return [Error(said, hint="Choose another path: their page could not be seen.", id="gatehub.E003")]
