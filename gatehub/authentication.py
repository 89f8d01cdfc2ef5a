"""Who is asking: a token in the Authorization header, or a session.  Ends in an `Actor`."""

from __future__ import annotations

import base64
import binascii
import ipaddress
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from rest_framework import authentication as drf
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request

from access import tokens
from access.errors import InvalidCredentials
from access.models import AccessToken
from accounts.actor import Actor, Entrance
from accounts.models import User
from gatehub.errors import FormExpired


def token_in(header: str) -> str:
    """The token in an Authorization header: `Bearer TOKEN`, or `Basic` with the token as password, whoever the user.

    Raises InvalidCredentials for any other scheme: a header that is not understood must not make a stranger.
    """
    scheme, _, value = header.strip().partition(" ")
    value = value.strip()
    if scheme.lower() == "bearer":
        return value
    if scheme.lower() == "basic":
        try:
            user_and_password = base64.b64decode(value, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            raise InvalidCredentials from None
        return user_and_password.partition(":")[2]
    raise InvalidCredentials


class AccessTokenAuthentication(BaseAuthentication):
    """A user access token.  A header that opens nothing is refused; no header leaves it to the session."""

    def authenticate(self, request: Request) -> tuple[User, AccessToken] | None:
        header = request.headers.get("Authorization", "")
        if not header.strip():
            return None
        token = tokens.authenticate(token_in(header))
        return token.user, token

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="GateHub"'


class SessionAuthentication(drf.SessionAuthentication):
    """The session of a browser.  A form whose CSRF token does not fit is refused as on every page, with FormExpired."""

    def enforce_csrf(self, request: Request) -> None:
        try:
            super().enforce_csrf(request)
        except PermissionDenied:
            raise FormExpired from None


def check_csrf(request: Request | HttpRequest) -> None:
    """As the middleware does before a view.  Raises FormExpired."""
    SessionAuthentication().enforce_csrf(request)  # type: ignore[arg-type]  # It reads nothing that only DRF's have.


def is_of_this_site(request: HttpRequest) -> bool:
    """Whether the browser says that a page of this server sent the form.  All say it; who does not is not believed."""
    own = f"{request.scheme}://{request.get_host()}"
    return request.headers.get("Origin") in {own, *settings.CSRF_TRUSTED_ORIGINS}


def client_address(request: HttpRequest) -> str:
    """The caller's IP address; behind a trusted proxy, the one that the proxy saw.  Empty when there is none."""
    return address_in(request.META)


def address_in(meta: Mapping[str, Any]) -> str:
    """As `client_address`, of what the WSGI server tells."""
    address = meta.get("REMOTE_ADDR", "")
    if settings.BEHIND_PROXY:
        address = meta.get("HTTP_X_FORWARDED_FOR", "").split(",")[-1].strip() or address
    return _as_address(address)


@lru_cache(1024)
def _as_address(text: str) -> str:
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return ""


def actor_of(request: Request | HttpRequest, entrance: Entrance | None = None) -> Actor:
    """The caller as an `Actor`.  The entrance is the API for tokens and the page for sessions, unless named."""
    user = request.user if request.user.is_authenticated else None
    token = getattr(request, "auth", None)
    plain = request._request if isinstance(request, Request) else request
    return Actor(
        user=user,
        token=token,
        entrance=entrance or (Entrance.PAGE if token is None else Entrance.API),
        address=client_address(plain),
    )
