"""The life of an access request (design section 5): check, lock, guard, change, audit, announce."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from access import policy, refusals, region
from access.errors import AlreadyHasAccess, FormChanged, NoAccessRequest, RepoNotGated
from access.models import AccessRequest
from access.policy import Action
from access.signals import access_requests_changed
from accounts.actor import Actor
from accounts.errors import BadRequest, InvalidFields, NotAllowed
from accounts.models import AuditEvent, User
from accounts.texts import can_be_shown
from repos import cards
from repos.models import GateForm, Repo

Status = AccessRequest.Status
MOST_SPECS_KEPT = 500
_specs: dict[str, cards.FormSpec] = {}


def form_spec(form: GateForm | None) -> cards.FormSpec:
    """What a gate asks: the version's questions, or none where the card defines no form.

    What was read is kept, by digests, which say what is in it: reading five forms took a sixth of a page of requests.
    """
    if form is None:
        return cards.FormSpec()
    spec = _specs.get(form.digest)
    if spec is None:
        spec = cards.FormSpec.from_json(form.spec)
        if spec.digest == form.digest:
            if len(_specs) >= MOST_SPECS_KEPT:
                _specs.clear()
            _specs[form.digest] = spec
    return spec


def form_specs(repo: Repo, digests: Iterable[str]) -> dict[str, cards.FormSpec]:
    """Digest -> questions, for versions of the repo's form."""
    wanted = set(digests)
    found = {digest: spec for digest in wanted if (spec := _specs.get(digest)) is not None}
    if wanted - found.keys():
        for form in GateForm.objects.filter(repo=repo, digest__in=wanted - found.keys()):
            found[form.digest] = form_spec(form)
    return found


def form_digest(form: GateForm | None) -> str:
    """What names a version of a form in addresses, "" for none."""
    return "" if form is None else form.digest


def has_unread_terms(repo: Repo) -> bool:
    """Whether the card cannot be read and never held terms that could: the authors may want some, so nobody is let in
    who has not been looked at."""
    return bool(repo.card_error) and form_spec(repo.gate_form) == cards.FormSpec()


def require_gated(repo: Repo) -> None:
    """Raise RepoNotGated, with the Hub's words, unless the repo is gated."""
    if not repo.is_gated:
        raise RepoNotGated(
            f"{repo.type} {repo.repo_id} is not gated",
            user_message=f"The {repo.type} {repo.repo_id} is not gated: nobody has to ask for access to it. "
            "Requests can be decided about once it is gated again.",
        )


def _lock(repo: Repo) -> Repo:
    """The repo as it is now, locked: its mode cannot change while a request is made or decided."""
    locked = Repo.objects.select_for_update(of=("self",)).select_related("namespace", "gate_form")
    return locked.get(pk=repo.pk)


@transaction.atomic
def ask(*, repo: Repo, answers: Mapping[str, Any], by: Actor, form: str | None = None) -> AccessRequest | None:
    """Send the actor's request for access, with the answers to the form in force.

    `form` is the digest of the version that the person has read, where the caller knows it; FormChanged is raised if
    another is in force now.  Accepted at once in automatic mode, pending in manual mode.  Asking again changes nothing
    and returns the request as it is, its `sent_now` False; asking for what one can read anyway returns None.  Raises
    RepoNotGated, NotAllowed for an unverified address, GatedRepo in a region that the card disallows, and InvalidFields
    naming each question.
    """
    require_gated(repo)
    policy.require(by, Action.ACCESS_ASK, repo)
    assert by.user is not None  # The policy lets no stranger ask.
    repo = _lock(repo)
    require_gated(repo)
    found = AccessRequest.objects.filter(repo=repo, user=by.user).first()
    if found is not None:
        return found
    if policy.may(by, Action.FILES_READ, repo):
        return None
    if not by.user.has_verified_address:
        raise NotAllowed(
            "Your email address is shared with the authors and must be verified before you ask for access. "
            "Verify it at {url}",
            user_message="Your email address is shared with the authors, so confirm it before you ask for access. "
            "Confirm it among your addresses: {url}",
            help_path="/settings/addresses",
        )
    in_force = repo.gate_form
    if in_force is not None and in_force.eu_disallowed and policy.in_disallowed_region(by):
        raise refusals.region_refused(repo)
    if form is not None and form != form_digest(in_force):
        raise FormChanged(next_step="Read it as it is now: {url}", help_path=repo.path)
    cleaned = cards.clean_answers(form_spec(in_force), answers, country=region.country_of(by.address))
    automatic = repo.gated == Repo.Gated.AUTO and not has_unread_terms(repo)
    now = timezone.now()
    request = AccessRequest.objects.create(
        repo=repo,
        user=by.user,
        status=Status.ACCEPTED if automatic else Status.PENDING,
        form=in_force,
        answers=cleaned,
        email=by.user.email,
        fullname=by.user.fullname,
        requested_at=now,
        reviewed_at=now if automatic else None,
    )
    _record(request, by=by, event="asked", before=None)
    request.sent_now = True
    return request


