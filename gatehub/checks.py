"""What `manage.py check` and `make up` look at beyond the settings: whether what the mail service needs can be used."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register
from django.core.mail import get_connection

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
