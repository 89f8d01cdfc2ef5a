"""Forms of the pages."""

from __future__ import annotations

from typing import Any

from django import forms

from accounts.models import User


class SignUpForm(forms.Form):
    """What sign-up asks besides user name, address and password.  The name is what owners see of a requester."""

    fullname = forms.CharField(label="Full name", max_length=120)

    field_order = ["username", "fullname", "email", "password1", "password2"]

    def signup(self, request: Any, user: User) -> None:
        """allauth's hook, after the account was saved by `AccountAdapter.save_user`, which reads the name itself."""
