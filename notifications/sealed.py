"""Keeps secrets out of the database's plain text: account mails wait with links in them that open accounts."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings

_PURPOSE = b"gatehub.notifications.sealed:"


class CannotOpen(ValueError):
    """It was sealed with a key that this server does not know any more, or was changed."""


def seal(said: dict[str, Any]) -> str:
    return _keys().encrypt(json.dumps(said).encode()).decode()


def open_(sealed: str) -> dict[str, Any]:
    """What was sealed.  Raises CannotOpen."""
    try:
        opened = json.loads(_keys().decrypt(sealed.encode()))
    except InvalidToken:
        raise CannotOpen("The mail was sealed with another GATEHUB_SECRET_KEY.") from None
    assert isinstance(opened, dict)
    return opened


def _keys() -> MultiFernet:
    secrets = [str(secret) for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)]
    digests = [hashlib.sha256(_PURPOSE + secret.encode()).digest() for secret in secrets]
    return MultiFernet([Fernet(base64.urlsafe_b64encode(digest)) for digest in digests])
