"""How django-allauth makes accounts here: with our names, and a namespace for each."""

from __future__ import annotations

from typing import Any

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


class AccountAdapter(DefaultAccountAdapter):
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
