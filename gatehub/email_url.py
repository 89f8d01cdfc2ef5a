"""Reads `GATEHUB_EMAIL_URL`: how mails leave, by SMTP or through a mail service of which django-anymail knows the API.

What a service needs comes from `ANYMAIL_*` variables.  They hold secrets, so a refusal names them and shows no value.
"""

from __future__ import annotations

import importlib.util
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import dj_email_url

from gatehub import env

_NAME: Final = "GATEHUB_EMAIL_URL"


@dataclass(frozen=True, slots=True)
class Service:
    """What a mail service's part of django-anymail must be told, may be told, and how its webhooks prove themselves.

    `key` is the variable with which its own signatures are checked; `only_signed` says that nothing but them will do.
    """

    needs: tuple[str, ...] = ()
    takes: tuple[str, ...] = ()
    key: str = ""
    only_signed: bool = False
    webhooks: bool = True
    package: str = ""
    package_for_key: str = ""


SERVICES: Final[Mapping[str, Service]] = {
    "amazon_ses": Service(
        takes=(
            "AMAZON_SES_SESSION_PARAMS",
            "AMAZON_SES_CLIENT_PARAMS",
            "AMAZON_SES_CONFIGURATION_SET_NAME",
            "AMAZON_SES_MESSAGE_TAG_NAME",
            "AMAZON_SES_AUTO_CONFIRM_SNS_SUBSCRIPTIONS",
        ),
        package="boto3",
    ),
    "brevo": Service(needs=("BREVO_API_KEY",), takes=("BREVO_API_URL",)),
    "mailersend": Service(
        needs=("MAILERSEND_API_TOKEN",),
        takes=("MAILERSEND_API_URL",),
        key="MAILERSEND_SIGNING_SECRET",
        only_signed=True,
    ),
    "mailgun": Service(
        needs=("MAILGUN_API_KEY",),
        takes=("MAILGUN_SENDER_DOMAIN", "MAILGUN_API_URL"),
        key="MAILGUN_WEBHOOK_SIGNING_KEY",
        only_signed=True,
    ),
    "mailjet": Service(needs=("MAILJET_API_KEY", "MAILJET_SECRET_KEY"), takes=("MAILJET_API_URL",)),
    "mailtrap": Service(
        needs=("MAILTRAP_API_TOKEN",),
        takes=("MAILTRAP_SANDBOX_ID", "MAILTRAP_API_URL"),
        key="MAILTRAP_TRACKING_SECRET",
    ),
    "mandrill": Service(
        needs=("MANDRILL_API_KEY",),
        takes=("MANDRILL_API_URL", "MANDRILL_WEBHOOK_URL"),
        key="MANDRILL_WEBHOOK_KEY",
        only_signed=True,
    ),
    "postal": Service(needs=("POSTAL_API_KEY", "POSTAL_API_URL"), key="POSTAL_WEBHOOK_KEY", only_signed=True),
    "postmark": Service(
        needs=("POSTMARK_SERVER_TOKEN",),
        takes=("POSTMARK_MESSAGE_STREAM", "POSTMARK_USE_BULK_API", "POSTMARK_GENERATE_MESSAGE_ID", "POSTMARK_API_URL"),
    ),
    "resend": Service(
        needs=("RESEND_API_KEY",), takes=("RESEND_API_URL",), key="RESEND_SIGNING_SECRET", package_for_key="svix"
    ),
    "scaleway": Service(
        needs=("SCALEWAY_SECRET_KEY", "SCALEWAY_PROJECT_ID"),
        takes=("SCALEWAY_REGION", "SCALEWAY_API_URL"),
        webhooks=False,
    ),
    "sendgrid": Service(
        needs=("SENDGRID_API_KEY",),
        takes=("SENDGRID_API_URL",),
        key="SENDGRID_TRACKING_WEBHOOK_VERIFICATION_KEY",
    ),
    "sparkpost": Service(needs=("SPARKPOST_API_KEY",), takes=("SPARKPOST_SUBACCOUNT", "SPARKPOST_API_URL")),
    # Its webhooks are signed with the API key.
    "unisender_go": Service(
        needs=("UNISENDER_GO_API_KEY", "UNISENDER_GO_API_URL"), key="UNISENDER_GO_API_KEY", only_signed=True
    ),
}
"""By django-anymail's names; it also has backends for tests, and an old name of Brevo's."""

