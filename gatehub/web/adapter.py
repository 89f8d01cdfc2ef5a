"""How django-allauth makes accounts here: with our names, a namespace for each, and mails that lead to our address."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest

from accounts import names, services
from accounts.actor import Actor, Entrance
from accounts.errors import HubError
from accounts.models import Namespace, User
from gatehub.authentication import client_address
from notifications import outbox
from notifications.letters.base import frame


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