def lock_to_review(repo: Repo, *, by: Actor) -> Repo:
    """The repo as it is now, locked, for an actor who may review.  Raises NotAllowed, RepoNotGated."""
    policy.require(by, Action.REQUESTS_REVIEW, repo)
    locked = _lock(repo)
    require_gated(locked)
    return locked


REVIEWS: dict[str, frozenset[str]] = {
    # What a request may become, from each status.  Staying what it is, is not a review.
    Status.PENDING: frozenset({Status.ACCEPTED, Status.REJECTED}),
    Status.ACCEPTED: frozenset({Status.REJECTED, Status.PENDING}),
    Status.REJECTED: frozenset({Status.ACCEPTED, Status.PENDING}),
}
_EVENTS = {Status.ACCEPTED: "accepted", Status.REJECTED: "rejected", Status.PENDING: "cancelled"}


@transaction.atomic
def review(
    *, access_request: AccessRequest, status: str, by: Actor, reason: str = "", expected: str | None = None
) -> AccessRequest:
    """Accept an access request, reject it with an optional reason, or cancel it back to pending.

    `expected` is the status that the reviewer saw: a request that has moved on is not decided a second time.
    Raises NotAllowed, RepoNotGated, BadRequest for an unknown status or a reason that is too long or out of place,
    and NoAccessRequest when nothing would change.
    """
    repo = lock_to_review(access_request.repo, by=by)
    reason = clean_reason(status, reason)
    locked = AccessRequest.objects.select_for_update(of=("self",)).select_related("user").filter(pk=access_request.pk)
    request = locked.first()
    if request is None:
        raise NoAccessRequest
    request.repo = repo
    if status not in REVIEWS[request.status] or (expected is not None and request.status != expected):
        seen = expected if expected in Status.values else status
        raise NoAccessRequest(next_step=what_happened(request), user_message=_why_not(request, seen))
    return _decide(request, status=status, by=by, reason=reason, event=_EVENTS[Status(status)])


def clean_reason(status: str, reason: str) -> str:
    """The reason as it is kept.  Raises InvalidFields naming `status` or `rejectionReason`."""
    if status not in Status.values:
        raise InvalidFields({"status": f"must be one of {', '.join(Status.values)}"}, user_message=_FORM_INCOMPLETE)
    reason = " ".join(reason.split())
    most = AccessRequest.REASON_MAX_LENGTH
    if len(reason) > most:
        raise InvalidFields(
            {"rejectionReason": f"has at most {most} characters"},
            user_message=f"The reason may have {most} characters at most; yours has {len(reason):,}. "
            "Nothing was changed: shorten it, and reject again.",
        )
    if not can_be_shown(reason):
        raise InvalidFields(
            {"rejectionReason": "contains characters that cannot be shown"},
            user_message="The reason has characters that cannot be shown. "
            "Nothing was changed: type it without them, and reject again.",
        )
    if reason and status != Status.REJECTED:
        raise InvalidFields(
            {"rejectionReason": "goes with the status rejected only"},
            user_message="Only those who are rejected read a reason. "
            "Nothing was changed: leave the reason empty, or reject.",
        )
    return reason


_FORM_INCOMPLETE = "The form is not complete. Load the page again and repeat what you did."


def what_happened(request: AccessRequest) -> str:
    """For the second of two reviewers: what the first one did."""
    if request.reviewed_at is None:
        return f"The request of {request.user} is pending."
    reviewer = f" by {request.reviewed_by}" if request.reviewed_by else ""
    return f"The request of {request.user} was {request.status}{reviewer} already."


def _why_not(request: AccessRequest, seen: str | None) -> str:
    """For somebody on a page that shows the request in the status `seen`."""
    if request.status == seen:
        return f"The request of {request.user} is {seen} already. Nothing was changed."
    return f"The request of {request.user} is not {seen} any more: {_since(request)}. Nothing was changed."


def _since(request: AccessRequest) -> str:
    if request.status == Status.PENDING:
        return "it is pending again"
    if request.reviewed_by is None:
        return f"it was {request.status}"
    return f"{request.reviewed_by} {request.status} it"