_FOR_ALL: Final = ("WEBHOOK_SECRET", "SEND_DEFAULTS")


@dataclass(frozen=True, slots=True)
class Mail:
    """How mails leave.  `smtp` holds Django's `EMAIL_*` settings, `anymail` those of django-anymail."""

    backend: str
    smtp: Mapping[str, Any] = field(default_factory=dict)
    service: str = ""
    anymail: Mapping[str, Any] = field(default_factory=dict)
    webhooks: bool = False
    """Whether the service may tell what became of a mail, and can prove that it is the service."""


def read() -> Mail:
    """What GATEHUB_EMAIL_URL says; `.eml` files where it is not set.  Raises ImproperlyConfigured."""
    said = env.text(_NAME, "")
    if not said:
        return Mail("notifications.backends.EmlFileBackend")
    scheme = said.partition(":")[0]
    if scheme == "console":
        return Mail("django.core.mail.backends.console.EmailBackend")
    if scheme in _SMTP:
        return Mail("django.core.mail.backends.smtp.EmailBackend", smtp=_smtp(said, scheme))
    if scheme == "anymail":
        return _anymail(said)
    raise env.refuse(_NAME, f"must start with {', '.join(f'{known}:' for known in _SMTP)}, anymail: or console:")


# --- SMTP -----------------------------------------------------------------------------------------------------------

_SMTP: Final[Mapping[str, Mapping[str, Any]]] = {
    "smtp": {"EMAIL_PORT": 25},
    "smtp+tls": {"EMAIL_PORT": 587, "EMAIL_USE_TLS": True, "EMAIL_USE_SSL": False},
    "smtp+ssl": {"EMAIL_PORT": 465, "EMAIL_USE_TLS": False, "EMAIL_USE_SSL": True},
}


def _smtp(said: str, scheme: str) -> dict[str, Any]:
    try:
        parts = urlsplit(said)
        # It knows these schemes by other names, and 25 as the only port.
        parsed = dj_email_url.parse(f"file:{said.partition(':')[2]}")
    except (ValueError, KeyError):
        raise env.refuse(_NAME, f"cannot be read; it looks like {scheme}://user:password@host:port") from None
    if parts.fragment or parts.path.strip("/"):
        raise env.refuse(_NAME, "has something behind the host; '/', '?', '#' and '@' in a password are written %2F, …")
    unknown = sorted(set(parse_qs(parts.query, keep_blank_values=True)) - {"ssl", "tls"})
    if unknown:
        raise env.refuse(_NAME, "has options that are not known; only ssl=1 and tls=1 are, and GATEHUB_EMAIL_TIMEOUT")
    if bool(parsed["EMAIL_HOST_USER"]) != bool(parsed["EMAIL_HOST_PASSWORD"]):
        raise env.refuse(_NAME, "has a user without a password, or a password without a user")
    if scheme != "smtp" and not parsed["EMAIL_HOST"]:
        raise env.refuse(_NAME, f"names no host; it looks like {scheme}://user:password@host:port")
    names = ("EMAIL_HOST", "EMAIL_PORT", "EMAIL_HOST_USER", "EMAIL_HOST_PASSWORD", "EMAIL_USE_TLS", "EMAIL_USE_SSL")
    read = {name: parsed[name] for name in names}
    defaults = _SMTP[scheme]
    read |= {name: value for name, value in defaults.items() if name != "EMAIL_PORT"}
    read["EMAIL_HOST"] = read["EMAIL_HOST"] or "localhost"
    read["EMAIL_PORT"] = read["EMAIL_PORT"] or defaults["EMAIL_PORT"]
    return read | {name: read[name] or "" for name in ("EMAIL_HOST_USER", "EMAIL_HOST_PASSWORD")}


# --- Services -------------------------------------------------------------------------------------------------------


