"""Accept, reject and cancel, for requests of any repos: those that were ticked, or all that match the list's filter.

What was ticked is decided at once; more, and all that match, by the worker, after a page that says how many and whom.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils import timezone

from access import bulk, bulk_all, choices, services, tasks
from access.admin.asking import Asked, until_of
from access.choices import Choice
from access.filters_all import StaffFilter
from access.models import AccessRequest, BulkReview
from accounts.actor import Actor
from accounts.errors import BadRequest, HubError, InvalidFields
from accounts.staff import MOST_AT_ONCE, actor_of

Status = AccessRequest.Status
NAMED = 5
MOST_TICKED = 20_000
DECISIONS: dict[str, str] = {"accept": Status.ACCEPTED, "reject": Status.REJECTED, "cancel": Status.PENDING}
WORDS: dict[str, str] = {"accept": "Accept", "reject": "Reject…", "cancel": "Cancel: back to pending"}
DONE: dict[str, str] = {
    Status.ACCEPTED: "accepted",
    Status.REJECTED: "rejected",
    Status.PENDING: "put back to pending",
}


@dataclass(frozen=True, slots=True)
class Order:
    """What a form of the list asks for, and the moment when it was pressed first."""

    action: str
    everything: bool
    seen: tuple[tuple[int, str], ...]
    until: datetime
    reason: str
    confirmed: bool

    @classmethod
    def of(cls, request: HttpRequest) -> Order:
        """Raises BadRequest for a form that is not complete."""
        said, now = request.POST, timezone.now()
        until = until_of(said["until"]) if "until" in said else now
        across = said.get("select_across", "0")
        if until is None or across not in ("0", "1"):
            raise _incomplete()
        return cls(
            action=said.get("action", ""),
            everything=across == "1",
            seen=_seen(said.getlist("_selected_action"), said.getlist("seen")),
            until=min(until, now),
            reason=said.get("reason", ""),
            confirmed=said.get("confirm") == "1",
        )

    @property
    def status(self) -> str:
        """What the requests become."""
        return DECISIONS[self.action]


def _incomplete() -> BadRequest:
    return BadRequest("The form is not complete.", next_step="Load the page again and repeat what you did.")


def _seen(selected: Sequence[str], shown: Sequence[str]) -> tuple[tuple[int, str], ...]:
    """Keys of the ticked rows, each with the status that the page showed."""
    statuses = dict(pair.partition(":")[::2] for pair in shown)
    if len(selected) > MOST_TICKED:
        raise BadRequest(f"At most {MOST_TICKED} can be ticked.", next_step="Choose all that match instead.")
    if not all(key.isascii() and key.isdecimal() and len(key) < 19 and key in statuses for key in selected):
        raise _incomplete()
    return tuple((int(key), statuses[key]) for key in selected)


def chosen_filter(asked: Asked, until: datetime) -> StaffFilter:
    """The filter of the list, without what was sent later.  Raises BadRequest for one that is not understood."""
    if asked.filter is None:
        raise BadRequest(
            f"{' '.join(asked.problems)} Nothing was done.", next_step="Correct the filters, and apply them."
        )
    return asked.filter.until(until)


def decide(page: Any, request: HttpRequest, asked: Asked, only: int | None = None) -> HttpResponse:
    """Carry out an action of the list, or ask once more.  `only` is the key of a page that is about one request."""
    back = request.get_full_path()
    try:
        order = Order.of(request)
        if only is not None and (order.everything or {key for key, _ in order.seen} != {only}):
            raise _incomplete()
        choice = choices.matching(chosen_filter(asked, order.until)) if order.everything else choices.ticked(order.seen)
        bulk_all.require_step(choice.statuses(), order.status)
        problem = _problem_of(order)
        if (problem or not order.confirmed) and (order.everything or order.action == "reject"):
            return _confirm(page, request, asked, order, choice, problem if order.confirmed else "", back)
        if order.everything or choice.count() > MOST_AT_ONCE:
            review = bulk.start_everywhere(
                choice=choice, status=order.status, reason=order.reason, by=actor_of(request)
            )
            _carry_out(review)
            return redirect("admin:access_bulkreview_change", review.pk)
        _decide_now(request, order, actor_of(request))
    except HubError as error:
        messages.error(request, error.text_for_people)
    return redirect(back)


def _problem_of(order: Order) -> str:
    """What is wrong with the reason; "" for nothing."""
    try:
        services.clean_reason(order.status, order.reason)
    except InvalidFields as error:
        return error.text_for_people
    return ""


def _confirm(
    page: Any, request: HttpRequest, asked: Asked, order: Order, choice: Choice, problem: str, back: str
) -> HttpResponse:
    requests = AccessRequest.objects.select_related("user", "repo__namespace").defer("search_text", "answers")
    fit = {status for status in choice.statuses() if order.status in services.REVIEWS[Status(status)]}
    possible = choice if order.everything else choices.ticked([pair for pair in order.seen if pair[1] in fit])
    number = possible.count()
    examples = requests.filter(pk__in=[key for key, _ in possible.next(0, NAMED)]).order_by("pk")
    context = {
        **page.admin_site.each_context(request),
        "title": f"{WORDS[order.action].rstrip('…')} access requests",
        "opts": page.opts,
        "order": order,
        "done": DONE[order.status],
        "from_status": " or ".join(sorted(fit)),
        "left": choice.count() - number,
        "number": number,
        "examples": examples,
        "others": max(number - NAMED, 0),
        "problem": problem,
        "narrowed": asked.narrowed,
        "at_once": MOST_AT_ONCE,
        "in_background": order.everything or number > MOST_AT_ONCE,
        "back": back,
        "reason_max": AccessRequest.REASON_MAX_LENGTH,
    }
    return TemplateResponse(request, "admin/access/accessrequest/confirm.html", context, status=400 if problem else 200)


def _decide_now(request: HttpRequest, order: Order, by: Actor) -> None:
    outcome = bulk_all.review_everywhere(seen=order.seen, status=order.status, reason=order.reason, by=by)
    number = len(outcome.decided)
    for _, why in outcome.refused:
        messages.warning(request, why)
    if number:
        of = f" of {len(order.seen)}" if outcome.refused else ""
        messages.success(request, f"{number}{of} request{'' if len(order.seen) == 1 else 's'} {DONE[order.status]}.")


def _carry_out(review: BulkReview) -> None:
    """Few at once, many by the worker."""
    if review.total > MOST_AT_ONCE or bulk.run(review.pk, steps=1):
        tasks.nudge(review.pk)
