"""One decision about requests of any repos, by staff: the same rules as in one repo, and as many queries as for one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from django.db import transaction

from access import choices, policy, services
from access.models import AccessRequest, BulkReview
from access.policy import Action
from access.services import Outcome
from accounts.actor import Actor
from accounts.errors import BadRequest
from repos.models import Repo


def require_step(statuses: Iterable[str], status: str) -> None:
    """Raise BadRequest unless requests in any of these statuses can become `status`."""
    seen = sorted(statuses)
    if not any(status in services.REVIEWS.get(before, ()) for before in seen):
        raise BadRequest(
            f"A request that is {' or '.join(seen)} cannot become {status}.",
            next_step="Load the list again: nothing was changed.",
        )


@transaction.atomic
def review_everywhere(*, seen: Sequence[tuple[int, str]], status: str, by: Actor, reason: str = "") -> Outcome:
    """Decide the requests with these keys alike, each if it is still in the status in which it was seen.

    Those that are gone, have moved on, cannot become `status` or belong to a repo that is not gated are refused, each
    with why.  Repos are locked in one order, so that two who decide at once wait for each other and no more.  Raises
    NotAllowed without the permission, InvalidFields for an unknown status or reason, and then nothing was decided.
    """
    policy.require_everywhere(by, Action.REQUESTS_REVIEW)
    reason = services.clean_reason(status, reason)
    expected = dict(seen)
    found = AccessRequest.objects.filter(pk__in=expected)
    repos = Repo.objects.filter(pk__in=list(found.values_list("repo", flat=True).distinct()))
    locked = {
        repo.pk: repo for repo in repos.select_for_update(of=("self",)).select_related("namespace").order_by("pk")
    }
    rows = found.filter(repo__in=locked).select_for_update(of=("self",)).select_related("user", "reviewed_by")
    outcome = Outcome()
    for request in rows.order_by("pk"):
        request.repo = locked[request.repo_id]
        why = _why_not(request, expected.pop(request.pk), status)
        if why:
            outcome.refused.append((request.user.username, why))
        else:
            outcome.decided.append(request)
    outcome.refused += [("", f"Request {key} is not there any more.") for key in sorted(expected)]
    services.decide_many(outcome.decided, status=status, by=by, reason=reason)
    return outcome


def _why_not(request: AccessRequest, expected: str, status: str) -> str:
    """Why a locked request is not decided, in words that name it; "" if it is."""
    if not request.repo.is_gated:
        return f"The request of {request}: {request.repo.type} {request.repo.repo_id} is not gated any more."
    if request.status != expected:
        return f"{request.repo.repo_id}: {services.what_happened(request)}"
    if status not in services.REVIEWS[request.status]:
        return f"The request of {request} is {request.status}, which cannot become {status}."
    return ""


def decide_next(review: BulkReview, by: Actor, number: int) -> tuple[list[int], Outcome]:
    """The next few of a bulk review without a repo: their keys, and what became of them."""
    policy.require_everywhere(by, Action.REQUESTS_REVIEW)
    seen = choices.from_json(review.chosen).next(review.last_key, number)
    outcome = review_everywhere(seen=seen, status=review.status, by=by, reason=review.reason)
    return [key for key, _ in seen], outcome
