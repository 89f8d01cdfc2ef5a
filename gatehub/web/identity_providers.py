"""Identity providers, as django-allauth speaks to them, with what we ask of them beyond.

An identity is known by its issuer and the issuer's name for it, never by an address.  Who is connected keeps no more
than what the page of connections shows.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialApp, SocialToken
from allauth.socialaccount.providers.github.provider import GitHubProvider
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.openid_connect.provider import OpenIDConnectProvider
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from django.http import HttpRequest

from gatehub import sign_in
from gatehub.caches import kept

_KEPT_SECONDS = 300
_ENDPOINTS = ("authorization_endpoint", "token_endpoint", "userinfo_endpoint")


class OpenIDConnectAdapter(OpenIDConnectOAuth2Adapter):  # type: ignore[misc]  # allauth has no types.
    """Raises OAuth2Error, as allauth does, for whatever a provider says that is not as OpenID Connect has it."""

    @property
    def openid_config(self) -> dict[str, Any]:
        """The discovery document (OpenID Connect Discovery 1.0, section 4.3): its issuer must be the one we asked."""
        issuer = self.get_provider().app.settings["server_url"]
        kept_as = f"openid-configuration:{issuer}"
        known: dict[str, Any] | None = kept.get(kept_as)
        if known is None:
            known = self._checked(issuer)
            kept.set(kept_as, known, _KEPT_SECONDS)
        return known

    def _checked(self, issuer: str) -> dict[str, Any]:
        try:
            config: dict[str, Any] = super().openid_config
            said = str(config["issuer"]).rstrip("/")
            missing = [name for name in _ENDPOINTS[:2] if name not in config]
        except (AttributeError, KeyError, TypeError) as error:
            raise OAuth2Error("The discovery document is not one.") from error
        if said != issuer:
            raise OAuth2Error(f"The discovery document of {issuer} is of another issuer: {said!r}.")
        if missing:
            raise OAuth2Error(f"The discovery document says no {missing[0]}.")
        unsafe = [config[name] for name in _ENDPOINTS if name in config and not sign_in.is_safe(str(config[name]))]
        if unsafe:
            raise OAuth2Error(f"The provider has an address without https: {unsafe[0]}")
        return config

    @property
    def basic_auth(self) -> bool:
        """How the client secret is sent.  Who says nothing means the header (the same, section 3)."""
        methods = self.openid_config.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
        return "client_secret_post" not in methods

    def complete_login(self, request: HttpRequest, app: SocialApp, token: SocialToken, **kwargs: Any) -> Any:
        """Claims of the ID token, and those of the userinfo endpoint, if they are about the same subject."""
        id_token = kwargs["response"].get("id_token")
        if not isinstance(id_token, str):
            raise OAuth2Error("The answer has no ID token.")
        claims = self._decode_id_token(app, id_token)
        if "userinfo_endpoint" in self.openid_config:
            userinfo = self._fetch_user_info(token.token)
            if not isinstance(userinfo, dict) or userinfo.get("sub") != claims.get("sub"):
                raise OAuth2Error("The userinfo endpoint tells of somebody else.")
            claims = claims | userinfo
        return self.get_provider().sociallogin_from_response(request, claims)


class OpenIDConnect(OpenIDConnectProvider):  # type: ignore[misc]
    oauth2_adapter_class = OpenIDConnectAdapter

    def serialize(self) -> dict[str, Any]:
        """By our name for it: two providers may know us by the same client id."""
        return {**super().serialize(), "id": self.sub_id}

    def extract_uid(self, data: dict[str, Any]) -> str:
        """Of issuer and subject together, so that another issuer under the same name lets none of the old ones in."""
        subject = data.get("sub")
        if not isinstance(subject, str) or not subject:
            raise OAuth2Error("The ID token has no subject.")
        return sha256(f"{self.app.settings['server_url']}\0{subject}".encode()).hexdigest()

    def extract_extra_data(self, data: dict[str, Any]) -> dict[str, str]:
        said = self.extract_common_fields(data)
        return _kept(name=said["name"], username=said["username"], email=said["email"], subject=data["sub"])

    def extract_common_fields(self, data: dict[str, Any]) -> dict[str, str]:
        return {
            "email": _text(data.get("email")),
            "username": _text(data.get("preferred_username")),
            "name": _text(data.get("name")),
        }

    def extract_email_addresses(self, data: dict[str, Any]) -> list[EmailAddress]:
        """Verified only where the provider says so: some send the claim as text, and the text "false" is no yes."""
        address = _text(data.get("email"))
        is_verified = data.get("email_verified") is True or data.get("email_verified") == "true"
        return [EmailAddress(email=address, verified=is_verified, primary=True)] if address else []


class GitHub(GitHubProvider):  # type: ignore[misc]
    def extract_extra_data(self, data: dict[str, Any]) -> dict[str, str]:
        return _kept(name=data.get("name"), username=data.get("login"), email=data.get("email"))


def _kept(**said: Any) -> dict[str, str]:
    return {name: _text(value) for name, value in said.items()}


def _text(said: Any) -> str:
    return said.strip()[:255] if isinstance(said, str) else ""
