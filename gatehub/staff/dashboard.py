"""The first page of the admin: what waits, what is late, what was done.  Each part is for those who may see its rows.

Requests are counted from the tallies of each repo and day, everything else no further than a bound, and the newest rows
come by an index.  The sums read all tallies: `bench/README.md` says what that costs.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.db.models import Max, Model, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from access import tallies
from access.models import AccessRequest, AccessToken, BulkReview
from accounts.actor import Entrance
from accounts.models import AuditEvent, User
from gatehub.caches import kept
from gatehub.web.chart import chart_html
from notifications import schedule
from notifications.models import Delivery
from repos.models import Repo

MOST_COUNTED = 100_000
SHOWN = 5
LATE_AFTER = timedelta(minutes=10)
"""A worker looks for what is due every ten seconds."""
NEWEST_ACTS = 5000
"""So far back acts of staff are looked for: among a million acts of others there may be none."""
STOPPED_WITHIN = timedelta(days=30)
SLOW = 0.05
"""Seconds from which on sums are kept for `KEPT_SECONDS`: a million tallies take a third of a second to add up."""
KEPT_SECONDS = 60
_SUMS = "staff:dashboard:sums"


@dataclass(frozen=True, slots=True)
class Number:
    """A number with its word and the list behind it.  `is_bad` where somebody should look."""

    words: str
    value: int
    address: str
    is_cut: bool = False
    is_bad: bool = False


@dataclass(frozen=True, slots=True)
class Waiting:
    """A repo whose requests wait."""

    repo: Repo
    pending: int
    address: str


@dataclass(slots=True)
class Dashboard:
    """What the page shows; None or empty where there is nothing, or nothing for the one who asks."""

    numbers: list[Number] = field(default_factory=list)
    oldest: list[AccessRequest] | None = None
    repos: list[Waiting] = field(default_factory=list)
    chart_html: str = ""
    mail: list[Number] | None = None
    is_digest_overdue: bool = False
    reviews: list[BulkReview] | None = None
    acts: list[AuditEvent] | None = None


def callback(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """As unfold asks for it in `UNFOLD["DASHBOARD_CALLBACK"]`."""
    return context | {"dashboard": dashboard_of(request), "title": "Dashboard"}


def dashboard_of(request: HttpRequest) -> Dashboard:
    shown = Dashboard()
    for model, fill in _PARTS:
        if _may_see(request, model):
            fill(shown)
    return shown


def _may_see(request: HttpRequest, model: type[Model]) -> bool:
    app, name = model._meta.app_label, model._meta.model_name
    user: Any = request.user
    return any(user.has_perm(f"{app}.{verb}_{name}") for verb in ("view", "change"))


def _list(model: type[Model], **query: Any) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist", query=query or None)


def _number(words: str, rows: QuerySet[Any], address: str, *, is_bad: bool = False) -> Number:
    counted = rows.order_by()[: MOST_COUNTED + 1].count()
    return Number(words, min(counted, MOST_COUNTED), address, counted > MOST_COUNTED, is_bad and counted > 0)


def _sums() -> tuple[tuple[tallies.Day, ...], list[tuple[int, int]]]:
    """Requests of all repos by day; the repos with the most that wait."""
    found: tuple[tuple[tallies.Day, ...], list[tuple[int, int]]] | None = kept.get(_SUMS)
    if found is None:
        began = time.monotonic()
        found = tallies.of_all_by_day(), tallies.most_pending(SHOWN)
        if time.monotonic() - began > SLOW:
            kept.set(_SUMS, found, KEPT_SECONDS)
    return found


def _requests(shown: Dashboard) -> None:
    by_day, most = _sums()
    sums = tallies.sums_of(by_day)
    for status in AccessRequest.Status:
        shown.numbers.append(Number(status.label, sums[status], _list(AccessRequest, status=status)))
    shown.chart_html = chart_html(by_day, today=timezone.now().date(), of_staff=True)
    pending = AccessRequest.objects.pending().order_by("requested_at", "pk")
    shown.oldest = list(pending.select_related("user", "repo__namespace")[:SHOWN])
    repos = Repo.objects.select_related("namespace").in_bulk([key for key, _ in most])
    shown.repos = [
        Waiting(
            repos[key], number, _list(AccessRequest, repo=f"{repos[key].type}s/{repos[key].repo_id}", status="pending")
        )
        for key, number in most
        if key in repos
    ]


def _gated(shown: Dashboard) -> None:
    shown.numbers.append(_number("Gated repos", Repo.objects.gated_or_not(True), _list(Repo)))
    disabled = Repo.objects.filter(disabled=True)
    shown.numbers.append(_number("Disabled repos", disabled, _list(Repo, disabled__exact=1)))


def _people(shown: Dashboard) -> None:
    shown.numbers.append(_number("People", User.objects.filter(is_active=True), _list(User, is_active__exact=1)))


def _tokens(shown: Dashboard) -> None:
    shown.numbers.append(_number("Tokens", AccessToken.objects.all(), _list(AccessToken)))


def _mail(shown: Dashboard) -> None:
    waiting, late = Delivery.objects.waiting(), timezone.now() - LATE_AFTER
    state = Delivery.State
    shown.mail = [
        _number("Waiting", waiting, _list(Delivery, state__exact=state.WAITING)),
        _number("Late", waiting.filter(due_at__lt=late), _list(Delivery, state__exact=state.WAITING), is_bad=True),
        _number(
            "Given up",
            Delivery.objects.filter(state=state.DEAD),
            _list(Delivery, state__exact=state.DEAD),
            is_bad=True,
        ),
    ]
    shown.is_digest_overdue = schedule.is_digest_overdue()


def _reviews(shown: Dashboard) -> None:
    """Those under way, and those that stopped lately."""
    reviews = BulkReview.objects.select_related("repo__namespace", "by").order_by("-pk")
    since = timezone.now() - STOPPED_WITHIN
    stopped = reviews.filter(finished_at__gte=since).exclude(stopped_because="")
    shown.reviews = [*reviews.filter(finished_at=None)[:SHOWN], *stopped[:SHOWN]]


def _acts(shown: Dashboard) -> None:
    newest = AuditEvent.objects.aggregate(newest=Max("pk"))["newest"] or 0
    acts = AuditEvent.objects.filter(pk__gt=newest - NEWEST_ACTS, entrance=Entrance.ADMIN.value)
    shown.acts = list(acts.order_by("-pk")[:SHOWN])


_PARTS: Iterable[tuple[type[Model], Callable[[Dashboard], None]]] = (
    (AccessRequest, _requests),
    (Repo, _gated),
    (User, _people),
    (AccessToken, _tokens),
    (Delivery, _mail),
    (AccessRequest, _reviews),
    (AuditEvent, _acts),
)
