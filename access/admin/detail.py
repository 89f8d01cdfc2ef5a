"""One access request, as staff read it: who asked for what, the questions as they were asked, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.http import urlencode

from access import answers, services
from access.admin.deciding import DECISIONS
from access.answers import country_in_words
from access.models import AccessRequest
from accounts.models import AuditEvent

OTHERS = 20
MOST_EVENTS = 200
_OFFERED = {"accept": ("Accept", "strong"), "reject": ("Reject…", "danger"), "cancel": ("Cancel", "")}
"""By action, the words on its button and their look."""


@dataclass(frozen=True, slots=True)
class Event:
    """One row of the audit trail, about this request."""

    at: datetime
    what: str
    who: str
    entrance: str
    token_name: str
    change: str
    reason: str
    address: str


def show(page: Any, request: HttpRequest, access_request: AccessRequest) -> HttpResponse:
    whole = AccessRequest.objects.select_related("repo__namespace", "repo__gate_form", "user", "reviewed_by", "form")
    found = whole.get(pk=access_request.pk)
    others = _others(found)
    user: Any = request.user
    context = {
        **page.admin_site.each_context(request),
        "title": f"{found.user} on {found.repo}",
        "opts": page.opts,
        "object": found,  # The heading names it.
        "request_shown": found,
        "country": country_in_words(found.country),
        "answers": _answers(found),
        "form_in_force": found.form_id is not None and found.form_id == found.repo.gate_form_id,
        "decisions": _decisions(found) if page.has_review_permission(request) else [],
        "history": _history(found, with_addresses=user.has_perm("accounts.view_auditaddress")),
        "shows_addresses": user.has_perm("accounts.view_auditaddress"),
        "others": others[:OTHERS],
        "has_more": len(others) > OTHERS,
        "all_of_person": _list_of(user=found.user.username),
        "all_of_repo": _list_of(repo=found.repo.repo_id),
        "mails": _mails(found) if user.has_perm("notifications.view_delivery") else "",
    }
    return TemplateResponse(request, "admin/access/accessrequest/detail.html", context)


def _answers(request: AccessRequest) -> list[tuple[str, str]]:
    """Each question of the form that was answered, in its order, with the answer in words; "" where it was left out."""
    spec = services.form_spec(request.form)
    given = dict(answers.in_words(spec, request.questions_and_answers()))
    asked = [(field.label, str(given.pop(field.label, ""))) for field in spec.fields]
    return [*asked, *((label, str(answer)) for label, answer in given.items())]


def _decisions(request: AccessRequest) -> list[tuple[str, str, str]]:
    """Action, words and look of each button."""
    if not request.repo.is_gated:
        return []
    fit = services.REVIEWS[request.status]
    return [(action, *_OFFERED[action]) for action, status in DECISIONS.items() if status in fit]


def _history(request: AccessRequest, *, with_addresses: bool) -> list[Event]:
    """What the audit trail tells of the request, the newest first.  It has names, not keys: it outlives the row."""
    target = f"{request.user.username} on "
    # Keys first, in no order: looking for them along the repo's whole trail would take longer.
    keys = AuditEvent.objects.filter(repo=request.repo_id).containing(f" {target}").order_by()
    events = AuditEvent.objects.filter(pk__in=list(keys.values_list("pk", flat=True)[:MOST_EVENTS]))
    if with_addresses:
        events = events.with_addresses()
    return [
        _event(event, with_addresses=with_addresses)
        for event in events.order_by("-at", "-pk")
        if event.verb.startswith("access_request:") and event.target.startswith(target)
    ]


def _event(event: AuditEvent, *, with_addresses: bool) -> Event:
    before, after = event.before or {}, event.after or {}
    statuses = [state["status"] for state in (before, after) if state.get("status")]
    return Event(
        at=event.at,
        what=event.verb.partition(":")[2],
        who=event.actor,
        entrance=event.entrance,
        token_name=event.token_name,
        change=" → ".join(statuses),
        reason=str(after.get("reason", "")),
        address=(event.address or "") if with_addresses else "",
    )


def _others(request: AccessRequest) -> list[AccessRequest]:
    """The person's other requests, one more than are shown."""
    others = AccessRequest.objects.filter(user=request.user).exclude(pk=request.pk).select_related("repo__namespace")
    others = others.defer("search_text", "answers", "repo__card_data", "repo__card_error")
    return list(others.order_by("-requested_at", "-pk")[: OTHERS + 1])


def _list_of(**said: str) -> str:
    return f"{reverse('admin:access_accessrequest_changelist')}?{urlencode(said)}"


def _mails(request: AccessRequest) -> str:
    """The list of mails to the person: a layer above, so it is known by its name alone."""
    return f"{reverse('admin:notifications_delivery_changelist')}?{urlencode({'q': request.user.username})}"
