"""How django-allauth makes accounts here: with our names, a namespace for each, and mails that lead to our address."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.mfa import utils as mfa
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest
from django.urls import reverse

from accounts import names, services
from accounts.actor import Actor, Entrance
from accounts.errors import HubError
from accounts.models import Namespace, User
from gatehub.authentication import client_address
from gatehub.web import known_browsers
from notifications import outbox
from notifications.letters.base import frame

_METHODS = {
    "reauthenticate": "Use your password",
    "mfa_reauthenticate": "Use a code of the app, or a recovery code",
    "mfa_reauthenticate:webauthn": "Use a security key or passkey",
}


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth has no types.
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return bool(settings.OPEN_SIGNUP)

    def clean_username(self, username: str, shallow: bool = False) -> str:
        try:
            names.clean_namespace(username)
        except HubError as error:
            raise ValidationError(error.message) from None
        if not shallow and Namespace.objects.named(username).exists():
            raise ValidationError(f"The name {username} is taken.")
        return username

    @transaction.atomic
    def save_user(self, request: HttpRequest, user: User, form: Any, commit: bool = True) -> User:
        user.fullname = form.cleaned_data.get("fullname", "")
        user = super().save_user(request, user, form, commit=commit)
        if commit:
            services.add_namespace(user, by=Actor(user=user, entrance=Entrance.PAGE, address=client_address(request)))
        return user

    def get_client_ip(self, request: HttpRequest) -> str:
        """For the rate limits; whoever has no address shares theirs."""
        return client_address(request) or "0.0.0.0"  # noqa: S104 - a name for "unknown", not to listen on.

    def login(self, request: HttpRequest, user: User) -> None:
        """The last step of a sign-in.  The account may have been closed since the first."""
        if not User.objects.filter(pk=user.pk, is_active=True).exists():
            raise ImmediateHttpResponse(self.respond_user_inactive(request, user))
        super().login(request, user)

    def get_reauthentication_methods(self, user: Any) -> list[dict[str, Any]]:
        """Who has a second factor confirms with it: a password that somebody saw is not enough to change factors."""
        methods = {method["id"]: method for method in super().get_reauthentication_methods(user)}
        for name, words in _METHODS.items():
            if name in methods:
                methods[name]["description"] = words
        by_factor = [method for name, method in methods.items() if name != "reauthenticate"]
        if not mfa.is_mfa_enabled(user, [Authenticator.Type.TOTP]):
            by_factor.reverse()  # The key before recovery codes.
        return by_factor or list(methods.values())

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:
        """By what wrong passwords are counted, see `known_browsers`."""
        login = str(credentials.get("email") or credentials.get("username") or "")
        browser = known_browsers.name_of(request, login)
        return f"{login.lower()}:{browser}"

    def send_notification_mail(
        self, template_prefix: str, user: User, context: dict[str, Any] | None = None, email: str | None = None
    ) -> None:
        """Mails about second factors and connected accounts.  django-allauth has others, which are not sent: the person
        sees what they do.
        """
        address = email or user.email
        if template_prefix.startswith(("mfa/", "socialaccount/")) and address:
            links = {"password_url": reverse("account_reset_password"), "security_url": reverse("mfa_index")}
            self.send_mail(template_prefix, address, {"user": user} | links | (context or {}))

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Into the outbox.  Links lead to GATEHUB_PUBLIC_URL, whatever host the request named."""
        links = {name: _on_public_host(value) for name, value in context.items() if name.endswith("_url")}
        written = self.render_mail(template_prefix, email, context | links | frame())
        html = next((body for body, kind in written.alternatives if kind == "text/html"), "")
        user = context.get("user")
        outbox.tell_account(
            address=email,
            user=user if isinstance(user, User) else None,
            subject=written.subject,
            text=written.body,
            html=html,
        )


def _on_public_host(url: str) -> str:
    parts = urlsplit(url)
    return settings.PUBLIC_URL.rstrip("/") + parts.path + (f"?{parts.query}" if parts.query else "")
