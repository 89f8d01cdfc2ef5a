"""Identity providers by which people sign in: reads `GATEHUB_SIGN_IN_*`, and says it as django-allauth takes it.

`GATEHUB_SIGN_IN_PROVIDERS` names them; what is said of one called `company` begins with `GATEHUB_SIGN_IN_COMPANY_`.
All speak OpenID Connect, but for `github`.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

from gatehub import env

GITHUB = "github"
_ISSUERS = {"google": "https://accounts.google.com", "gitlab": "https://gitlab.com"}
_NAMES = {"google": "Google", "gitlab": "GitLab", GITHUB: "GitHub"}
_ID = re.compile(r"[a-z][a-z0-9-]{0,30}", re.ASCII)
_LIST = "GATEHUB_SIGN_IN_PROVIDERS"


def providers(*, open_sign_up: bool) -> dict[str, dict[str, Any]]:
    """For SOCIALACCOUNT_PROVIDERS; empty when none is named.  Raises ImproperlyConfigured with the variable's name."""
    ids = env.words(_LIST)
    if len(set(ids)) != len(ids):
        raise env.refuse(_LIST, "names a provider twice")
    found: dict[str, dict[str, Any]] = {}
    for id_ in ids:
        if not _ID.fullmatch(id_):
            raise env.refuse(_LIST, f"each name must be small letters, digits and '-', such as company, not {id_!r}")
        prefix = f"GATEHUB_SIGN_IN_{id_.upper().replace('-', '_')}_"
        kind, extra = (GITHUB, _github(prefix)) if id_ == GITHUB else ("openid_connect", _oidc(id_, prefix))
        app = {
            "provider_id": id_,
            "name": env.text(f"{prefix}NAME", _NAMES.get(id_, id_.replace("-", " ").capitalize())),
            "client_id": env.text(f"{prefix}CLIENT_ID"),
            "secret": env.text(f"{prefix}CLIENT_SECRET"),
            "settings": {
                "sign_up": env.flag(f"{prefix}SIGN_UP", "1" if open_sign_up else "0"),
                "trust_addresses": env.flag(f"{prefix}TRUST_ADDRESSES", "0"),
                "oauth_pkce_enabled": True,
            },
        }
        app["settings"] |= extra.pop("settings", {})
        found.setdefault(kind, {"provider_class": _CLASSES[kind], "APPS": []} | extra)["APPS"].append(app)
    return found


_CLASSES = {
    "openid_connect": "gatehub.web.identity_providers.OpenIDConnect",
    GITHUB: "gatehub.web.identity_providers.GitHub",
}


def _oidc(id_: str, prefix: str) -> dict[str, Any]:
    name = f"{prefix}ISSUER"
    issuer = env.url(name, _ISSUERS.get(id_) or env.text(name), schemes=["https", "http"])
    return {"settings": {"server_url": _safe(name, issuer)}}


def _github(prefix: str) -> dict[str, Any]:
    """Of GitHub Enterprise Server, where the address is given."""
    name = f"{prefix}URL"
    if not env.text(name, ""):
        return {}
    return {"GITHUB_URL": _safe(name, env.url(name, "", schemes=["https", "http"]))}


def _safe(name: str, url: str) -> str:
    """What a provider says is believed, so nobody on the way may say it instead."""
    if not is_safe(url):
        raise env.refuse(name, f"must begin with https://, unless it is on this machine, not {url!r}")
    return url


def is_safe(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme == "https" or (parts.scheme == "http" and env.is_this_machine(parts.hostname or ""))
