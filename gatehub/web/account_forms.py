"""django-allauth's forms: labels in sentence case, without placeholders that say the same once more."""

from __future__ import annotations

from typing import Any

from allauth.account import forms
from allauth.socialaccount import forms as social

# allauth has no types, hence the remarks for mypy.


class _Plain:
    """Before a form of django-allauth."""

    fields: dict[str, Any]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.label = str(field.label).capitalize()
            field.widget.attrs.pop("placeholder", None)


class LoginForm(_Plain, forms.LoginForm):  # type: ignore[misc]
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["login"].label = "Username or email"


class SignupForm(_Plain, forms.SignupForm):  # type: ignore[misc]
    pass


class SocialSignupForm(_Plain, social.SignupForm):  # type: ignore[misc]
    """For who comes from an identity provider: no password, and filled in with what it says of them."""


class AddEmailForm(_Plain, forms.AddEmailForm):  # type: ignore[misc]
    pass


class ChangePasswordForm(_Plain, forms.ChangePasswordForm):  # type: ignore[misc]
    pass


class SetPasswordForm(_Plain, forms.SetPasswordForm):  # type: ignore[misc]
    pass


class ResetPasswordForm(_Plain, forms.ResetPasswordForm):  # type: ignore[misc]
    pass


class ResetPasswordKeyForm(_Plain, forms.ResetPasswordKeyForm):  # type: ignore[misc]
    pass


class ReauthenticateForm(_Plain, forms.ReauthenticateForm):  # type: ignore[misc]
    pass