@transaction.atomic
def grant(*, repo: Repo, user: User, by: Actor) -> AccessRequest:
    """Give a person access, asked or not.  A pending or rejected request is accepted in place.

    Raises NotAllowed, RepoNotGated, and AlreadyHasAccess for whoever can read the files now.
    """
    policy.require(by, Action.REQUESTS_REVIEW, repo)
    repo = _lock(repo)
    require_gated(repo)
    found = AccessRequest.objects.select_for_update(of=("self",)).select_related("user").filter(repo=repo, user=user)
    request = found.first()
    if (request is not None and request.is_accepted) or policy.may(Actor(user=user), Action.FILES_READ, repo):
        raise AlreadyHasAccess(user_message=f"{user} can download the files already. Nothing was changed.")
    if request is not None:
        request.repo = repo
        return _decide(request, status=Status.ACCEPTED, by=by, reason="", event="granted")
    now = timezone.now()
    request = AccessRequest.objects.create(
        repo=repo,
        user=user,
        status=Status.ACCEPTED,
        fullname=user.fullname,
        requested_at=now,
        granted=True,
        reviewed_at=now,
        reviewed_by=by.user,
    )
    _record(request, by=by, event="granted", before=None)
    return request


@transaction.atomic
def withdraw(*, repo: Repo, by: Actor) -> None:
    """Take the actor's own request back while it is pending.  The row goes, the audit trail stays."""
    policy.require(by, Action.ACCESS_ASK, repo)
    found = AccessRequest.objects.select_for_update(of=("self",)).select_related("user", "repo__namespace")
    request = found.filter(repo=repo, user=by.user_id).first()
    if request is None:
        raise NoAccessRequest(
            user_message=f"You have no request for {repo.repo_id}: it was cancelled already. Nothing was changed."
        )
    if request.status != Status.PENDING:
        raise NoAccessRequest(
            user_message=f"Your request for {repo.repo_id} is not pending any more: it was {request.status}. "
            "Nothing was changed."
        )
    _record(request, by=by, event="withdrawn", before=_kept(request))
    request.delete()


def _decide(request: AccessRequest, *, status: str, by: Actor, reason: str, event: str) -> AccessRequest:
    before = _kept(request)
    _set(request, status=status, by=by, reason=reason, now=timezone.now())
    request.save(update_fields=_DECISION)
    _record(request, by=by, event=event, before=before)
    return request


@dataclass(slots=True)
class Outcome:
    """What became of several requests: those decided, and the user names of those refused, each with why."""

    decided: list[AccessRequest] = field(default_factory=list)
    refused: list[tuple[str, str]] = field(default_factory=list)


def decide_many(requests: Sequence[AccessRequest], *, status: str, by: Actor, reason: str) -> None:
    """Decide locked requests alike, with one query for the rows and one for the audit trail.

    For `access.bulk` and `access.bulk_all`, which have asked the policy and guarded the step.
    """
    now = timezone.now()
    events = []
    for request in requests:
        before = _kept(request)
        _set(request, status=status, by=by, reason=reason, now=now)
        events.append(_event(request, by=by, event=_EVENTS[Status(status)], before=before))
    if not requests:
        return
    decided = {column: getattr(requests[0], column) for column in _DECISION}
    AccessRequest.objects.filter(pk__in=[request.pk for request in requests]).update(**decided)
    AuditEvent.objects.bulk_create(events)
    access_requests_changed.send(AccessRequest, access_requests=requests, event=_EVENTS[Status(status)], by=by)


_DECISION = ["status", "reviewed_at", "reviewed_by", "rejection_reason"]


def _set(request: AccessRequest, *, status: str, by: Actor, reason: str, now: datetime) -> None:
    decided = status != Status.PENDING
    request.status = status
    request.reviewed_at = now if decided else None
    request.reviewed_by = by.user if decided else None
    request.rejection_reason = reason


def _kept(request: AccessRequest) -> dict[str, str]:
    """What the audit trail keeps of a request's state."""
    kept = {"status": request.status}
    if request.rejection_reason:
        kept["reason"] = request.rejection_reason
    return kept


def _event(request: AccessRequest, *, by: Actor, event: str, before: dict[str, str] | None) -> AuditEvent:
    after = None if event == "withdrawn" else _kept(request)
    if after is not None and event == "asked":  # Under which terms.  What was answered is in the request.
        after["form"] = form_digest(request.form)
    return AuditEvent.of(
        by=by,
        verb=f"access_request:{event}",
        target=str(request),
        repo=request.repo_id,
        before=before,
        after=after,
    )


def _record(request: AccessRequest, *, by: Actor, event: str, before: dict[str, str] | None) -> None:
    _event(request, by=by, event=event, before=before).save()
    access_requests_changed.send(AccessRequest, access_requests=[request], event=event, by=by)


def find_request(repo: Repo, *, username: str = "", request_id: str = "") -> AccessRequest:
    """A request by its person or its id.  Raises NoAccessRequest; BadRequest when neither is named."""
    requests = AccessRequest.objects.filter(repo=repo).select_related("user", "repo__namespace")
    if request_id:
        request = requests.filter(request_id=request_id).first()
    elif username:
        request = requests.filter(user__namespace__name__iexact=username).first()
    else:
        raise BadRequest("Name the person by `user`, or the request by `requestId`.", user_message=_FORM_INCOMPLETE)
    if request is None:
        raise NoAccessRequest
    return request
