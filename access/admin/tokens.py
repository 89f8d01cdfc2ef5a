"""Access tokens, for staff: to see, never to change behind the services' back."""

from __future__ import annotations

from typing import Any

from django.contrib import admin

from access.models import AccessToken, TokenScope
from accounts.staff import Inline, Log


class TokenScopeInline(Inline):
    model = TokenScope


@admin.register(AccessToken)
class AccessTokenAdmin(Log):
    """Never the token, nor its hash."""

    list_display = ["user", "name", "role", "shown", "created_at", "expires_at", "last_used_at"]
    list_filter = ["role"]
    list_select_related = ["user"]
    search_fields = ["user__username", "name"]
    fields = ["user", "name", "role", "shown", "can_read_gated", "created_at", "expires_at", "last_used_at"]
    inlines = [TokenScopeInline]

    @admin.display(description="token")
    def shown(self, token: Any) -> str:
        return f"…{token.last_characters}"
