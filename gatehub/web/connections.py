"""Signing in with identity providers: the way there and back, and `/settings/connections`."""

from __future__ import annotations

from allauth.account.internal.flows.reauthentication import raise_if_reauthentication_required
from allauth.account.utils import get_next_redirect_url
from allauth.socialaccount import views
from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.models import SocialAccount, SocialApp
from allauth.socialaccount.providers.base.constants import AuthProcess
from allauth.socialaccount.providers.base.provider import Provider
from allauth.socialaccount.providers.github.views import GitHubOAuth2Adapter
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from requests import RequestException

from accounts.errors import NotFound
from gatehub import errors, identities, limits
from gatehub.authentication import client_address
from gatehub.errors import TooManyRequests
from gatehub.sign_in import GITHUB
from gatehub.web.account_trail import kept_together
from gatehub.web.base import FORM, SHOW, attempt, caller, only, person, render_private, signed_in
from gatehub.web.identity_providers import OpenIDConnectAdapter
from gatehub.web.social_adapter import APP, log, silent

MOST_A_MINUTE = 60
"""Sign-ins that begin from one address: each asks the provider, and has a session."""
_sign_up = kept_together(views.signup)


def sign_up(request: HttpRequest) -> HttpResponseBase:
    """`/signup/finish`: for whom a provider has sent, and who has no account yet."""
    try:
        return _sign_up(request)
    except SocialApp.DoesNotExist:  # The provider was taken out of the settings meanwhile.
        return redirect("account_login")


@only(*SHOW, *FORM)
def start(request: HttpRequest, provider_id: str) -> HttpResponse:
    """`/login/with/ID`: GET asks, POST leads to the provider; with `process=connect`, to connect an account there.

    By a page and not by a redirect: browsers hold redirects of a form against `form-action`, and where a provider
    sends them further nobody knows.  And not by GET, or any page could have people sign in here.
    """
    provider = _provider(request, provider_id)
    wants_to_connect = request.POST.get("process") == AuthProcess.CONNECT
    if request.method != "POST":
        if request.user.is_authenticated:
            return redirect("socialaccount_connections")
        return render_private(request, "account/with_provider.html", {"provider": provider, "next": _next(request)})
    if limits.count(f"sign-in-with-{client_address(request)}", per_seconds=60) > MOST_A_MINUTE:
        raise TooManyRequests("Too many sign-ins were begun. Wait a minute and try again.")
    if wants_to_connect and not request.user.is_authenticated:
        return redirect("account_login")
    if wants_to_connect:
        raise_if_reauthentication_required(request, app=APP)
    process = AuthProcess.CONNECT if wants_to_connect else AuthProcess.LOGIN
    try:
        answer = provider.redirect(request, process=process, next_url=_next(request))
    except (OAuth2Error, RequestException) as error:
        log.warning("The identity provider %s cannot be used: %r", provider_id, error)
        return errors.respond(request, silent(provider.name))
    if "Location" not in answer:
        return answer  # type: ignore[no-any-return]
    context = {"provider": provider, "url": answer["Location"]}
    page = render_private(request, "account/to_provider.html", context)
    page["Refresh"] = f"0; url={answer['Location']}"
    return page


@only(*SHOW)
def back(request: HttpRequest, provider_id: str) -> HttpResponse:
    """`/login/with/ID/back`: where the provider sends people, with a code or an error."""
    provider = _provider(request, provider_id)
    adapter = GitHubOAuth2Adapter(request) if provider_id == GITHUB else OpenIDConnectAdapter(request, provider_id)
    try:
        return OAuth2CallbackView.adapter_view(adapter)(request)  # type: ignore[no-any-return]
    except (OAuth2Error, RequestException) as error:  # Before it was asked who that is.
        log.warning("The identity provider %s cannot be used: %r", provider_id, error)
        return errors.respond(request, silent(provider.name))


@signed_in
@only(*SHOW)
def page(request: HttpRequest) -> HttpResponse:
    """`/settings/connections`: what is connected, and what can be."""
    providers = _by_id(request)
    connected = list(SocialAccount.objects.filter(user=person(request)).order_by("date_joined", "pk"))
    for identity in connected:
        identity.provider_name = _name(providers, identity)
        identity.is_offered = identity.provider in providers
        identity.known_as = identities.known_as(identity)
    context = {"connected": connected, "providers": list(providers.values())}
    return render_private(request, "me/connections.html", context)


@signed_in
@only(*FORM, up=2)
def remove(request: HttpRequest, key: int) -> HttpResponse:
    raise_if_reauthentication_required(request, app=APP)

    def act() -> None:
        user = person(request)
        identity = SocialAccount.objects.filter(user=user, pk=key).first()
        name = "it" if identity is None else _name(_by_id(request), identity)
        identities.disconnect(user, key, provider=name, by=caller(request))
        messages.success(request, f"{name} lets you in no more.")

    attempt(request, act)
    return redirect("socialaccount_connections")


def _next(request: HttpRequest) -> str | None:
    return get_next_redirect_url(request)  # type: ignore[no-any-return]


def _provider(request: HttpRequest, provider_id: str) -> Provider:
    """By its own name alone: allauth would take that of a kind of providers, too."""
    provider = _by_id(request).get(provider_id)
    if provider is None:
        raise NotFound(
            "Nobody signs in to this server that way.",
            next_step="Choose another way: {url}",
            help_path=reverse("account_login"),
        )
    return provider


def _by_id(request: HttpRequest) -> dict[str, Provider]:
    return {provider.sub_id: provider for provider in get_adapter(request).list_providers(request)}


def _name(providers: dict[str, Provider], identity: SocialAccount) -> str:
    """A provider that is not in the settings any more lets nobody in, but what was connected can be removed."""
    provider = providers.get(identity.provider)
    return str(identity.provider if provider is None else provider.name)
