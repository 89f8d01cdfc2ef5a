"""The list of all requests: a page of what the address asks for, and what stands around it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from unfold.views import ChangeList

from access.admin.asking import NEWEST_FORMS, ORDERS, Asked, asked
from access.answers import country_in_words
from access.filters import AGES
from access.filters_all import DECIDED
from access.finding import Number
from access.finding_all import StaffFinder
from access.models import AccessRequest
from access.moments import Clock
from accounts import keyset
from repos import cards
from repos.models import GateForm, Repo

PAGE_SIZE = 50
MOST_COUNTED = 1000
Status = AccessRequest.Status
SHOWN = (
    "fullname", "email", "requested_at", "reviewed_at", "status", "granted", "rejection_reason", "country",
    "user__username", "reviewed_by__username", "form__commit_sha",
    "repo__type", "repo__name", "repo__namespace__name",
)  # fmt: skip
"""What `_row` shows."""


@dataclass(frozen=True, slots=True)
class Control:
    """A control of the form of filters: a choice where there are options, as value and words, else a field."""

    name: str
    label: str
    value: str
    options: list[tuple[str, str]] | None = None
    type: str = "text"
    hint: str = ""


class _Pages(Paginator):  # type: ignore[type-arg]
    """For templates that ask Django's lists how long they are."""

    is_cut = False


class RequestList(ChangeList):  # type: ignore[misc]
    """Django's list, but paged by keyset, filtered by `StaffFilter`, and never counted to its end."""

    asked: Asked

    def get_filters(self, request: HttpRequest) -> Any:
        return [], False, {}, False, False

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> QuerySet[AccessRequest]:
        self.asked = asked(request.GET)
        chosen = self.asked.filter
        return AccessRequest.objects.none() if chosen is None else chosen.requests()

    def get_results(self, request: HttpRequest) -> None:
        self.slice = self._slice(request.GET.get("after", ""), request.GET.get("before", ""))
        self.result_list = self.slice.rows
        self.full_result_count = None
        self.show_full_result_count = False
        self.show_admin_actions = bool(self.slice.rows)
        self.can_show_all = False
        self.multi_page = bool(self.slice.previous or self.slice.next)
        self.paginator = _Pages(self.slice.rows, PAGE_SIZE)
        self.paginator.is_cut = self.number.more
        self.result_count = self.number.value

    def _slice(self, after: str, before: str) -> keyset.Slice[AccessRequest]:
        if self._finder is None:
            return keyset.Slice([])
        rows = AccessRequest.objects.select_related("repo__namespace", "user", "reviewed_by", "form")
        rows = rows.only(*SHOWN)  # A page of whole rows of five tables took a fifth of its time.
        try:
            found = self._page(rows, after=after, before=before)
            if not found.rows and after:  # All of the last page were decided about: another page is the last now.
                found = self._page(rows, last=True)
        except keyset.NotACursor:
            self.asked.problems.append("The place in the list is not one that this server gave out.")
            return keyset.Slice([])
        return found if found.rows or not (after or before) else self._page(rows)

    def _page(self, rows: QuerySet[AccessRequest], **place: Any) -> keyset.Slice[AccessRequest]:
        assert self._finder is not None
        return keyset.slice_of(rows, self.asked.order, PAGE_SIZE, pick=self._finder.first, **place)

    @cached_property
    def _finder(self) -> StaffFinder | None:
        chosen = self.asked.filter
        return None if chosen is None else StaffFinder(chosen, MOST_COUNTED)

    @cached_property
    def number(self) -> Number:
        """How many match."""
        if self._finder is None or not self.multi_page:
            return Number(len(self.slice.rows))
        return self._finder.count()

    @property
    def next_query(self) -> str:
        return self.asked.query(after=self.slice.next) if self.slice.next else ""

    @property
    def previous_query(self) -> str:
        return self.asked.query(before=self.slice.previous) if self.slice.previous else ""

    @property
    def action_query(self) -> str:
        """What leads back to this page of the list."""
        place = {name: self.asked.said.get(name, "") for name in ("after", "before")}
        return self.asked.query(**place)

    @property
    def controls(self) -> list[Control]:
        """The filters, and the order."""
        said = self.asked.text
        any_status = [("", "Any"), *Status.choices, (DECIDED, "Accepted or rejected")]
        chosen = self.asked.filter
        return [
            Control("repo", "Repo", said("repo"), hint="lab/toxic-bert"),
            Control("namespace", "Owner", said("namespace"), hint="lab"),
            Control("status", "Status", chosen.status if chosen else said("status"), any_status),
            Control("age", "Asked", said("age"), [("", "At any time"), *((age, AGES[age][0]) for age in AGES)]),
            Control("from", "From", said("from"), type="date"),
            Control("to", "To", said("to"), type="date"),
            Control("country", "Country", self._country, []),
            self._form_control(),
            Control("granted", "Granted unasked", said("granted"), [("", "Any"), ("yes", "Yes"), ("no", "No")]),
            Control("reviewer", "Reviewed by", said("reviewer"), hint="user name"),
            Control("user", "Asked by", said("user"), hint="user name"),
            Control("sort", "Order", self.asked.sort, [(name, ORDERS[name][0]) for name in ORDERS]),
        ]

    @property
    def _country(self) -> str:
        chosen = self.asked.filter
        return chosen.country if chosen else cards.located_country_code(self.asked.text("country"))

    def _form_control(self) -> Control:
        """A choice among the versions of a repo that is named, else a field for a commit."""
        said = self.asked.text("form", 64)
        if not self.asked.repos:
            return Control("form", "Form version", said, hint="commit")
        versions = GateForm.objects.filter(repo__in=self.asked.repos).order_by("-pk").defer("spec")[:NEWEST_FORMS]
        options = [
            (form.commit_sha, f"{form.commit_sha[:7]}, {timezone.localtime(form.created_at):%-d %b %Y}")
            for form in versions
        ]
        chosen = next((sha for sha, _ in options if said and sha.startswith(said.lower())), said)
        if chosen and chosen not in dict(options):
            options.insert(0, (chosen, chosen[:12]))
        return Control("form", "Form version", chosen, [("", "Any"), *options])

    @property
    def countries(self) -> SafeString:
        """The options of the choice among countries, which would take longer to render than all the rest."""
        return _country_options(self._country)

    @property
    def search_text(self) -> str:
        return self.asked.text("q")

    @cached_property
    def rows(self) -> list[dict[str, Any]]:
        clock = Clock()
        return [_row(request, clock) for request in self.slice.rows]


