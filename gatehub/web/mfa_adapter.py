"""How django-allauth keeps second factors here: secrets sealed, and in words of ours."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from allauth.mfa.adapter import DefaultMFAAdapter
from django.conf import settings

from accounts import sealed
from accounts.errors import Conflict
from accounts.models import User
from accounts.sealed import CannotOpen

_PURPOSE = "gatehub.second-factors"


class MfaAdapter(DefaultMFAAdapter):  # type: ignore[misc]  # allauth has no types.
    error_messages = DefaultMFAAdapter.error_messages | {
        "incorrect_code": "That is not right. Take the code that is shown now; each is good once.",
        "unverified_email": "Confirm your primary email address first: a mail to it lets you in when all else fails.",
        "cannot_generate_recovery_codes": "Recovery codes stand in for an authenticator app or a key. Add one first.",
    }

    def encrypt(self, text: str) -> str:
        return sealed.seal(text, purpose=_PURPOSE)

    def decrypt(self, encrypted_text: str) -> str:
        try:
            return sealed.open_(encrypted_text, purpose=_PURPOSE)
        except CannotOpen:
            raise Conflict(
                "This server cannot read your authenticator app's secret any more: its GATEHUB_SECRET_KEY was changed.",
                next_step="Ask the people who run this server to reset your second factor.",
            ) from None

    def get_totp_issuer(self) -> str:
        return f"GateHub on {urlsplit(settings.PUBLIC_URL).netloc}"

    def get_totp_label(self, user: Any) -> str:
        return str(user.username)

    def generate_authenticator_name(self, user: User, type: str) -> str:  # noqa: A002 - allauth calls it so.
        return ""
