"""The audit trail, for staff: to search and to export.  Nobody changes it."""

from __future__ import annotations

import ipaddress
from datetime import timedelta
from typing import Any, Final

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpResponseRedirect, StreamingHttpResponse
from django.template.loader import render_to_string
from django.urls import path, reverse
from django.utils import timezone
from django.utils.html import format_html

from accounts import audit_changes, audit_export
from accounts.actor import Entrance
from accounts.audit import NOUNS
from accounts.known_repos import known_repos
from accounts.models import AuditEvent, User
from accounts.staff import Log, actor_of

ENTRANCES: Final = {one.value: "API" if one is Entrance.API else one.value.capitalize() for one in Entrance}


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
        if days is None:
            return queryset
        if days not in self._AGES:  # Not understood, so it finds nothing.
            return queryset.none()
        return queryset.filter(at__gte=timezone.now() - timedelta(days=int(days)))


class EntranceFilter(admin.SimpleListFilter):
    title = "entrance"
    parameter_name = "entrance__exact"

    def lookups(self, request: Any, model_admin: Any) -> list[tuple[str, str]]:
        return list(ENTRANCES.items())

    def queryset(self, request: Any, queryset: Any) -> Any:
        entrance = self.value()
        return queryset if entrance is None else queryset.filter(entrance=entrance)


@admin.register(AuditEvent)
class AuditEventAdmin(Log):
    """Quick over millions of rows: nothing is counted to its end, and each search and filter has an index."""

    list_display = ["at", "actor", "verb", "target", "came_by", "token_name"]
    list_filter = [EntranceFilter, NounFilter, AgeFilter]
    ordering = ["-at", "-pk"]
    sortable_by = ()
    search_fields = ["actor"]  # Shows the field; `get_search_results` searches.
    search_help_text = "A part of a person's name, of what was done, of its target or of a token's name; a repo id."
    list_before_template = "admin/accounts/auditevent/export.html"
    fields = ["at", "who", "verb", "target", "repo_then", "came_by", "token_name", "changes"]

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

    @admin.display(description="entrance")
    def came_by(self, event: AuditEvent) -> str:
        return ENTRANCES.get(event.entrance, event.entrance)

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
