"""Who comes into the admin, and where all others are sent.

The sign-in is that of the pages, with its limits and second factors; the admin has none of its own.
"""

from __future__ import annotations

import time
from enum import Enum, auto

from allauth.account.adapter import get_adapter
from allauth.account.authentication import get_authentication_records
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import resolve_url
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme, urlencode

from accounts.errors import NotAllowed
from accounts.models import User
from gatehub import errors

CONFIRM_AFTER = 12 * 3600
"""Seconds for which the second factor, once shown, is good for the admin.  The session itself lives for weeks."""
_KEPT = "_gatehub_staff_standing"


class Standing(Enum):
    """What there is to say to whoever asks for the admin."""

    MAY_ENTER = auto()
    STRANGER = auto()
    NO_STAFF = auto()
    NEEDS_FACTOR = auto()
    """Staff without a second factor, where one is required."""
    NEEDS_CONFIRMATION = auto()
    """Staff with a second factor, which they did not show in this session, or long ago."""


def may_enter(request: HttpRequest) -> bool:
    return standing(request) is Standing.MAY_ENTER


def standing(request: HttpRequest) -> Standing:
    return _found(request)[0]


def lacks_factor(request: HttpRequest) -> bool:
    """For the notice to staff who come in without one, where it is optional."""
    return _found(request)[1]


def _found(request: HttpRequest) -> tuple[Standing, bool]:
    """Worked out once per request: the admin asks again and again."""
    kept = getattr(request, _KEPT, None)
    if kept is None or kept[0] != request.user.pk:
        kept = (request.user.pk, _look(request))
        setattr(request, _KEPT, kept)
    found: tuple[Standing, bool] = kept[1]
    return found


def _look(request: HttpRequest) -> tuple[Standing, bool]:
    user = request.user
    if not isinstance(user, User) or not user.is_authenticated:
        return Standing.STRANGER, False
    if not (user.is_active and user.is_staff):
        return Standing.NO_STAFF, False
    factors = _factors_of(user)
    if not any(type_ != Authenticator.Type.RECOVERY_CODES for type_ in factors.values()):
        optional = settings.ADMIN_SECOND_FACTOR == "optional"
        return (Standing.MAY_ENTER if optional else Standing.NEEDS_FACTOR), True
    return (Standing.MAY_ENTER if _showed_one_of(factors, request, user) else Standing.NEEDS_CONFIRMATION), False


def _factors_of(user: User) -> dict[int, str]:
    return dict(Authenticator.objects.filter(user=user).values_list("pk", "type"))


def _showed_one_of(factors: dict[int, str], request: HttpRequest, user: User) -> bool:
    """A factor that was removed since counts no more, so that what was stolen is of no use once it is removed."""
    now = time.time()
    return any(
        record.get("method") == "mfa" and record.get("id") in factors and 0 <= now - record["at"] < CONFIRM_AFTER
        for record in get_authentication_records(request, user)
    )


def where_to(request: HttpRequest) -> HttpResponse:
    """The answer to whoever may not enter: the way to what is missing, or a refusal in words."""
    match standing(request):
        case Standing.STRANGER:
            return _come_back_from(resolve_url(settings.LOGIN_URL), request)
        case Standing.NEEDS_CONFIRMATION:
            return _come_back_from(get_adapter().get_reauthentication_methods(request.user)[0]["url"], request)
        case Standing.NEEDS_FACTOR:
            return errors.respond(
                request,
                NotAllowed(
                    "The administration of this server needs a second factor, and your account has none.",
                    next_step="Add an authenticator app or a security key, then come back: {url}",
                    help_path=reverse("mfa_index"),
                ),
            )
        case Standing.NO_STAFF:
            return errors.respond(
                request,
                NotAllowed(
                    "The administration is for the staff of this server, and your account is not one of theirs.",
                    next_step="Sign in with another account, or ask the people who run this server.",
                ),
            )
        case Standing.MAY_ENTER:
            return HttpResponseRedirect(_wanted(request))


def _come_back_from(url: str, request: HttpRequest) -> HttpResponse:
    return HttpResponseRedirect(f"{url}?{urlencode({REDIRECT_FIELD_NAME: _wanted(request)})}")


def _wanted(request: HttpRequest) -> str:
    """Where they were going: each page of the admin says so when it sends them to its sign-in."""
    home = reverse("admin:index")
    wanted = request.GET.get(REDIRECT_FIELD_NAME, "")
    safe = url_has_allowed_host_and_scheme(
        wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return wanted if safe and wanted.startswith(home) and wanted != reverse("admin:login") else home
