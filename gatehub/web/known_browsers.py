"""Browsers in which a person has signed in before.

Wrong passwords are counted by the name that was typed, so that many addresses cannot guess at one account together.
That alone would let any stranger lock a person out for as long as he goes on.  So a browser in which the person has
signed in before, or has chosen a new password by mail, gets a cookie that says so, and is counted for itself.
After OWASP's "device cookies".
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any

from allauth.account.models import EmailAddress
from allauth.account.signals import password_reset
from django.conf import settings
from django.contrib.auth.signals import user_logged_in
from django.core import signing
from django.dispatch import receiver
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from accounts.models import User

COOKIE = "gatehub_known"
_SALT = "gatehub.known-browser"
_LIFETIME = 180 * 24 * 3600


class KnownBrowsers:
    """Sets the cookie in the answer to a sign-in."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        known = getattr(request, "known_browser_of", None)
        if known is not None:
            said = {"user": known, "browser": secrets.token_urlsafe(16)}
            response.set_cookie(
                COOKIE,
                signing.dumps(said, salt=_SALT),
                max_age=_LIFETIME,
                secure=settings.SESSION_COOKIE_SECURE,
                httponly=True,
                samesite="Lax",
            )
        return response


@receiver([user_logged_in, password_reset], dispatch_uid="gatehub.known_browsers")
def _remember(request: HttpRequest | None, user: User, **_: Any) -> None:
    if request is not None:
        request.known_browser_of = user.pk  # type: ignore[attr-defined]


def name_of(request: HttpRequest, login: str) -> str:
    """The name of this browser, if whoever signs in as `login` (user name or address) did so here before; or empty."""
    try:
        said = signing.loads(request.COOKIES.get(COOKIE, ""), salt=_SALT, max_age=_LIFETIME)
    except signing.BadSignature:
        return ""
    user = User.objects.filter(pk=said["user"]).first()
    if user is None:
        return ""
    addresses = EmailAddress.objects.filter(user=user).values_list("email", flat=True)
    if login.lower() not in {name.lower() for name in (user.username, user.email, *addresses)}:
        return ""
    return str(said["browser"])
