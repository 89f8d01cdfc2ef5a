"""People, organizations and the audit trail, for staff.

What has rules of its own is shown and not edited: services change it, which keep the rules and the trail.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.db import transaction
from django.db.models import Q, QuerySet
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from accounts.models import AuditEvent, Membership, Namespace, Organization, User
from accounts.staff import Inline, Link, Log, ReadOnly, StaffAdmin, actor_of


@admin.register(User)
class UserAdmin(StaffAdmin, DjangoUserAdmin):  # type: ignore[misc, type-arg]
    """Who may sign in, and as what.  People come by signing up, or by the command `create_user`."""

    list_display = ["username", "fullname", "email", "is_active", "is_staff", "date_joined"]
    list_filter = ["is_active", "is_staff", "is_superuser"]
    search_fields = ["username", "fullname", "email"]
    fieldsets = [
        (None, {"fields": ["username", "password", "fullname", "email"]}),
        ("May", {"fields": ["is_active", "is_staff", "is_superuser", "groups", "user_permissions"]}),
        ("Dates", {"fields": ["last_login", "date_joined"]}),
    ]
    readonly_fields = ["username", "email", "last_login", "date_joined"]
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    _RIGHTS = ("is_active", "is_staff", "is_superuser")

    def has_add_permission(self, *_: Any) -> bool:
        return False

    def has_delete_permission(self, *_: Any) -> bool:
        return False  # Repos and requests are theirs: deactivate instead.

    @transaction.atomic
    def save_model(self, request: Any, obj: User, form: Any, change: bool) -> None:
        before = User.objects.values(*self._RIGHTS).get(pk=obj.pk)
        super().save_model(request, obj, form, change)
        after = {name: getattr(obj, name) for name in self._RIGHTS}
        if before != after:
            AuditEvent.record(by=actor_of(request), verb="user:rights", target=obj.username, before=before, after=after)


admin.site.unregister(Group)


@admin.register(Group)
class GroupAdmin(StaffAdmin, DjangoGroupAdmin):  # type: ignore[misc]
    """What staff may do.  Those that GateHub brings are in `gatehub.staff.groups`."""


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


@admin.register(AuditEvent)
class AuditEventAdmin(Log):
    list_display = ["at", "actor", "verb", "target", "entrance", "token_name", "address"]
    list_filter = ["entrance", "at"]
    search_fields = ["actor", "verb", "target"]
