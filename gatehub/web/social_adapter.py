"""How django-allauth lets people in by identity providers: those of the settings alone, and never into another's
account by an address that one of the two sides has not verified.
"""

from __future__ import annotations

import logging
import re
from typing import Any

from allauth.account.internal.flows.reauthentication import is_reauthentication_required
from allauth.account.models import EmailAddress
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount import app_settings
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialLogin
from allauth.socialaccount.providers.base.constants import AuthError, AuthProcess
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from accounts.actor import Actor, Entrance
from accounts.errors import Conflict, HubError
from accounts.models import User
from gatehub import errors, identities
from gatehub.authentication import client_address
from gatehub.web.adapter import AccountAdapter
from gatehub.web.base import caller, in_words

APP = "allauth.socialaccount"
log = logging.getLogger("gatehub.sign_in")


class SignInFailed(HubError):
    """What the provider said cannot be used."""

    status = 401


class ProviderIsSilent(HubError):
    """It cannot be reached, or is not what it should be."""

    status = 502


class SocialAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc]  # allauth has no types.
    def list_apps(
        self, request: HttpRequest | None, provider: str | None = None, client_id: str | None = None
    ) -> list[SocialApp]:
        """Those of the settings.  A row in the database, which is allauth's other place for them, opens nothing."""
        apps = [
            SocialApp(provider=kind, **said) for kind, its in app_settings.PROVIDERS.items() for said in its["APPS"]
        ]
        return [
            app
            for app in apps
            if provider in (None, app.provider_id, app.provider) and client_id in (None, app.client_id)
        ]

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        """Once somebody has shown whose identity they have.  What is changed is changed here, by our services."""
        if sociallogin.state.get("process") == AuthProcess.CONNECT:
            raise ImmediateHttpResponse(_connect(request, sociallogin))
        if sociallogin.is_existing:
            return
        owner = _owner(sociallogin)
        if owner is None:
            return
        provider = sociallogin.provider
        if not provider.app.settings["trust_addresses"]:
            raise ImmediateHttpResponse(errors.respond(request, _has_an_account(provider.name)))
        if not owner.is_active:
            raise ImmediateHttpResponse(redirect("account_inactive"))
        by = Actor(user=owner, entrance=Entrance.PAGE, address=client_address(request))
        sociallogin.account = identities.connect(owner, sociallogin.account, provider=provider.name, by=by)
        sociallogin.user = owner

    def is_auto_signup_allowed(self, request: HttpRequest, sociallogin: SocialLogin) -> bool:
        """No: the user name is also the name of a namespace, and stays, so the person says which."""
        return False

    def is_open_for_signup(self, request: HttpRequest, sociallogin: SocialLogin) -> bool:
        return bool(sociallogin.provider.app.settings["sign_up"])

    def get_signup_form_initial_data(self, sociallogin: SocialLogin) -> dict[str, str]:
        said = sociallogin.account.extra_data
        email = next((address.email for address in sociallogin.email_addresses), "")
        return {
            "email": email,
            "fullname": said.get("name", "")[:120],
            "username": _free_name(said.get("username") or email),
        }

    @transaction.atomic
    def save_user(self, request: HttpRequest, sociallogin: SocialLogin, form: Any = None) -> User:
        user: User = super().save_user(request, sociallogin, form)
        by = Actor(user=user, entrance=Entrance.PAGE, address=client_address(request))
        identities.record_connected(user, sociallogin.account, by=by)
        return user

    def on_authentication_error(
        self,
        request: HttpRequest,
        provider: Any,
        error: str = AuthError.UNKNOWN,
        exception: Exception | None = None,
        extra_context: dict[str, Any] | None = None,
    ) -> None:
        if error == AuthError.CANCELLED:
            messages.info(request, f"You did not sign in with {provider.name}.")
            raise ImmediateHttpResponse(redirect("account_login"))
        said = request.GET.get("error", "")[:200]
        log.warning("Signing in with %s failed: %r %r", provider.sub_id, exception or error, said)
        raise ImmediateHttpResponse(
            errors.respond(
                request,
                SignInFailed(
                    f"{provider.name} did not confirm who you are, or the attempt was too old.",
                    next_step="Try again: {url}",
                    help_path=reverse("account_login"),
                ),
            )
        )


def silent(name: str) -> ProviderIsSilent:
    return ProviderIsSilent(
        f"{name} cannot be reached, or does not answer as it should.",
        next_step="Try again in a while. Sign in with your password, if you have one here: {url}",
        help_path=reverse("account_login"),
    )


def _connect(request: HttpRequest, sociallogin: SocialLogin) -> HttpResponse:
    """For who is signed in, and has lately shown that it is they."""
    answer = redirect("socialaccount_connections")
    user, name = request.user, sociallogin.provider.name
    if not isinstance(user, User) or is_reauthentication_required(request, app=APP):
        messages.error(request, f"{name} was not connected. Sign in and confirm that it is you, then try again.")
    elif sociallogin.is_existing and sociallogin.user == user:
        messages.info(request, f"That account at {name} is connected already.")
    else:
        identity = sociallogin.account if not sociallogin.account.pk else _copy(sociallogin.account)
        try:
            identities.connect(user, identity, provider=name, by=caller(request))
        except Conflict as error:
            messages.error(request, in_words(request, error))
        else:
            messages.success(request, f"You can sign in with {name} from now on.")
    return answer


def _copy(account: SocialAccount) -> SocialAccount:
    """As it would be if it were new: saving it meets the one that is there."""
    return SocialAccount(provider=account.provider, uid=account.uid, extra_data=account.extra_data)


def _owner(sociallogin: SocialLogin) -> User | None:
    """Who has an address verified here which the provider has verified, too."""
    addresses = [address.email for address in sociallogin.email_addresses if address.verified]
    for address in addresses:
        found = EmailAddress.objects.filter(email__iexact=address, verified=True).select_related("user").first()
        if found is not None:
            return found.user  # type: ignore[no-any-return]
    return None


def _has_an_account(name: str) -> Conflict:
    return Conflict(
        "There is an account with your email address here, which is not connected.",
        next_step=f"Sign in to it, then connect {name} in your settings: {{url}}",
        help_path=reverse("socialaccount_connections"),
    )


def _free_name(said: str) -> str:
    """A proposal, if what the provider calls them makes a name that is free here."""
    name = re.sub(r"[^A-Za-z0-9]+", "-", said.partition("@")[0]).strip("-")[:40].strip("-")
    try:
        return AccountAdapter().clean_username(name)
    except ValidationError:
        return ""
