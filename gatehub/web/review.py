"""The review: pending, accepted and rejected requests of one repo, and what a reviewer does with them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from urllib.parse import urlencode

from django.contrib import messages
from django.core.paginator import Page
from django.db.models import Count, Q, QuerySet, TextField
from django.db.models.functions import Cast
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from access import services
from access.models import AccessRequest
from access.policy import Action
from accounts import services as accounts
from accounts.errors import HubError
from gatehub.web.base import FORM, attempt, find_repo, only, page_of, signed_in
from repos import cards
from repos.models import Repo

Status = AccessRequest.Status
PAGE_SIZE = 100
QUEUE_AT_ONCE = 500
"""How many requests one press of "accept all" decides: each is a transaction with its mail."""


@dataclass(frozen=True, slots=True)
class Row:
    """One request, and its answers in the words of the form that was answered."""

    request: AccessRequest

    @property
    def answers(self) -> list[tuple[str, str]]:
        form = services.form_spec(self.request.form)
        fields = {entry.label: entry for entry in form.fields}
        return [(label, _in_words(fields.get(label), answer)) for label, answer in self.request.questions_and_answers()]


def _in_words(entry: cards.Field | None, answer: str) -> str:
    """What the person chose, as they saw it on the form."""
    match entry.type if entry else "":
        case "checkbox":
            return "Yes" if answer == "true" else "No"
        case "country" | "ip_location":
            names = dict(cards.countries())
            return f"{names[answer]} ({answer})" if answer in names else answer or "Not known"
        case "select" if entry:
            return next((option.label for option in entry.options if option.value == answer), answer)
        case _:
            return answer


@dataclass(frozen=True, slots=True)
class Lists:
    """One of the three lists, and how long each is."""

    status: str
    search: str
    counts: dict[str, int]
    page: Page[AccessRequest]

    @property
    def rows(self) -> list[Row]:
        return [Row(request) for request in self.page]

    @property
    def tabs(self) -> list[tuple[str, str, int]]:
        return [(status.value, status.label, self.counts[status]) for status in Status]

    @property
    def query(self) -> str:
        """What leads back to this page of this list."""
        return _query(self.status, self.search, self.page.number)

    @property
    def pending(self) -> int:
        return self.counts[Status.PENDING]


def _query(status: str, search: str, page: int | str = 1) -> str:
    said = {"status": status, "q": search, "page": "" if str(page) == "1" else page}
    return urlencode({key: value for key, value in said.items() if value})


def lists(request: HttpRequest, repo: Repo) -> Lists:
    """What `?status=`, `?q=` and `?page=` ask for; the pending ones otherwise."""
    status = request.GET.get("status", Status.PENDING)
    status = status if status in Status.values else Status.PENDING.value
    search = " ".join(request.GET.get("q", "").replace("\0", "").split())[:200]
    everything = AccessRequest.objects.filter(repo=repo)
    counted = everything.order_by().values("status").annotate(number=Count("pk")).values_list("status", "number")
    counts = dict.fromkeys(Status.values, 0) | dict(counted)
    order = ["requested_at", "pk"] if status == Status.PENDING else ["-requested_at", "-pk"]
    rows = everything.filter(status=status).select_related("user", "reviewed_by", "form").order_by(*order)
    if search:
        page = page_of(request, _matching(rows, search), PAGE_SIZE)
    else:
        page = page_of(request, rows, PAGE_SIZE, total=counts[status])
    return Lists(status=status, search=search, counts=counts, page=page)


def _matching(rows: QuerySet[AccessRequest], search: str) -> QuerySet[AccessRequest]:
    """Those whose person, address or answers contain the words."""
    escaped = json.dumps(search)[1:-1]  # SQLite keeps answers as JSON text, where é is \u00e9.
    return rows.alias(text=Cast("answers", TextField())).filter(
        Q(user__username__icontains=search)
        | Q(fullname__icontains=search)
        | Q(email__icontains=search)
        | Q(text__icontains=search)
        | Q(text__icontains=escaped)
    )


def _back(request: HttpRequest, repo: Repo) -> HttpResponse:
    """To the page of the list that the reviewer was on."""
    asked = request.GET
    query = _query(asked.get("status", ""), asked.get("q", ""), asked.get("page", ""))
    return redirect(f"{repo.path}/settings?{query}#requests" if query else f"{repo.path}/settings#requests")


@signed_in
@only(*FORM)
def decide(request: HttpRequest, **where: str) -> HttpResponse:
    """`/{repo_id}/settings/review`: `request_id`, the `expected` status that the page showed, the new `status`,
    perhaps a `reason`."""
    actor, repo = find_repo(request, Action.REQUESTS_REVIEW, where)

    def act() -> None:
        found = services.find_request(repo, request_id=request.POST.get("request_id", ""))
        done = services.review(
            access_request=found,
            status=request.POST.get("status", ""),
            reason=request.POST.get("reason", ""),
            expected=request.POST.get("expected") or None,
            by=actor,
        )
        messages.success(request, f"{found.user.username} {_NOW[done.status]}")

    attempt(request, act)
    return _back(request, repo)


_NOW: dict[str, str] = {
    Status.ACCEPTED: "has access now.",
    Status.REJECTED: "was rejected.",
    Status.PENDING: "is waiting for a decision again.",
}


@signed_in
@only(*FORM)
def grant(request: HttpRequest, **where: str) -> HttpResponse:
    """`/{repo_id}/settings/grant`: give a person access by user name."""
    actor, repo = find_repo(request, Action.REQUESTS_REVIEW, where)

    def act() -> None:
        user = accounts.get_user(request.POST.get("user", "").strip())
        services.grant(repo=repo, user=user, by=actor)
        messages.success(request, f"{user.username} has access now.")

    attempt(request, act)
    return _back(request, repo)


@signed_in
@only(*FORM)
def accept_queue(request: HttpRequest, **where: str) -> HttpResponse:
    """`/{repo_id}/settings/accept-queue`: accept those who waited when the gate became automatic."""
    actor, repo = find_repo(request, Action.REQUESTS_REVIEW, where)
    waiting = AccessRequest.objects.pending().filter(repo=repo).select_related("repo__namespace", "user")
    accepted, refused = 0, ""
    for access_request in waiting.order_by("requested_at", "pk")[:QUEUE_AT_ONCE]:
        try:
            services.review(access_request=access_request, status=Status.ACCEPTED, expected=Status.PENDING, by=actor)
            accepted += 1
        except HubError as error:  # Another reviewer was quicker, or the gate has just changed; the others go on.
            refused = f"{error.message} {error.next_step}".strip()
    messages.success(request, f"{accepted} request{'' if accepted == 1 else 's'} accepted.")
    if refused:
        messages.warning(request, refused)
    left = waiting.count()
    if left:
        messages.info(request, f"Still waiting: {left}. Press again to go on.")
    return _back(request, repo)
