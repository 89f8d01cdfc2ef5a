"""Keeps secrets out of the database's plain text: whoever reads a copy of it learns none of them."""

from __future__ import annotations

import base64
import hashlib

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings


class CannotOpen(ValueError):
    """It was sealed with a key that this server does not know any more, or was changed."""


def seal(text: str, *, purpose: str) -> str:
    """`purpose` names what it is for: what was sealed for one thing does not open for another."""
    return _keys(purpose).encrypt(text.encode()).decode()


def open_(sealed: str, *, purpose: str) -> str:
    """What was sealed.  Raises CannotOpen."""
    try:
        return _keys(purpose).decrypt(sealed.encode()).decode()
    except InvalidToken:
        raise CannotOpen("It was sealed with another GATEHUB_SECRET_KEY.") from None


def _keys(purpose: str) -> MultiFernet:
    secrets = [str(secret) for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)]
    digests = [hashlib.sha256(f"{purpose}:{secret}".encode()).digest() for secret in secrets]
    return MultiFernet([Fernet(base64.urlsafe_b64encode(digest)) for digest in digests])
