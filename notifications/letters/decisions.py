"""To whoever asked: what was decided about their request, or about several."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import indent
from typing import Final

from django.db.models import Prefetch, prefetch_related_objects
from django.urls import reverse

from access import policy
from access.models import AccessRequest
from accounts.actor import Actor
from notifications.letters.base import (
    LISTED,
    About,
    Letter,
    NothingToSay,
    filtered_id,
    in_words,
    letter,
    messages_of,
    public_url,
)
from notifications.models import Delivery, Kind, OutboxMessage
from notifications.plain import unlinked
from repos import usage
from repos.models import Repo

FOLDED: Final = 500
"""So many of the newest are looked at for one mail."""

_SUBJECTS: Final = {
    Kind.ACCEPTED: "Your access request for {} was accepted",
    Kind.REJECTED: "Your access request for {} was rejected",
    Kind.CANCELLED: "Your access request for {} is pending again",
    Kind.GRANTED: "You were given access to {}",
}
_HOLDS_AS: Final = {
    Kind.ACCEPTED: AccessRequest.Status.ACCEPTED,
    Kind.GRANTED: AccessRequest.Status.ACCEPTED,
    Kind.REJECTED: AccessRequest.Status.REJECTED,
    Kind.CANCELLED: AccessRequest.Status.PENDING,
}
_OPENING: Final = (Kind.ACCEPTED, Kind.GRANTED)


@dataclass(frozen=True, slots=True)
class News:
    """A decision about one request, as it was; `now` is the state that the request has by now, "" if it still holds."""

    about: About
    kind: str
    reason: str
    when: str
    was: str
    now: str

    @classmethod
    def of(cls, message: OutboxMessage) -> News:
        repo, request = message.repo, message.access_request
        assert repo is not None
        assert request is not None
        name = str(message.data.get("repo_id") or repo.repo_id)
        return cls(
            about=About.of(repo),
            kind=message.kind,
            reason=unlinked(str(message.data.get("reason") or "")),
            when=in_words(message.created_at),
            was="" if name == repo.repo_id else unlinked(name),
            now="" if request.status == _HOLDS_AS[Kind(message.kind)] else request.status,
        )


def prefetch(deliveries: Sequence[Delivery]) -> None:
    told = Delivery.objects.select_related("message__repo__namespace", "message__access_request")
    newest = told.order_by("-message")[:FOLDED]
    prefetch_related_objects(deliveries, Prefetch("folded", newest, to_attr="told_too"))


def decision(delivery: Delivery) -> Letter:
    if delivery.user is None:
        raise NothingToSay("The person is gone.")
    newest: dict[int, OutboxMessage] = {}
    for message in messages_of(delivery):
        if message.access_request_id is not None and _may_know(delivery, message.repo):
            newest.pop(message.access_request_id, None)  # So that they stand in the order of the last.
            newest[message.access_request_id] = message
    if not newest:
        raise NothingToSay("The request was withdrawn, or the repository is gone or hidden from the person.")
    news = [News.of(message) for message in newest.values()]
    return _single(delivery, news[0]) if len(news) == 1 else _list(delivery, news)


def _may_know(delivery: Delivery, repo: Repo | None) -> bool:
    """Whether the person may still know that the repo is there, and what it is called."""
    if repo is None:
        return False
    return not repo.private or policy.may(Actor(user=delivery.user), policy.Action.CARD_VIEW, repo)


def _single(delivery: Delivery, news: News) -> Letter:
    repo, opens = news.about.repo, news.kind in _OPENING
    context = {
        "news": news,
        "about": news.about,
        "opens": opens,
        "lines": _download_lines(repo) if opens and not news.now else [],
        "namespace": unlinked(repo.namespace.name),
        "namespace_url": public_url(repo.namespace.get_absolute_url()),
        "tokens_url": public_url(reverse("tokens")),
        "requests_url": public_url(reverse("my_requests")),
        "why": "access was given to you" if news.kind == Kind.GRANTED else "you asked for access",
    }
    subject = _SUBJECTS[Kind(news.kind)].format(filtered_id(repo))
    return letter(delivery, "decision", subject, context, repo=repo)


def _download_lines(repo: Repo) -> list[dict[str, str]]:
    """For the command line and for Python."""
    lines = usage.download_lines(repo, endpoint=public_url())[:2]
    return [{"title": line.title, "text": line.text, "indented": indent(line.text, "    ")} for line in lines]


def _list(delivery: Delivery, news: list[News]) -> Letter:
    context = {
        "news": news[-LISTED:],
        "more": max(0, len(news) - LISTED),
        "requests_url": public_url(reverse("my_requests")),
        "why": "you asked for access, or access was given to you",
    }
    return letter(delivery, "decisions", f"{len(news):,} decisions about your access requests", context)
