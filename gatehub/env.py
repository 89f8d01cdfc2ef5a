"""Reads `GATEHUB_*` variables.  What cannot be read stops the start, with the name of the variable."""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Iterable
from email.utils import getaddresses
from pathlib import Path
from urllib.parse import urlsplit

import pycountry
from django.core.exceptions import ImproperlyConfigured

from accounts.names import RESERVED

_TRUE = {"1", "true", "yes", "on"}
_FALSE = {"0", "false", "no", "off", ""}
_SEGMENTS = re.compile(r"[A-Za-z0-9][A-Za-z0-9._~-]*(?:/[A-Za-z0-9][A-Za-z0-9._~-]*)*", re.ASCII)


def refuse(name: str, why: str) -> ImproperlyConfigured:
    return ImproperlyConfigured(f"{name}: {why}")


def text(name: str, default: str | None = None) -> str:
    """The variable as it stands.  Without a default it must be set and not empty."""
    value = os.environ.get(name, "").strip()
    if value:
        return value
    if default is None:
        raise refuse(name, "must be set")
    return default


def flag(name: str, default: str) -> bool:
    value = text(name, default).lower()
    if value in _TRUE:
        return True
    if value in _FALSE:
        return False
    raise refuse(name, f"must be one of 1, 0, true, false, yes, no, on, off, not {value!r}")


def integer(name: str, default: int, *, least: int = 0, most: int = 2**63 - 1) -> int:
    value = text(name, str(default))
    try:
        number = int(value)
    except ValueError:
        raise refuse(name, f"must be a whole number, not {value!r}") from None
    if not least <= number <= most:
        raise refuse(name, f"must be between {least} and {most}, not {number}")
    return number


def choice(name: str, default: str, allowed: Iterable[str]) -> str:
    value = text(name, default)
    allowed = list(allowed)
    if value not in allowed:
        raise refuse(name, f"must be one of {', '.join(allowed)}, not {value!r}")
    return value


def path(name: str, default: Path) -> Path:
    return Path(text(name, str(default))).expanduser().resolve()


def existing_file(name: str) -> str:
    """The path of a file that must be there, or an empty string when the variable is not set."""
    value = text(name, "")
    if value and not Path(value).is_file():
        raise refuse(name, f"there is no file at {value!r}")
    return value


def country(name: str) -> str:
    """A country's two letters as in ISO 3166-1, or an empty string when the variable is not set.

    XK, which ISO leaves to its users, is Kosovo in the databases of addresses.
    """
    value = text(name, "").upper()
    if value not in ("", "XK") and pycountry.countries.get(alpha_2=value) is None:
        raise refuse(name, f"must be the two letters of a country, such as US, not {value!r}")
    return value


def words(name: str, default: str = "") -> list[str]:
    return [word.strip() for word in text(name, default).split(",") if word.strip()]


def url(name: str, default: str, *, schemes: Iterable[str]) -> str:
    """An address with one of the schemes and a host, without a slash at the end."""
    value = text(name, default).rstrip("/")
    parts = urlsplit(value)
    schemes = list(schemes)
    try:
        port_is_readable = parts.port is None or parts.port >= 0
    except ValueError:
        port_is_readable = False
    if parts.scheme not in schemes or not parts.hostname or not port_is_readable:
        raise refuse(name, f"must be an address such as {schemes[0]}://host, not {value!r}")
    return value


def admin_path(name: str, default: str) -> str:
    """Segments of an address, such as `admin` or `staff-7f3a/door`, of which the first is no other page's."""
    value = text(name, default)
    if not _SEGMENTS.fullmatch(value):
        raise refuse(
            name,
            "must be one or more segments of letters, digits, '-', '_', '.' and '~', without a slash at either end, "
            f"such as admin or office/door, not {value!r}",
        )
    first = value.partition("/")[0].lower()
    if first in RESERVED - {"admin"}:
        raise refuse(name, f"must not begin with {first!r}, which is, or may become, another address of this server")
    return value


def is_this_machine(host: str) -> bool:
    """Whether whoever uses this host name or address comes from the machine itself."""
    bare = host.strip("[]").lower()
    try:
        return ipaddress.ip_address(bare).is_loopback
    except ValueError:
        return bare == "localhost"


def mailbox(name: str, default: str) -> str:
    """One sender of mails, such as `GateHub <gatehub@example.org>`, as Django takes it."""
    value = text(name, default)
    said = getaddresses([value])
    if len(said) != 1 or not value.isprintable() or not _looks_like_an_address(said[0][1]):
        raise refuse(name, f"must be one e-mail address such as GateHub <gatehub@example.org>, not {value!r}")
    return value


def _looks_like_an_address(address: str) -> bool:
    """A host alone, without a domain, will do: it is the sender's own."""
    user, _, host = address.rpartition("@")
    return bool(user and host) and not any(char.isspace() or char in ",;<>" for char in address)
