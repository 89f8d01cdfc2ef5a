"""A repo's part of the audit trail, for whoever may change its settings.

It is told by the repo's key: a repo that moved keeps its history.  No network addresses and no names of tokens are
told, and staff are not named.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse

from access.moments import Clock, Moment
from access.policy import Action
from accounts import audit_export, compiled, keyset
from accounts.audit import AuditEvent, AuditEventQuerySet, Noun
from accounts.errors import BadRequest
from accounts.keyset import NotACursor
from accounts.models import User
from gatehub.web import history_words as words
from gatehub.web.base import SHOW, find_repo, only, render_private, signed_in
from gatehub.web.history_facts import Fact, facts
from gatehub.web.repo import header
from repos.models import Repo

PAGE_SIZE: Final = 50
NEWEST: Final = 5
_ORDER: Final = keyset.Order("at", descending=True)
COLUMNS: Final = ("time", "person", "what", "entrance", "verb", "target", "before", "after")


@dataclass(frozen=True, slots=True)
class Line:
    """One event as the page tells of it.  `profile` is the person's page, "" if they have none or are not named."""

    at: Moment
    person: str
    profile: str
    what: str
    entrance: str
    facts: list[Fact]


def newest(repo: Repo) -> list[Line]:
    """The last few, for the settings page."""
    return _lines(compiled.rows(_newest, repo=repo.pk))


def _newest(repo: int) -> QuerySet[AuditEvent]:
    return AuditEvent.objects.filter(repo=repo).order_by("-at", "-pk")[:NEWEST]


def _events(repo: Repo) -> AuditEventQuerySet:
    found: AuditEventQuerySet = AuditEvent.objects.filter(repo=repo.pk)
    return found


def _names(keys: str) -> QuerySet[User, Any]:
    return User.objects.filter(compiled.IsOneOf(keys), is_active=True).values_list("pk", "username")


def _lines(events: list[AuditEvent]) -> list[Line]:
    keys = {event.actor_id_at_the_time for event in events if event.actor_id_at_the_time and event.entrance != "admin"}
    moment = Clock().moment
    there = dict(compiled.rows(_names, keys=compiled.keys_as_text(keys)))
    return [
        Line(
            at=moment(event.at),
            person=words.person_of(event),
            profile=f"/{there[event.actor_id_at_the_time]}" if event.actor_id_at_the_time in there else "",
            what=words.sentence(event),
            entrance=words.ENTRANCES.get(event.entrance, ""),
            facts=facts(event.verb, *_told(event)),
        )
        for event in events
    ]


def _told(event: AuditEvent) -> tuple[Any, Any]:
    noun = event.verb.partition(":")[0]
    return (event.before, event.after) if noun in words.TOLD else (None, None)


@dataclass(frozen=True, slots=True)
class Asked:
    """What an address asks for, as far as it makes sense."""

    kind: str
    person: str

    @classmethod
    def by(cls, said: Mapping[str, str]) -> Asked:
        kind = said.get("kind", "")
        person = " ".join(said.get("person", "").replace("\0", "").split())[:100]
        return cls(kind if kind in words.KINDS else "", person)

    def among(self, events: AuditEventQuerySet) -> AuditEventQuerySet:
        if self.kind:
            nouns, verbs = words.kind_verbs(self.kind)
            events = events.alias(noun=Noun("verb")).filter(Q(noun__in=nouns) | Q(verb__in=verbs))
        if self.person:
            # Of staff, who are not named, nobody learns by searching.  A request's target begins with its person.
            did = Q(actor__icontains=self.person) & ~Q(entrance="admin")
            about = Q(verb__startswith="access_request:", target__istartswith=self.person)
            # What `containing` adds follows from the rest, and is what PostgreSQL has an index for.
            events = events.containing(self.person).filter(did | about)
        return events

    def query(self, **more: str) -> str:
        said = {"kind": self.kind, "person": self.person, **more}
        return urlencode({name: text for name, text in said.items() if text})


@signed_in
@only(*SHOW)
def page(request: HttpRequest, **where: str) -> HttpResponse:
    """`/{repo_id}/settings/history?kind=&person=`, with `after` or `before` for other pages of the list."""
    _, repo = find_repo(request, Action.SETTINGS_CHANGE, where)
    asked = Asked.by(request.GET)
    events, after, before = asked.among(_events(repo)), request.GET.get("after", ""), request.GET.get("before", "")
    try:
        shown = keyset.slice_of(events, _ORDER, PAGE_SIZE, after=after, before=before)
    except NotACursor:
        shown = keyset.slice_of(events, _ORDER, PAGE_SIZE)
    context = {
        **header(repo, tab="settings", can_change=True),
        "lines": _lines(shown.rows),
        "asked": asked,
        "kinds": [(kind, label) for kind, (label, _) in words.KINDS.items()],
        "query": asked.query(),
        "next_query": asked.query(after=shown.next) if shown.next else "",
        "previous_query": asked.query(before=shown.previous) if shown.previous else "",
        "formats": [(name, asked.query(format=name)) for name in audit_export.FORMATS],
    }
    return render_private(request, "repo/history.html", context)


@signed_in
@only(*SHOW)  # type: ignore[arg-type]  # Which are typed for pages, and pass on whatever they get.
def download(request: HttpRequest, **where: str) -> StreamingHttpResponse:
    """`/{repo_id}/settings/history/download?format=`: all that the page's filters match.  Leaves a row itself."""
    actor, repo = find_repo(request, Action.SETTINGS_CHANGE, where)
    format_ = request.GET.get("format", "")
    if format_ not in audit_export.FORMATS:
        raise BadRequest(f"format must be one of {', '.join(audit_export.FORMATS)}.")
    asked = Asked.by(request.GET)
    events = asked.among(_events(repo))
    if request.method != "HEAD":  # Which exports nothing.
        said = {"format": format_, "asked": asked.query()}
        event = AuditEvent.record(by=actor, verb="audit:export", target=str(repo), repo=repo.pk, after=said)
        events = events.filter(pk__lt=event.pk)
    file = audit_export.stream(events, COLUMNS, _row, format_)
    response = StreamingHttpResponse(file, content_type=audit_export.FORMATS[format_])
    name = f"history-{repo.namespace.name}-{repo.name}.{format_}"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["Cache-Control"] = "no-store"
    return response


def _row(event: AuditEvent) -> dict[str, Any]:
    before, after = _told(event)
    return {
        "time": event.at.isoformat(),
        "person": words.person_of(event),
        "what": words.sentence(event),
        "entrance": event.entrance,
        "verb": event.verb,
        "target": event.target if event.verb.partition(":")[0] in words.TOLD else "",
        "before": before,
        "after": after,
    }
