"""Access requests and tokens, for staff: to see, never to change behind the services' back."""

from __future__ import annotations

from typing import Any

from django.contrib import admin

from access.models import AccessRequest, AccessToken, TokenScope
from accounts.admin import ReadOnly


@admin.register(AccessRequest)
class AccessRequestAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["repo", "user", "fullname", "email", "status", "requested_at", "reviewed_at", "reviewed_by"]
    list_filter = ["status", "granted", "requested_at"]
    list_select_related = ["repo__namespace", "user", "reviewed_by"]
    search_fields = ["user__username", "fullname", "email", "repo__name", "repo__namespace__name"]
    show_full_result_count = False


class TokenScopeInline(ReadOnly, admin.TabularInline):  # type: ignore[type-arg]
    model = TokenScope
    extra = 0


@admin.register(AccessToken)
class AccessTokenAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
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
