"""People and groups, for staff.  What has rules of its own goes through `accounts.standing`."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpResponseRedirect
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from accounts import standing
from accounts.errors import HubError
from accounts.models import AuditEvent, User
from accounts.staff import StaffAdmin, actor_of, each


def _is_superuser(request: Any) -> bool:
    return bool(request.user.is_active and request.user.is_superuser)


@admin.register(User)
class UserAdmin(StaffAdmin, DjangoUserAdmin):  # type: ignore[misc, type-arg]
    """Who may sign in, and as what.  People come by signing up, or by the command `create_user`.

    Who may change people closes and opens their accounts.  All else is for superusers: nobody raises themselves.
    """

    list_display = ["username", "fullname", "email", "is_active", "is_staff", "date_joined"]
    list_filter = ["is_active", "is_staff", "is_superuser"]
    search_fields = ["username", "fullname", "email"]
    fieldsets = [
        (None, {"fields": ["username", "password", "fullname", "email"]}),
        ("Permissions", {"fields": ["is_active", "is_staff", "is_superuser", "groups", "user_permissions"]}),
        ("Dates", {"fields": ["last_login", "date_joined"]}),
    ]
    readonly_fields = ["username", "email", "last_login", "date_joined"]
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    actions = ["close_accounts", "open_accounts"]
    _RIGHTS = ("is_staff", "is_superuser", "groups", "user_permissions")

    def has_add_permission(self, *_: Any) -> bool:
        return False

    def has_delete_permission(self, *_: Any) -> bool:
        return False  # Repos and requests are theirs: close the account instead.

    def get_fieldsets(self, request: Any, obj: User | None = None) -> Any:
        if _is_superuser(request):
            return self.fieldsets
        return [(None, {"fields": ["username", "fullname", "email"]}), *self.fieldsets[1:]]  # Not what the hash is.

    def get_readonly_fields(self, request: Any, obj: User | None = None) -> list[str]:
        if _is_superuser(request):
            return list(self.readonly_fields)
        closes = obj is None or standing.may_be_closed_by(obj, request.user)
        return [*self.readonly_fields, "fullname", *self._RIGHTS, *([] if closes else ["is_active"])]

    def user_change_password(self, request: Any, id: str, form_url: str = "") -> Any:  # noqa: A002 - Django's name.
        if not _is_superuser(request):  # Whoever sets a superuser's password is one.
            raise PermissionDenied
        return super().user_change_password(request, id, form_url)

    def changeform_view(
        self, request: Any, object_id: Any = None, form_url: str = "", extra_context: Any = None
    ) -> Any:
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except HubError as error:  # All that the form said was taken back.
            self.message_user(request, error.text_for_people, messages.ERROR)
            return HttpResponseRedirect(request.get_full_path())

    def save_model(self, request: Any, obj: User, form: Any, change: bool) -> None:
        """Only what was changed: whatever else happened to the row since it was read stays so."""
        by = actor_of(request)
        if "fullname" in form.changed_data:
            before = User.objects.values_list("fullname", flat=True).get(pk=obj.pk)
            obj.save(update_fields=["fullname"])
            AuditEvent.record(by=by, verb="user:profile", target=obj.username, before=before, after=obj.fullname)
        if "is_active" in form.changed_data:
            act = standing.reactivate if obj.is_active else standing.deactivate
            act(obj, by=by)

    def save_related(self, request: Any, form: Any, formsets: Any, change: bool) -> None:
        if not set(form.changed_data).isdisjoint(self._RIGHTS):
            said = form.cleaned_data
            standing.set_rights(
                form.instance,
                by=actor_of(request),
                is_staff=said["is_staff"],
                is_superuser=said["is_superuser"],
                groups=said["groups"],
                permissions=said["user_permissions"],
            )

    def log_change(self, request: Any, obj: User, message: Any) -> Any:
        """What is changed on the page is written down where it is done; of a new password, here."""
        if request.resolver_match.url_name == "auth_user_password_change":
            AuditEvent.record(by=actor_of(request), verb="user:password", target=obj.username)

    @admin.action(description="Close accounts", permissions=["change"])
    def close_accounts(self, request: Any, queryset: QuerySet[User]) -> None:
        by = actor_of(request)
        each(self, request, queryset, lambda user: standing.deactivate(user, by=by), "signed out, and closed")

    @admin.action(description="Open accounts", permissions=["change"])
    def open_accounts(self, request: Any, queryset: QuerySet[User]) -> None:
        by = actor_of(request)
        done = "open; their tokens work again, and they sign in anew"
        each(self, request, queryset, lambda user: standing.reactivate(user, by=by), done)


admin.site.unregister(Group)


@admin.register(Group)
class GroupAdmin(StaffAdmin, DjangoGroupAdmin):  # type: ignore[misc]
    """What staff may do.  Those that GateHub brings are in `gatehub.staff.groups`.

    Superusers alone change them: else whoever may change groups could give theirs everything.
    """

    def get_deleted_objects(self, objs: Any, request: Any) -> Any:
        """What is lost with them in numbers.  Django would name each of the rows that tie them to others."""
        groups = list(objs)
        _, _, lacking, protected = super().get_deleted_objects(groups, request)
        ties = {
            "permissions given by them": Group.permissions.through.objects.filter(group__in=groups).count(),
            "memberships of people": User.groups.through.objects.filter(group__in=groups).count(),
        }
        return [f"Group: {group}" for group in groups], {"groups": len(groups), **ties}, lacking, protected

    def has_add_permission(self, request: Any) -> bool:
        return _is_superuser(request)

    def has_change_permission(self, request: Any, obj: Any = None) -> bool:
        return _is_superuser(request)

    def has_delete_permission(self, request: Any, obj: Any = None) -> bool:
        return _is_superuser(request)
