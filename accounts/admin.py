"""People, organizations and the audit trail, for staff.

What has rules of its own is shown and not edited: services change it, which keep the rules and the trail.
"""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.db import transaction
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from accounts.models import AuditEvent, Membership, Organization, User
from accounts.staff import Inline, Log, ReadOnly, StaffAdmin, actor_of


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


@admin.register(Organization)
class OrganizationAdmin(ReadOnly, StaffAdmin):
    list_display = ["name", "fullname", "created_at"]
    list_select_related = ["namespace"]
    search_fields = ["namespace__name", "fullname"]
    inlines = [MembershipInline]


@admin.register(AuditEvent)
class AuditEventAdmin(Log):
    list_display = ["at", "actor", "verb", "target", "entrance", "token_name", "address"]
    list_filter = ["entrance", "at"]
    search_fields = ["actor", "verb", "target"]
