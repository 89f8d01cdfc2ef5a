"""People, organizations and the audit trail, for staff.

What has rules of its own is shown and not edited: services change it, which keep the rules and the trail.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from datetime import timedelta
from typing import Any, Final

from django.contrib import admin, messages
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import HttpResponseRedirect, StreamingHttpResponse
from django.template.loader import render_to_string
from django.urls import path, reverse
from django.utils import timezone
from django.utils.html import format_html
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from accounts import audit_changes, audit_export, standing
from accounts.audit import NOUNS
from accounts.errors import HubError
from accounts.known_repos import known_repos
from accounts.models import AuditEvent, Membership, Namespace, Organization, User
from accounts.staff import Inline, Link, Log, ReadOnly, StaffAdmin, actor_of, each


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
        ("May", {"fields": ["is_active", "is_staff", "is_superuser", "groups", "user_permissions"]}),
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
            self.message_user(request, f"{error.message} {error.next_step}".strip(), messages.ERROR)
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

    def has_add_permission(self, request: Any) -> bool:
        return _is_superuser(request)

    def has_change_permission(self, request: Any, obj: Any = None) -> bool:
        return _is_superuser(request)

    def has_delete_permission(self, request: Any, obj: Any = None) -> bool:
        return _is_superuser(request)


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


class NounFilter(admin.SimpleListFilter):
    """What was done something to."""

    title = "what"
    parameter_name = "noun"

    def lookups(self, request: Any, model_admin: Any) -> list[tuple[str, str]]:
        return [(noun, words) for noun, words in NOUNS.items()]

    def queryset(self, request: Any, queryset: Any) -> Any:
        noun = self.value()
        return queryset if noun is None else queryset.of_noun(noun)


class AgeFilter(admin.SimpleListFilter):
    title = "when"
    parameter_name = "age"
    _AGES: Final = {"1": "In the last 24 hours", "7": "In the last 7 days", "30": "In the last 30 days",
                    "365": "In the last 365 days"}  # fmt: skip

    def lookups(self, request: Any, model_admin: Any) -> list[tuple[str, str]]:
        return list(self._AGES.items())

    def queryset(self, request: Any, queryset: Any) -> Any:
        days = self.value()
        if days not in self._AGES:
            return queryset
        return queryset.filter(at__gte=timezone.now() - timedelta(days=int(days)))


@admin.register(AuditEvent)
class AuditEventAdmin(Log):
    """Quick over millions of rows: nothing is counted to its end, and each search and filter has an index."""

    list_display = ["at", "actor", "verb", "target", "entrance", "token_name"]
    list_filter = ["entrance", NounFilter, AgeFilter]
    ordering = ["-at", "-pk"]
    sortable_by = ()
    search_fields = ["actor"]  # Shows the field; `get_search_results` searches.
    search_help_text = "A part of a person's name, of what was done, of its target or of a token's name; a repo id."
    list_before_template = "admin/accounts/auditevent/export.html"
    fields = ["at", "who", "verb", "target", "repo_then", "entrance", "token_name", "changes"]

    class Media:
        css = {"all": ["css/staff-audit.css"]}

    def has_export_permission(self, request: Any) -> bool:
        return self.has_view_permission(request) and bool(request.user.has_perm("accounts.export_auditevent"))

    def may_see_addresses(self, request: Any) -> bool:
        return bool(request.user.has_perm("accounts.view_auditaddress"))

    def get_queryset(self, request: Any) -> Any:
        events: Any = super().get_queryset(request)
        return events.with_addresses() if self.may_see_addresses(request) else events

    def get_list_display(self, request: Any) -> list[str]:
        return [*self.list_display, "address"] if self.may_see_addresses(request) else self.list_display

    def get_fields(self, request: Any, obj: Any = None) -> list[str]:
        return [*self.fields, "address"] if self.may_see_addresses(request) else self.fields

    def get_search_results(self, request: Any, queryset: Any, search_term: str) -> tuple[Any, bool]:
        term = " ".join(search_term.replace("\0", "").split())
        if not term:
            return queryset, False
        address = _ip_address(term)
        if address:
            known = queryset.filter(kept_address__address=address)
            return (known if self.may_see_addresses(request) else queryset.none()), False
        if "/" in term:
            keys = known_repos.keys(term)
            if keys:  # Whatever it was called then.
                return queryset.filter(repo__in=keys), False
        # Of less than three letters, whole words only: they are all that the index finds.
        return queryset.containing(term if len(term) > 2 else f" {term} "), False

    @admin.display(description="actor")
    def who(self, event: AuditEvent) -> str:
        user = User.objects.filter(pk=event.actor_id_at_the_time or 0).first()
        if user is None:
            return event.actor or "nobody who was signed in"
        now = "" if user.username == event.actor else f" (now {user.username})"
        return _link("admin:accounts_user_change", user.pk, f"{event.actor}{now}")

    @admin.display(description="repo")
    def repo_then(self, event: AuditEvent) -> str:
        if event.repo is None:
            return "none"
        name = known_repos.name(event.repo)
        if not name:
            return f"key {event.repo}, deleted"
        return _link("admin:repos_repo_change", event.repo, name)

    @admin.display(description="before and after")
    def changes(self, event: AuditEvent) -> str:
        rows = audit_changes.compared(event.before, event.after)
        return render_to_string("admin/accounts/auditevent/changes.html", {"rows": rows})

    def get_urls(self) -> list[Any]:
        export = self.admin_site.admin_view(self.export_view)
        return [path("export/", export, name="accounts_auditevent_export"), *super().get_urls()]

    def changelist_view(self, request: Any, extra_context: Any = None) -> Any:
        allowed = {"may_export": self.has_export_permission(request)}
        return super().changelist_view(request, (extra_context or {}) | allowed)

    def export_view(self, request: Any) -> Any:
        """`…/export/?{filters of the list}`; the form sends `format`.  Leaves a row in the trail itself."""
        if not self.has_export_permission(request):
            raise PermissionDenied
        format_ = request.POST.get("format", "")
        if request.method != "POST" or format_ not in audit_export.FORMATS:
            return HttpResponseRedirect(reverse("admin:accounts_auditevent_changelist"))
        events = self.get_changelist_instance(request).queryset
        said = {"format": format_, "asked": request.GET.urlencode()[:1000]}
        export = AuditEvent.record(by=actor_of(request), verb="audit:export", target="the audit trail", after=said)
        with_address = self.may_see_addresses(request)
        columns = [*audit_export.COLUMNS, *(["address"] if with_address else [])]
        tell = audit_export.told_with_address if with_address else audit_export.told_to_staff
        file = audit_export.stream(events.filter(pk__lt=export.pk), columns, tell, format_)
        response = StreamingHttpResponse(file, content_type=audit_export.FORMATS[format_])
        response["Content-Disposition"] = f'attachment; filename="audit-trail.{format_}"'
        response["Cache-Control"] = "no-store"
        return response


def _ip_address(text: str) -> str:
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return ""


def _link(view: str, key: int, words: str) -> str:
    return format_html('<a href="{}">{}</a>', reverse(view, args=[key]), words)