def _row(request: AccessRequest, clock: Clock) -> dict[str, Any]:
    """What the table shows of a request."""
    asked_at, decided, form = clock.moment(request.requested_at), clock.moment(request.reviewed_at), request.form
    automatic = request.reviewed_by is None and request.reviewed_at is not None
    return {
        "key": request.pk,
        "href": reverse("admin:access_accessrequest_change", args=[request.pk]),
        "who": request.user.username,
        "fullname": request.fullname,
        "email": request.email,
        "repo": request.repo.repo_id,
        "repo_href": request.repo.path,
        "dataset": request.repo.type == Repo.Type.DATASET,
        "status": request.status,
        "granted": request.granted,
        "asked_iso": asked_at.iso,
        "asked_full": asked_at.full,
        "asked_day": asked_at.day,
        "asked_ago": asked_at.ago,
        "decided_iso": decided.iso,
        "decided_full": decided.full,
        "decided_day": decided.day,
        "reviewer": "automatically" if automatic else str(request.reviewed_by or ""),
        "reason": request.rejection_reason,
        "country": country_in_words(request.country),
        "form": "" if form is None else form.commit_sha[:7],
    }


@cache
def _country_options(chosen: str) -> SafeString:
    options = (
        (code, SafeString(" selected") if code == chosen else "", name) for code, name in cards.located_countries()
    )
    return format_html_join("\n", '<option value="{}"{}>{}</option>', options)
