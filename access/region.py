"""The country of a network address, from a MaxMind-format database (GeoLite2-Country and its like).

`settings.GATEHUB_GEOIP_DB` names the file; "" means that there is none.  Not knowing is an answer: "".

No database knows the addresses of private networks.  `settings.GATEHUB_LOCAL_COUNTRY` says where the operator's own
are; "" leaves them unknown.
"""

from __future__ import annotations

import ipaddress
import logging
import re
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import maxminddb
from django.conf import settings

logger = logging.getLogger(__name__)

# ISO 3166-1 alpha-2.  Source: European Union, "Country profiles", 27 members since 2020-02-01.
EU_MEMBERS: Final = frozenset(
    "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK".split()
)

# Regions of members with a code of their own, in which the law of the Union applies: the outermost regions of France,
# and Åland.  Source: articles 349 and 355 of the Treaty on the Functioning of the European Union.
EU_TERRITORIES: Final = frozenset("AX GF GP MF MQ RE YT".split())

# Loopback, private, link-local, and shared addresses: RFC 1122, 1918, 3927, 4193, 4291 and 6598.
LOCAL_NETWORKS: Final = [
    ipaddress.ip_network(network)
    for network in (
        "127.0.0.0/8 10.0.0.0/8 172.16.0.0/12 192.168.0.0/16 169.254.0.0/16 100.64.0.0/10 ::1/128 fc00::/7 fe80::/10"
    ).split()
]


@dataclass(frozen=True)
class _Opened:
    """The reader of one state of the file, or None where that could not be opened."""

    file: tuple[str, int, int, int]
    reader: maxminddb.Reader | None


_lock: Final = threading.Lock()
_opened: _Opened | None = None


def country_of(address: str) -> str:
    """The alpha-2 code of the country that `address` (IPv4 or IPv6) is in, or "" when that is not known."""
    return _located(address)[0]


def is_in_union(address: str) -> bool | None:
    """Whether `address` is in the European Union, None when that is not known."""
    country, is_said_to_be = _located(address)
    if is_said_to_be or country in EU_MEMBERS or country in EU_TERRITORIES:
        return True
    return False if country else None


def _located(address: str) -> tuple[str, bool]:
    """The country, and whether the database says by itself that it is in the Union."""
    reader = _reader()
    if reader is None:
        return "", False
    try:
        ip = ipaddress.ip_address(address.strip().partition("%")[0])
        ip = getattr(ip, "ipv4_mapped", None) or ip
        found = reader.get(ip)
    except Exception:  # noqa: BLE001 - no address, or a damaged file, on which maxminddb raises nearly anything.
        return "", False
    code = _code(found) or (settings.GATEHUB_LOCAL_COUNTRY if _is_local(ip) else "")
    return code, _is_said_to_be_in_union(found)


def _is_local(ip: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    return any(ip in network for network in LOCAL_NETWORKS)


def is_set() -> bool:
    """Whether the operator wants rules about countries to be applied, even if the database cannot be read."""
    return bool(_path())


def is_enforceable() -> bool:
    """Whether a rule about countries can be applied: a database is set and can be read."""
    return _reader() is not None


def enforcement() -> str:
    """What becomes of rules about countries on this server: `enforced`, `unset` (nobody is refused), or `unreadable`
    (everybody is)."""
    if is_enforceable():
        return "enforced"
    return "unreadable" if is_set() else "unset"


def _code(found: Any) -> str:
    """The country in a record: `{"country": {"iso_code": "FR"}}`; some vendors have `{"country_code": "FR"}`."""
    record = found if isinstance(found, dict) else {}
    country = record.get("country")
    code = country.get("iso_code") if isinstance(country, dict) else record.get("country_code", country)
    return code if isinstance(code, str) and re.fullmatch("[A-Z]{2}", code) else ""


def _is_said_to_be_in_union(found: Any) -> bool:
    """Of a record like `{"country": {"is_in_european_union": true}}`."""
    country = found.get("country") if isinstance(found, dict) else None
    return isinstance(country, dict) and country.get("is_in_european_union") is True


def _reader() -> maxminddb.Reader | None:
    """The one reader of this process, opened again when the file is another or has changed."""
    global _opened
    path = _path()
    if not path:
        return None
    try:
        status = Path(path).stat()
        file = (path, status.st_ino, status.st_size, status.st_mtime_ns)
    except (OSError, ValueError):
        file = (path, 0, 0, 0)
    opened = _opened
    if opened is None or opened.file != file:
        with _lock:
            opened = _opened
            if opened is None or opened.file != file:
                last = opened.reader if opened is not None and opened.file[0] == path else None
                _opened = opened = _Opened(file, _open(path, last))
    return opened.reader


def _path() -> str:
    return str(getattr(settings, "GATEHUB_GEOIP_DB", "") or "")


def _open(path: str, last: maxminddb.Reader | None) -> maxminddb.Reader | None:
    """The reader of the file; where it cannot be read, `last`, its last good one in this process."""
    try:
        # In memory, because a mapped file that is overwritten in place would kill the process.
        return maxminddb.open_database(path, maxminddb.MODE_MEMORY)
    except Exception as error:  # noqa: BLE001 - see country_of.
        so = "so no country is known" if last is None else "so the one of before stays in use"
        logger.warning("The GeoIP database %s cannot be read, %s: %s", path, so, error)
        return last