def _anymail(said: str) -> Mail:
    name = said.removeprefix("anymail://").rstrip("/").lower().replace("-", "_")
    service = SERVICES.get(name)
    if service is None:
        raise env.refuse(_NAME, f"names no service that is known; behind anymail:// comes one of {', '.join(SERVICES)}")
    if service.package and importlib.util.find_spec(service.package) is None:
        raise env.refuse(_NAME, f"needs a package that is not installed; run: pip install {service.package}")
    _refuse_unknown()
    anymail = _settings_of(service)
    anymail["REQUESTS_TIMEOUT"] = timeout()
    return Mail(
        f"anymail.backends.{name}.EmailBackend",
        service=name,
        anymail=anymail,
        webhooks=_has_webhooks(service, anymail),
    )


def timeout() -> int:
    """Seconds that a mail server or a service may take for one step."""
    return env.integer("GATEHUB_EMAIL_TIMEOUT", 20, least=1, most=120)


def _settings_of(service: Service) -> dict[str, Any]:
    for needed in service.needs:
        env.text(f"ANYMAIL_{needed}")  # Refused when it is missing.
    names = [*service.needs, *service.takes, *([service.key] if service.key else []), *_FOR_ALL]
    values = {name: _value(name) for name in names if os.environ.get(f"ANYMAIL_{name}", "").strip()}
    for name, value in values.items():
        if name.endswith(("_KEY", "_TOKEN", "_SECRET")) and isinstance(value, str) and not value.isascii():
            raise env.refuse(f"ANYMAIL_{name}", "has characters outside of ASCII, which no key has")
    package = service.package_for_key
    if package and service.key in values and importlib.util.find_spec(package) is None:
        why = (
            f"needs a package that is not installed; run: pip install {package}, or set ANYMAIL_WEBHOOK_SECRET instead"
        )
        raise env.refuse(f"ANYMAIL_{service.key}", why)
    return values


def _has_webhooks(service: Service, anymail: Mapping[str, Any]) -> bool:
    if not service.webhooks:
        return False
    signed = bool(service.key) and service.key in anymail
    return signed or (not service.only_signed and "WEBHOOK_SECRET" in anymail)


def _refuse_unknown() -> None:
    """A variable that is spelled wrong would be a setting that is missing: webhooks that nobody checks, for one."""
    known = {f"ANYMAIL_{name}" for name in _FOR_ALL}
    for service in SERVICES.values():
        known |= {f"ANYMAIL_{name}" for name in (*service.needs, *service.takes, service.key) if name}
    for name in sorted(os.environ):
        if name.startswith("ANYMAIL_") and name not in known:
            raise env.refuse(name, "is not known; docs/operators.md lists the variables of each mail service")


def _value(name: str) -> Any:
    variable = f"ANYMAIL_{name}"
    for end, read in _READERS.items():
        if name.endswith(end):
            return read(variable)
    return env.text(variable)


def _webhook_secrets(variable: str) -> list[str]:
    secrets = env.words(variable)
    for secret in secrets:
        user, _, password = secret.partition(":")
        if not user or len(password) < 16:
            why = "must be user:password, with a password of at least 16 characters; or several, with commas between"
            raise env.refuse(variable, why)
    return secrets


def _object(variable: str) -> dict[str, Any]:
    try:
        value = json.loads(env.text(variable))
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise env.refuse(variable, 'must be a JSON object, such as {"region_name": "eu-west-1"}')
    return value


def _flag(variable: str) -> bool:
    return env.flag(variable, "0")


_READERS: Final[Mapping[str, Callable[[str], Any]]] = {
    "WEBHOOK_SECRET": _webhook_secrets,
    "_PARAMS": _object,
    "SEND_DEFAULTS": _object,
    "_USE_BULK_API": _flag,
    "_GENERATE_MESSAGE_ID": _flag,
    "_AUTO_CONFIRM_SNS_SUBSCRIPTIONS": _flag,
    "_API_URL": lambda variable: env.url(variable, "", schemes=["https", "http"]) + "/",
}
"""By how a variable's name ends; what is not here is text."""
