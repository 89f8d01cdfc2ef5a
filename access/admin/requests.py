"""Access requests of all repos, for staff: to find, to review and to export.  The services and the policy decide."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import redirect

from access import policy
from access.admin.asking import asked
from access.admin.deciding import DECISIONS, WORDS, decide
from access.admin.detail import show
from access.admin.exporting import EXPORTS, export
from access.admin.request_list import PAGE_SIZE, RequestList
from access.models import AccessRequest
from access.policy import Action
from accounts.errors import HubError
from accounts.staff import Log, actor_of

LOOKS = {"accept": "strong", "reject": "danger"}


@admin.register(AccessRequest)
class AccessRequestAdmin(Log):
    """Django's pages, filled by `RequestList` and `detail`; its actions, carried out by `deciding` and `exporting`."""

    list_per_page = PAGE_SIZE
    list_display = ["__str__"]
    list_before_template = "admin/access/_request_filters.html"
    list_fullwidth = True

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[RequestList]:
        return RequestList

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Our own, by name, each for whoever may: see `changelist_view`."""
        return {}

    def has_review_permission(self, request: HttpRequest) -> bool:
        return policy.may_everywhere(actor_of(request), Action.REQUESTS_REVIEW)

    def has_export_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request) and bool(request.user.has_perm("access.export_accessrequest"))

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        if request.method == "POST":
            return self._act(request)  # type: ignore[return-value]
        context = {"title": "Access requests", "actions_offered": self._offered(request), **(extra_context or {})}
        page: HttpResponse = super().changelist_view(request, context)
        return page

    def _offered(self, request: HttpRequest) -> list[tuple[str, str, str]]:
        """Name, words and look of each button."""
        found = (
            [(name, WORDS[name], LOOKS.get(name, "")) for name in DECISIONS]
            if self.has_review_permission(request)
            else []
        )
        if self.has_export_permission(request):
            found += [(name, words, "") for name, (_, words) in EXPORTS.items()]
        return found

    def _act(self, request: HttpRequest) -> HttpResponseBase:
        action = request.POST.get("action", "")
        list_asked = asked(request.GET)
        if action in DECISIONS:
            if not self.has_review_permission(request):
                raise PermissionDenied
            return decide(self, request, list_asked)
        if action in EXPORTS:
            if not self.has_export_permission(request):
                raise PermissionDenied
            try:
                return export(request, list_asked)
            except HubError as error:
                messages.error(request, error.text_for_people)
        else:
            messages.error(request, "There is no such action. Nothing was done.")
        return redirect(request.get_full_path())

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        found = self.get_object(request, object_id)
        if found is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)  # type: ignore[no-any-return]
        if request.method == "POST":
            if request.POST.get("action") not in DECISIONS or not self.has_review_permission(request):
                raise PermissionDenied  # Nothing else is changed here.
            return decide(self, request, asked(QueryDict()), only=found.pk)
        return show(self, request, found)
