"""What people do at django-allauth's and Django's own pages, for the audit trail: who came in, whose way in changed.

These pages tell of it by signals, which are sent within their transactions (`kept_together`).  Of second factors that
come and go, which django-allauth tells after the commit, `gatehub.second_factors` writes.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from allauth.account import signals as account
from allauth.account.models import EmailAddress
from allauth.mfa import signals as mfa
from django.contrib.auth import signals as auth
from django.db import transaction
from django.dispatch import receiver
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from accounts.actor import Actor, Entrance
from accounts.models import AuditEvent, Namespace, User
from gatehub.authentication import client_address

View = Callable[..., HttpResponseBase]


def kept_together(view: View) -> View:
    """What a form changes and its row in the audit trail are written together or not at all."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.method != "POST":
            return view(request, *args, **kwargs)
        with transaction.atomic():
            return view(request, *args, **kwargs)

    return guarded


def _by(request: HttpRequest | None, user: User | None) -> Actor:
    if request is None:
        return Actor(user=user)
    match = request.resolver_match
    entrance = Entrance.ADMIN if match is not None and match.app_name == "admin" else Entrance.PAGE
    return Actor(user=user, entrance=entrance, address=client_address(request))


def _is_from_outside(request: HttpRequest | None) -> bool:
    """Whether somebody sent it.  Sessions that the server makes of its own accord are no sign-ins."""
    return request is not None and "REMOTE_ADDR" in request.META


def _record(request: HttpRequest | None, verb: str, user: User, *, before: Any = None, after: Any = None) -> None:
    """Of an own account.  Whoever follows a link from a mail is taken for its owner, as the account's pages do."""
    AuditEvent.record(by=_by(request, user), verb=verb, target=user.username, before=before, after=after)


@receiver(auth.user_logged_in)
def _signed_in(sender: Any, request: HttpRequest | None, user: User, **_: Any) -> None:
    if _is_from_outside(request):
        _record(request, "sign_in:done", user)


@receiver(auth.user_login_failed)
def _failed(sender: Any, credentials: dict[str, Any], request: HttpRequest | None = None, **_: Any) -> None:
    """Names the account that was tried, if there is one: else what was typed may be somebody's password."""
    if _is_from_outside(request):
        user = _tried(credentials)
        AuditEvent.record(by=_by(request, None), verb="sign_in:failed", target="" if user is None else user.username)


def _tried(credentials: dict[str, Any]) -> User | None:
    for typed in (credentials.get("username"), credentials.get("email")):
        if isinstance(typed, str) and typed:
            found = Namespace.objects.named(typed).select_related("user").first()
            if found is not None and found.user is not None:
                return found.user
            address = EmailAddress.objects.filter(email__iexact=typed.replace("\0", "")).select_related("user").first()
            if address is not None:
                return address.user  # type: ignore[no-any-return]  # allauth has no types.
    return None


@receiver(auth.user_logged_out)
def _signed_out(sender: Any, request: HttpRequest | None, user: User | None, **_: Any) -> None:
    if _is_from_outside(request) and user is not None:
        _record(request, "sign_in:ended", user)


@receiver(account.password_changed)
def _password_changed(sender: Any, request: HttpRequest, user: User, **_: Any) -> None:
    _record(request, "password:changed", user)


@receiver(account.password_set)
def _password_set(sender: Any, request: HttpRequest, user: User, **_: Any) -> None:
    _record(request, "password:set", user)


@receiver(account.password_reset)
def _password_reset(sender: Any, request: HttpRequest, user: User, **_: Any) -> None:
    _record(request, "password:reset", user)


@receiver(account.email_added)
def _address_added(sender: Any, request: HttpRequest, user: User, email_address: EmailAddress, **_: Any) -> None:
    _record(request, "address:added", user, after=email_address.email)


@receiver(account.email_removed)
def _address_removed(sender: Any, request: HttpRequest, user: User, email_address: EmailAddress, **_: Any) -> None:
    _record(request, "address:removed", user, before=email_address.email)


@receiver(account.email_changed)
def _address_changed(
    sender: Any,
    request: HttpRequest,
    user: User,
    from_email_address: EmailAddress | None,
    to_email_address: EmailAddress,
    **_: Any,
) -> None:
    before = None if from_email_address is None else from_email_address.email
    _record(request, "address:primary", user, before=before, after=to_email_address.email)


@receiver(account.email_confirmed)
def _address_confirmed(sender: Any, request: HttpRequest, email_address: EmailAddress, **_: Any) -> None:
    _record(request, "address:verified", email_address.user, after=email_address.email)


@receiver(mfa.authentication_failed)
def _factor_failed(sender: Any, request: HttpRequest, user: User, **_: Any) -> None:
    AuditEvent.record(by=_by(request, None), verb="second_factor:failed", target=user.username)
