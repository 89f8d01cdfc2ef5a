"""Organizations and memberships, for staff: shown, and not edited.  Their own admins change them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet

from accounts.models import Membership, Namespace, Organization
from accounts.staff import Inline, Link, Log, ReadOnly, StaffAdmin


class MembershipInline(Inline):
    model = Membership
    fields = ["user", "role", "joined_at", "role_since"]
    per_page = 50
    show_change_link = True

    def get_queryset(self, request: Any) -> QuerySet[Membership]:
        rows: QuerySet[Membership] = super().get_queryset(request)
        return rows.select_related("user", "organization__namespace").order_by("user__username")


@admin.register(Organization)
class OrganizationAdmin(ReadOnly, StaffAdmin):
    """Who belongs to it, and as what.  Its own admins decide that; the command `add_member` can."""

    list_display = ["name", "fullname", "created_at"]
    list_select_related = ["namespace"]
    search_fields = ["namespace__name", "fullname"]
    search_help_text = "A part of its name or of its full name."
    fields = ["name", "fullname", "created_at"]
    inlines = [MembershipInline]

    def links_of(self, obj: Organization) -> Iterable[Link]:
        yield Link.to_list("Repos", "repos.repo", q=f"{obj.name}/")
        yield Link.to_list("Audit trail", "accounts.auditevent", q=obj.name)


@admin.register(Membership)
class MembershipAdmin(Log):
    list_display = ["user", "organization", "role", "joined_at", "role_since"]
    list_filter = ["role"]
    list_select_related = ["user", "organization__namespace"]
    search_fields = ["user__username"]  # Shows the field; `get_search_results` searches.
    search_help_text = "A user name or the name of an organization, whole."

    def get_search_results(
        self, request: Any, queryset: QuerySet[Membership], search_term: str
    ) -> tuple[QuerySet[Membership], bool]:
        term = search_term.strip()
        if not term:
            return queryset, False
        found = list(Namespace.objects.named(term).values_list("user", "organization"))
        return queryset.filter(
            Q(user__in=[user for user, _ in found if user]) | Q(organization__in=[one for _, one in found if one])
        ), False

    def links_of(self, obj: Membership) -> Iterable[Link]:
        yield Link.to_row("The person", "accounts.user", obj.user_id)
        yield Link.to_row("The organization", "accounts.organization", obj.organization_id)
