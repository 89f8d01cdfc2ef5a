"""A person's authenticator app, and the ways through the pages of second factors that many tests take."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import pytest
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.test import Client

from accounts.models import User

PERIOD = 30


@dataclass
class App:
    """An app with that secret, and a clock that is right."""

    secret: str

    def code(self, at: float | None = None) -> str:
        counter = int(time.time() if at is None else at) // PERIOD
        return str(format_hotp_value(hotp_value(self.secret, counter)))

    def wrong_code(self) -> str:
        """One that is right at no time near."""
        near = {self.code(time.time() + step * PERIOD) for step in range(-4, 5)}
        return next(code for code in ("000000", "111111", "222222") if code not in near)


SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


def give_app(user: User, secret: str = SECRET) -> App:
    """The person has set up an app."""
    TOTP.activate(user, secret)
    return App(secret)


def signed_in_with_factor(client: Client, user: User, *, ago: float = 0) -> Client:
    """As if the person had shown a factor in this session, so many seconds ago."""
    factor = user.authenticator_set.exclude(type="recovery_codes").first()  # type: ignore[attr-defined]
    assert factor is not None
    session: Any = client.session
    if SESSION_KEY not in session:
        session[SESSION_KEY] = str(user.pk)
        session[BACKEND_SESSION_KEY] = "accounts.backends.Backend"
        session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    record = {"method": "mfa", "at": time.time() - ago, "id": factor.pk, "type": factor.type}
    session["account_authentication_methods"] = [record]
    session["account_authentication_methods_user"] = str(user.pk)
    session.save()
    return client


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Any:
    """`clock(90)`: so many seconds pass."""
    real, passed = time.time, [0.0]
    monkeypatch.setattr(time, "time", lambda: real() + passed[0])

    def pass_(seconds: float) -> None:
        passed[0] += seconds

    return pass_
