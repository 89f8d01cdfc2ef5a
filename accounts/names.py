"""Which names people, organizations and repos may have.  Source: the clients' own rule, hub-protocol section 1.1."""

from __future__ import annotations

import re

from django.conf import settings

from accounts.errors import BadRequest, InvalidFields
from accounts.texts import can_be_shown

NAMESPACE_MAX_LENGTH = 42
REPO_ID_MAX_LENGTH = 96
FULLNAME_MAX_LENGTH = 120

_NAMESPACE = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?", re.ASCII)
_REPO = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9._-]*[A-Za-z0-9_])?", re.ASCII)

RESERVED = frozenset(
    """
    about account accounts admin api apps assets auth avatars blob blog cas chat collections contact dataset datasets
    device docs downloads endpoints enterprise explore favicon.ico favicon.svg gatehub healthz help home inbox jobs
    join lfs login logout mail me metrics model models new notifications oauth organizations orgs password pricing
    privacy profile readyz redoc register reports requests resolve robots.txt root schema search security settings
    signin signup sitemap.xml spaces space static status support system tasks terms user users v1 v2 webhooks www
    """.split()
)
"""First segments of our own addresses, now or likely later, in lower case."""

RESERVED_REPO_NAMES = frozenset({"resolve"})
"""`/{name}/resolve/…` is an id without a namespace, which clients ask for, too."""


class InvalidName(BadRequest):
    """A name that no user, organization or repo can have."""


def clean_namespace(name: str) -> str:
    """The name, if a user or organization may have it."""
    if len(name) < 2 or len(name) > NAMESPACE_MAX_LENGTH:
        raise InvalidName(f"A name has 2 to {NAMESPACE_MAX_LENGTH} characters.")
    if not _NAMESPACE.fullmatch(name) or "--" in name or ".." in name or name.lower().endswith(".git"):
        raise InvalidName(
            "A name has letters, digits, '-', '_' and '.', starts and ends with a letter or digit, "
            "and contains neither '--' nor '..'."
        )
    if name.lower() in RESERVED or name.lower() == first_of_admin_path():
        raise InvalidName(f"The name {name!r} is reserved.")
    return name


def first_of_admin_path() -> str:
    """The first segment of the admin's address, in lower case: whoever had that name would never be seen."""
    return str(settings.ADMIN_PATH).partition("/")[0].lower()


def clean_fullname(fullname: str) -> str:
    """The full name of a person or an organization as it is kept, in one line.  Raises InvalidFields."""
    cleaned = " ".join(fullname.split())
    if len(cleaned) > FULLNAME_MAX_LENGTH:
        raise InvalidFields({"fullname": f"A full name has at most {FULLNAME_MAX_LENGTH} characters."})
    if not can_be_shown(cleaned):
        raise InvalidFields({"fullname": "The name contains characters that cannot be shown."})
    return cleaned


def clean_repo_name(namespace: str, name: str) -> str:
    """The name, if a repo in the namespace may have it."""
    if not name or len(f"{namespace}/{name}") > REPO_ID_MAX_LENGTH:
        raise InvalidName(f"A repo id, with its namespace, has at most {REPO_ID_MAX_LENGTH} characters.")
    if not _REPO.fullmatch(name) or "--" in name or ".." in name or name.lower().endswith(".git"):
        raise InvalidName(
            "A repo name has letters, digits, '-', '_' and '.', starts and ends with a letter, digit or '_', "
            "contains neither '--' nor '..', and does not end with '.git'."
        )
    if name.lower() in RESERVED_REPO_NAMES:
        raise InvalidName(f"The name {name!r} is reserved.")
    return name
