"""One decision about many requests: those ticked on a page, or all that its filter matches."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from access import bulk, bulk_all, services, tasks
from access.filters import RequestFilter
from access.models import AccessRequest, BulkReview
from access.policy import Action
from accounts.actor import Actor
from accounts.errors import BadRequest, Conflict, HubError, NotFound
from gatehub.web import refused
from gatehub.web.base import FORM, SHOW, attempt, find_repo, in_words, is_partial, only, render_private, signed_in
from gatehub.web.repo import header
from gatehub.web.review import back
from gatehub.web.review_lists import PAGE_SIZE, Lists, lists
from repos.models import Repo

Status = AccessRequest.Status
AT_ONCE = 500
"""Up to so many are decided before the answer; more go to the worker, and the answer shows how far it is."""
NAMED = 5
_DONE = {Status.ACCEPTED: "accepted", Status.REJECTED: "rejected", Status.PENDING: "put back to pending"}


@signed_in
@only(*FORM)
def decide(request: HttpRequest, **where: str) -> HttpResponse:
    """`/{repo_id}/settings/bulk`: the new `status`, perhaps a `reason`, and `scope`.

    `selected`: the `request` ids that were ticked.  `all`: what the query of the address matches and was sent `until`
    the page was shown; asked once more before anything happens, unless `confirm` is set.
    """
    actor, repo = find_repo(request, Action.REQUESTS_REVIEW, where)
    review = lists(request, repo)
    if request.POST.get("scope") != "all":
        if not attempt(request, lambda: _decide_selected(request, repo, review, actor)):
            refused.keep(request, repo)
        return back(request, repo)
    try:
        services.require_gated(repo)
        status = request.POST.get("status", "")
        reason = services.clean_reason(status, request.POST.get("reason", ""))
        _require_seen(request, review)
        _require_possible(review, status)
        until = _until(request)
        if request.POST.get("confirm") != "1":
            return _confirm(request, repo, review, reason, until)
        started = bulk.start(repo=repo, chosen=review.asked.filter, status=status, reason=reason, until=until, by=actor)
    except HubError as error:
        messages.error(request, in_words(request, error))
        refused.keep(request, repo)
        return back(request, repo)
    _carry_out(started)
    return redirect(f"{repo.path}/settings/bulk/{started.pk}")


def _carry_out(review: BulkReview) -> None:
    """Few at once, many by the worker."""
    if review.total > AT_ONCE or bulk.run(review.pk, steps=AT_ONCE // bulk.STEP):
        tasks.nudge(review.pk)
    review.refresh_from_db()


def _require_seen(request: HttpRequest, review: Lists) -> None:
    """That the list is the one that was shown: an address without a status means another one in another mode."""
    seen = request.POST.get("seen", review.status)
    if seen != review.status:
        raise Conflict(
            f"The list that you saw was of {seen} requests, and is of {review.status} ones now: the gate was changed. "
            "Nothing was decided.",
            next_step="Load the list again.",
        )


def _require_possible(review: Lists, status: str) -> None:
    if not review.asked.understood:
        raise BadRequest(
            "A filter of the list is not there any more, so more requests would be decided than were shown. "
            "Nothing was changed.",
            next_step="Load the list again and choose its filters anew.",
        )
    bulk_all.require_step([review.status], status)


def _decide_selected(request: HttpRequest, repo: Repo, review: Lists, actor: Actor) -> bool:
    _require_seen(request, review)
    ids = request.POST.getlist("request")[:PAGE_SIZE]
    if not ids:
        raise BadRequest("Nobody is selected.", next_step="Tick those whom you want to decide about, or choose all.")
    found = AccessRequest.objects.filter(repo=repo, request_id__in=ids)
    status = request.POST.get("status", "")
    outcome = bulk.review_many(
        repo=repo,
        keys=list(found.values_list("pk", flat=True)),
        status=status,
        expected=review.status,
        reason=request.POST.get("reason", ""),
        by=actor,
    )
    number = len(outcome.decided)
    if number:
        messages.success(request, f"{number} request{'' if number == 1 else 's'} {_DONE[Status(status)]}.")
    gone = len(ids) - number - len(outcome.refused)
    told = [why for _, why in outcome.refused[:NAMED]]
    if len(outcome.refused) > NAMED:
        told.append(f"So were {len(outcome.refused) - NAMED} more.")
    if gone:
        told.append(f"{gone} {'is' if gone == 1 else 'are'} not there any more.")
    if told:
        messages.warning(request, " ".join(told))
    return True


def _until(request: HttpRequest) -> datetime:
    """When the page was shown on which the reviewer chose "all"."""
    try:
        said = parse_datetime(request.POST.get("until", ""))
    except ValueError:
        said = None
    if said is None or timezone.is_naive(said):
        raise BadRequest("The form is not complete.", next_step="Load the page again and repeat what you did.")
    return said


def _confirm(request: HttpRequest, repo: Repo, review: Lists, reason: str, until: datetime) -> HttpResponse:
    chosen = review.asked.filter.until(until)
    context: dict[str, Any] = {
        **header(repo, tab="settings", can_change=True),
        "review": review,
        "status": request.POST["status"],
        "done": _DONE[Status(request.POST["status"])],
        "reason": reason,
        "until": until,
        "number": chosen.requests(repo).count(),
        "examples": chosen.requests(repo).select_related("user").order_by("requested_at", "pk")[:NAMED],
    }
    return render_private(request, "repo/bulk_confirm.html", context)


def _find(repo: Repo, key: int) -> BulkReview:
    found = BulkReview.objects.select_related("by").filter(repo=repo, pk=key).first()
    if found is None:
        raise NotFound(
            "There is no such review of several requests.",
            next_step="See the access requests: {url}",
            help_path=f"{repo.path}/settings#requests",
        )
    found.repo = repo
    return found


@signed_in
@only(*SHOW)
def progress(request: HttpRequest, key: int, **where: str) -> HttpResponse:
    """`/{repo_id}/settings/bulk/{key}`: how far it is, and whom it could not decide about."""
    _, repo = find_repo(request, Action.REQUESTS_REVIEW, where)
    review = _find(repo, key)
    context = {
        **header(repo, tab="settings", can_change=True),
        "bulk": review,
        "done": _DONE[Status(review.status)],
        "expected": review.chosen["status"],
        "unnamed": review.refused - len(review.refusals),
        "not_reached": max(review.total - review.looked_at, 0),
    }
    if not is_partial(request):
        return render_private(request, "repo/bulk.html", context)
    part = render_private(request, "repo/_bulk.html", context)
    if review.finished_at:  # The script takes the state alone; now the controls are others, too.
        part["HX-Retarget"] = part["HX-Reselect"] = "#bulk-progress"
    return part


@signed_in
@only(*FORM)
def stop(request: HttpRequest, key: int, **where: str) -> HttpResponse:
    """`/{repo_id}/settings/bulk/{key}/stop`: leave the rest undecided."""
    actor, repo = find_repo(request, Action.REQUESTS_REVIEW, where)
    attempt(request, lambda: bulk.stop(_find(repo, key), by=actor))
    return redirect(f"{repo.path}/settings/bulk/{key}")


@signed_in
@only(*FORM)
def accept_queue(request: HttpRequest, **where: str) -> HttpResponse:
    """`/{repo_id}/settings/accept-queue`: accept those who waited when the gate became automatic."""
    actor, repo = find_repo(request, Action.REQUESTS_REVIEW, where)

    def start() -> BulkReview:
        if repo.gated == Repo.Gated.MANUAL:  # The page that offered it is from before.
            raise BadRequest("The gate is for manual review now, so the queue was left as it is.")
        return bulk.start(repo=repo, chosen=RequestFilter(Status.PENDING), status=Status.ACCEPTED, by=actor)

    started = attempt(request, start)
    if started is None:
        return back(request, repo)
    _carry_out(started)
    if started.finished_at is None or started.refused:
        return redirect(f"{repo.path}/settings/bulk/{started.pk}")
    messages.success(request, f"{started.decided} request{'' if started.decided == 1 else 's'} accepted.")
    return back(request, repo)
