"""django-allauth's forms for second factors: labels of ours, a code that is good once, names that can be shown."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from allauth.core.internal.cryptokit import normalize_user_code
from allauth.mfa import app_settings
from allauth.mfa.adapter import get_adapter
from allauth.mfa.base import forms as base
from allauth.mfa.models import Authenticator
from allauth.mfa.totp import forms as totp
from allauth.mfa.webauthn import forms as webauthn
from django import forms
from django.core.cache import cache

from accounts.texts import can_be_shown

# allauth has no types, hence the remarks for mypy.

_LONGEST_NAME = 60
_TAKES_A_CODE = {"autocomplete": "one-time-code", "spellcheck": "false", "autocapitalize": "off", "maxlength": "40"}


class _Code:
    """Before a form that takes a code: of the app or, when signed up already, a recovery code."""

    fields: dict[str, Any]
    user: Any
    authenticator: Any
    code_label = "Code of the app, or a recovery code"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["code"].label = self.code_label
        self.fields["code"].widget = forms.TextInput(attrs=_TAKES_A_CODE)


class _Once(_Code):
    def clean_code(self) -> str:
        """django-allauth remembers a code for half a minute, and accepts it for three times that."""
        code: str = super().clean_code()  # type: ignore[misc]
        if self.authenticator.type == Authenticator.Type.TOTP:
            steps = 2 * app_settings.TOTP_TOLERANCE + 1
            key = f"totp-used-{self.user.pk}-{normalize_user_code(code)}"
            if not cache.add(key, True, steps * app_settings.TOTP_PERIOD):
                raise get_adapter().validation_error("incorrect_code")
        return code


class AuthenticateForm(_Once, base.AuthenticateForm):  # type: ignore[misc]
    pass


class ReauthenticateForm(_Once, base.ReauthenticateForm):  # type: ignore[misc]
    pass


class _VerifiedOnly:
    """Before a form that adds a factor.

    Who signed up with somebody else's address must not lock its owner out, who would come in by a new password.
    """

    user: Any

    def clean(self) -> Any:
        if not self.user.has_verified_address:
            raise get_adapter().validation_error("unverified_email")
        return super().clean()  # type: ignore[misc]


class ActivateTOTPForm(_VerifiedOnly, _Code, totp.ActivateTOTPForm):  # type: ignore[misc]
    code_label = "Code that the app shows"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["code"].widget.attrs["inputmode"] = "numeric"


class _Named:
    """Before a form with the name of a key."""

    fields: dict[str, Any]
    cleaned_data: dict[str, Any]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        name = self.fields["name"]
        name.label = "Name"
        name.help_text = "What you will know it by, such as the key on my ring, or my phone."
        name.widget.attrs["maxlength"] = _LONGEST_NAME

    def clean_name(self) -> str:
        name = " ".join(self.cleaned_data["name"].split())[:_LONGEST_NAME]
        if not can_be_shown(name):
            raise forms.ValidationError("The name contains characters that cannot be shown.")
        return name or "Security key"


class _Credential:
    """Before a form with the answer of a key, which may be anything: programs post forms, too."""

    def clean(self) -> Any:
        with _refusing_nonsense():
            return super().clean()  # type: ignore[misc]

    def clean_credential(self) -> Any:
        with _refusing_nonsense():
            return super().clean_credential()  # type: ignore[misc]


@contextmanager
def _refusing_nonsense() -> Iterator[None]:
    try:
        yield
    except (AttributeError, KeyError, TypeError, ValueError):  # What it was read as lacks its parts.
        raise get_adapter().validation_error("incorrect_code") from None


class AddWebAuthnForm(_Named, _VerifiedOnly, _Credential, webauthn.AddWebAuthnForm):  # type: ignore[misc]
    def clean_credential(self) -> Any:
        return self.cleaned_data["credential"]  # `clean` reads it.


class EditWebAuthnForm(_Named, webauthn.EditWebAuthnForm):  # type: ignore[misc]
    pass


class AuthenticateWebAuthnForm(_Credential, webauthn.AuthenticateWebAuthnForm):  # type: ignore[misc]
    pass


class ReauthenticateWebAuthnForm(_Credential, webauthn.ReauthenticateWebAuthnForm):  # type: ignore[misc]
    pass
