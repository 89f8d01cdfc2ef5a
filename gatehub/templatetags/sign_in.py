"""Which identity providers the pages of signing in offer."""

from __future__ import annotations

from typing import Any

from allauth.socialaccount.adapter import get_adapter
from django import template

register = template.Library()


@register.simple_tag(takes_context=True)
def sign_in_providers(context: dict[str, Any], *, for_new: bool = False) -> list[Any]:
    """Those of the settings; with `for_new`, those by which people without an account may make one."""
    found = get_adapter().list_providers(context["request"])
    return [provider for provider in found if provider.app.settings["sign_up"] or not for_new]
