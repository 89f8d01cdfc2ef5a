"""Access tokens, for staff: to see, never to change behind the services' back."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from unfold.decorators import action
from unfold.enums import ActionVariant

from access import policy, tokens
from access.models import AccessToken, TokenScope
from accounts.models import Namespace
from accounts.staff import Inline, Link, Log, actor_of, each, once, question


class TokenScopeInline(Inline):
    model = TokenScope
    fields = ["permission", "repo", "namespace"]
    per_page = 50

    def get_queryset(self, request: Any) -> QuerySet[TokenScope]:
        rows: QuerySet[TokenScope] = super().get_queryset(request)
        return rows.select_related("repo__namespace", "namespace").order_by("pk")


@admin.register(AccessToken)
class AccessTokenAdmin(Log):
    """Never the token, nor its hash.  Staff may revoke it."""

    list_display = ["name", "user", "role", "shown", "created_at", "expires_at", "last_used_at"]
    list_filter = ["role"]
    list_select_related = ["user"]
    search_fields = ["name"]  # Shows the field; `get_search_results` searches.
    search_help_text = "A user name, whole, or the last four characters of a token."
    fields = ["user", "name", "role", "shown", "can_read_gated", "created_at", "expires_at", "last_used_at"]
    inlines = [TokenScopeInline]
    actions = ["revoke_selected"]
    actions_detail = ["revoke"]

    def get_search_results(
        self, request: Any, queryset: QuerySet[AccessToken], search_term: str
    ) -> tuple[QuerySet[AccessToken], bool]:
        term = search_term.strip().removeprefix("…")
        if not term:
            return queryset, False
        owners = list(Namespace.objects.named(term).filter(user__isnull=False).values_list("user", flat=True))
        return queryset.filter(Q(user__in=owners) | Q(last_characters=term)), False

    def get_fields(self, request: HttpRequest, obj: AccessToken | None = None) -> list[str]:
        """What a fine-grained token may do besides its scopes says nothing of the others, which may do all that."""
        fields = list(super().get_fields(request, obj))
        if obj is not None and obj.role != AccessToken.Role.FINE_GRAINED:
            fields.remove("can_read_gated")
        return fields

    def get_inlines(self, request: HttpRequest, obj: AccessToken | None) -> list[Any]:
        """No other token has scopes."""
        return super().get_inlines(request, obj) if obj and obj.role == AccessToken.Role.FINE_GRAINED else []

    def has_revoke_permission(self, request: HttpRequest, *_: Any) -> bool:
        return bool(request.user.has_perm(policy.REVOKE_TOKENS))

    def links_of(self, obj: AccessToken) -> Iterable[Link]:
        yield Link.to_row("Its person", "accounts.user", obj.user_id)
        yield Link.to_list("Other tokens of theirs", "access.accesstoken", q=obj.user.username)
        yield Link.to_list("Audit trail", "accounts.auditevent", q=f"{obj.name} of {obj.user.username}")

    @admin.display(description="token")
    def shown(self, token: Any) -> str:
        return f"…{token.last_characters}"

    @action(description="Revoke", permissions=["revoke"], url_path="revoke", icon="block", variant=ActionVariant.DANGER)
    def revoke(self, request: HttpRequest, object_id: str) -> HttpResponse:
        token = get_object_or_404(AccessToken.objects.select_related("user"), pk=object_id)
        if request.method == "POST":
            once(self, request, lambda: tokens.revoke(token=token, by=actor_of(request)), f"{token} is revoked.")
            return redirect("admin:access_accesstoken_changelist")
        says = (
            f"The very next request with the token {token.name} of {token.user.username} will be refused. It cannot be "
            "brought back: its person makes another one. Nobody is told by mail."
        )
        return question(self, request, token, title=f"Revoke {token.name}", says=says)

    @admin.action(description="Revoke selected tokens", permissions=["revoke"])
    def revoke_selected(self, request: Any, queryset: QuerySet[AccessToken]) -> None:
        by = actor_of(request)
        each(self, request, queryset, lambda token: tokens.revoke(token=token, by=by), "revoked")
