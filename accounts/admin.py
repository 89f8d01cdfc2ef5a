"""People, organizations and the audit trail, for staff.

What has rules of its own is shown and not edited: services change it, which keep the rules and the trail.
"""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.db import transaction

from accounts.actor import Actor, Entrance
from accounts.models import AuditEvent, Membership, Organization, User


class ReadOnly:
    """For an admin or an inline: whoever may see the rows, sees them, and nobody adds, changes or deletes any."""

    def has_add_permission(self, *_: Any) -> bool:
        return False

    def has_change_permission(self, *_: Any) -> bool:
        return False

    def has_delete_permission(self, *_: Any) -> bool:
        return False


@admin.register(User)
class UserAdmin(DjangoUserAdmin):  # type: ignore[type-arg]
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
            by = Actor(user=request.user, entrance=Entrance.ADMIN)
            AuditEvent.record(by=by, verb="user:rights", target=obj.username, before=before, after=after)


class MembershipInline(ReadOnly, admin.TabularInline):  # type: ignore[type-arg]
    model = Membership
    fields = ["user", "role", "joined_at", "role_since"]
    extra = 0


@admin.register(Organization)
class OrganizationAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["name", "fullname", "created_at"]
    list_select_related = ["namespace"]
    search_fields = ["namespace__name", "fullname"]
    inlines = [MembershipInline]


@admin.register(AuditEvent)
class AuditEventAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["at", "actor", "verb", "target", "entrance", "token_name", "address"]
    list_filter = ["entrance", "at"]
    search_fields = ["actor", "verb", "target"]
    show_full_result_count = False
