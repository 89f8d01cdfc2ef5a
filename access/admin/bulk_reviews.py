"""Reviews of many requests at once, those of staff and those of owners: how far each is, and what became of it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib import admin, messages
from django.contrib.humanize.templatetags.humanize import intcomma
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.urls.resolvers import URLPattern
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timezone import localtime

from access import bulk, policy
from access.admin.deciding import DONE
from access.models import BulkReview
from access.policy import Action
from accounts.errors import HubError
from accounts.staff import Log, actor_of

_MOMENTS = ("asked_after", "asked_before")
_MINUTE = "j F Y, H:i T"
REFRESHED_AFTER = 2
"""Seconds between one look at a running review and the next."""


@admin.register(BulkReview)
class BulkReviewAdmin(Log):
    """For whoever may see access requests.  The page of one shows how far it is, and loads itself until its end."""

    list_display = ["what", "repo_or_all", "by", "created_at", "state", "progress", "refused"]
    list_filter = ["status"]
    list_select_related = ["repo__namespace", "by"]
    list_display_links = ["what"]

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.has_perm(policy.STAFF_PERMISSIONS[Action.REQUESTS_VIEW]))

    def get_urls(self) -> list[URLPattern]:
        stop = self.admin_site.admin_view(self.stop)
        urls: list[URLPattern] = super().get_urls()
        return [path("<int:key>/stop/", stop, name="access_bulkreview_stop"), *urls]

    @admin.display(description="what")
    def what(self, review: BulkReview) -> str:
        return f"{intcomma(review.total)} to be {DONE[review.status]}"

    @admin.display(description="repo")
    def repo_or_all(self, review: BulkReview) -> str:
        return str(review.repo or "any")

    @admin.display(description="state")
    def state(self, review: BulkReview) -> SafeString:
        state = state_of(review)
        return format_html('<span class="requests-status {}">{}</span>', state, state)

    @admin.display(description="decided")
    def progress(self, review: BulkReview) -> str:
        return f"{intcomma(review.decided)} of {intcomma(review.total)}"

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        review = self.get_object(request, object_id)
        if review is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)  # type: ignore[no-any-return]
        if request.method == "POST":
            raise PermissionDenied
        context = {
            **self.admin_site.each_context(request),
            "title": self.what(review),
            "opts": self.opts,
            "object": review,  # The heading names it.
            "review": review,
            "state": state_of(review),
            "done": DONE[review.status],
            "percent": 100 if review.finished_at else min(review.looked_at * 100 // max(review.total, 1), 99),
            "unnamed": review.refused - len(review.refusals),
            "chosen": chosen_in_words(review),
            "refreshed_after": REFRESHED_AFTER,
            "may_stop": review.finished_at is None and policy.may_everywhere(actor_of(request), Action.REQUESTS_REVIEW),
            "requests": reverse("admin:access_accessrequest_changelist"),
        }
        return TemplateResponse(request, "admin/access/bulkreview/progress.html", context)

    def stop(self, request: HttpRequest, key: int) -> HttpResponse:
        """`/admin/access/bulkreview/{key}/stop/`: leave the rest undecided."""
        if request.method != "POST" or not self.has_view_permission(request):
            raise PermissionDenied
        review = BulkReview.objects.select_related("repo__namespace").filter(pk=key).first()
        if review is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, str(key))  # type: ignore[no-any-return]
        try:
            bulk.stop(review, by=actor_of(request))
        except HubError as error:
            messages.error(request, error.text_for_people)
        return redirect("admin:access_bulkreview_change", key)


def state_of(review: BulkReview) -> str:
    if review.finished_at is None:
        return "running"
    return "stopped" if review.stopped_because else "done"


def chosen_in_words(review: BulkReview) -> list[tuple[str, str]]:
    """What was chosen, as name and value; keys of rows that are gone stay numbers."""
    chosen = review.chosen
    if "seen" in chosen:
        return [("ticked", f"{intcomma(len(chosen['seen']))} requests")]
    said = chosen.get("filter", chosen)
    given = {name: value for name, value in said.items() if value not in (None, "", [])}
    return [
        (name.replace("_", " "), _moment(str(value)) if name in _MOMENTS else _in_words(value))
        for name, value in given.items()
    ]


def _moment(said: str) -> str:
    """As the page says other moments; as it is kept, if it is none."""
    try:
        return date_format(localtime(datetime.fromisoformat(said)), _MINUTE)
    except ValueError:
        return said


def _in_words(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(_in_words(part) for part in value) if isinstance(value, list) else str(value)
