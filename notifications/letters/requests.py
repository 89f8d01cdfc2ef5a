"""To whoever reviews: a new request, several of them, or those of a day."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypedDict, cast
from urllib.parse import urlencode

from django.db.models import Count, Prefetch, Q, prefetch_related_objects

from access.models import AccessRequest
from notifications.letters.base import (
    LISTED,
    About,
    Letter,
    NothingToSay,
    counted,
    filtered_id,
    in_words,
    letter,
    messages_of,
    public_url,
)
from notifications.models import Delivery, Kind, OutboxMessage
from notifications.plain import one_line, unlinked, within_a_sentence

NAME_LENGTH: Final = 120
ANSWERS: Final = 30
QUESTION_LENGTH: Final = 150
ANSWER_LENGTH: Final = 300

Status = AccessRequest.Status


@dataclass(frozen=True, slots=True)
class Counts:
    """How many requests a mail tells, beside that of its own message: pending, decided, and repos of the pending."""

    pending: int = 0
    decided: int = 0
    repos: int = 0


class Asker(TypedDict):
    """Whoever asks for access, and when, as mails name them.  A mapping, since templates read those quickest."""

    name: str
    username: str
    url: str
    email: str
    when: str


def _asker(request: AccessRequest) -> Asker:
    return {
        "name": within_a_sentence(request.fullname, NAME_LENGTH),
        "username": unlinked(request.user.username),
        "url": public_url(request.user.get_absolute_url()),
        "email": one_line(request.email),
        "when": in_words(request.requested_at),
    }


@dataclass(slots=True)
class Group:
    """Requests for one repo."""

    about: About
    askers: list[Asker] = field(default_factory=list)


# --- What it takes, for many mails at once ----------------------------------------------------------------------------


_NAMED: Final = ("fullname", "email", "requested_at", "user__username")


def prefetch_digests(digests: Sequence[Delivery]) -> None:
    pending = OutboxMessage.objects.filter(access_request__status=Status.PENDING).select_related("access_request__user")
    # Without the answers, which may be long, and which a list does not tell.
    named = pending.only("digest", *(f"access_request__{column}" for column in _NAMED))
    oldest = named.order_by("access_request__requested_at", "pk")[:LISTED]
    prefetch_related_objects(digests, Prefetch("message__collected", oldest, to_attr="listed"))
    waits = Q(access_request__status=Status.PENDING)
    collected = OutboxMessage.objects.filter(digest__in={delivery.message_id for delivery in digests})
    rows = collected.values_list("digest").annotate(
        pending=Count("pk", filter=waits), decided=Count("access_request", filter=~waits)
    )
    counts = {key: Counts(pending, decided, 1) for key, pending, decided in rows.order_by()}
    for delivery in digests:
        vars(delivery)["counts"] = counts.get(delivery.message_id, Counts())


def prefetch_new(deliveries: Sequence[Delivery]) -> None:
    told = Delivery.objects.select_related("message__repo__namespace", "message__access_request__user")
    waits = Q(message__access_request__status=Status.PENDING, message__repo__isnull=False)
    oldest = told.filter(waits).order_by("message")[:LISTED]
    prefetch_related_objects(deliveries, Prefetch("folded", oldest, to_attr="told_too"))
    folded = Delivery.objects.filter(folded_into__in=deliveries)
    rows = folded.values_list("folded_into").annotate(
        pending=Count("pk", filter=waits),
        decided=Count("message__access_request", filter=~waits),
        repos=Count("message__repo", filter=waits, distinct=True),
    )
    counts = {key: Counts(pending, decided, repos) for key, pending, decided, repos in rows.order_by()}
    for delivery in deliveries:
        vars(delivery)["counts"] = counts.get(delivery.pk, Counts())
    prefetch_related_objects(
        [delivery for delivery in deliveries if delivery.pk not in counts], "message__access_request__form"
    )


# --- The letters ------------------------------------------------------------------------------------------------------


def new_request(delivery: Delivery) -> Letter:
    counts = cast(Any, delivery).counts
    own = delivery.message.access_request
    told = [message for message in messages_of(delivery) if _waits(message)]
    if not told:
        raise NothingToSay("The requests were decided, withdrawn or deleted meanwhile.")
    own_waits = _waits(delivery.message)
    pending = counts.pending + own_waits
    if pending == 1:
        return _single(delivery, told[0])
    groups: dict[int, Group] = {}
    for message in told[:LISTED]:
        assert message.repo is not None
        assert message.access_request is not None
        group = groups.setdefault(message.repo.pk, Group(About.of(message.repo)))
        group.askers.append(_asker(message.access_request))
    repos = {message.repo_id for message in told if message.repo_id is not None}
    decided = counts.decided + (own is not None and not own_waits)
    return _list(delivery, list(groups.values()), repos, max(len(repos), counts.repos), pending, decided)


def _waits(message: OutboxMessage) -> bool:
    request = message.access_request
    return message.repo is not None and request is not None and request.is_pending


def digest(delivery: Delivery) -> Letter:
    counts, listed = cast(Any, delivery).counts, cast(Any, delivery.message).listed
    repo = delivery.message.repo
    if repo is None or not listed:
        raise NothingToSay("The requests were decided, withdrawn or deleted meanwhile.")
    group = Group(About.of(repo), [_asker(message.access_request) for message in listed])
    return _list(delivery, [group], {repo.pk}, 1, counts.pending, counts.decided)


def _list(
    delivery: Delivery, groups: list[Group], repos: Iterable[int], number_of_repos: int, pending: int, decided: int
) -> Letter:
    one = groups[0].about if number_of_repos == 1 else None
    where = filtered_id(one.repo) if one else counted(number_of_repos, "repository", "repositories")
    context = {
        "groups": groups,
        "one": one,
        "heading": counted(pending, "access request"),
        "single": pending == 1,
        "more": pending - sum(len(group.askers) for group in groups),
        "decided": decided,
        "why": _why(delivery, one),
    }
    subject = f"{counted(pending, 'access request')} for {where}"
    return letter(delivery, "requests", subject, context, repo=one.repo if one else None, repos=repos)


def _single(delivery: Delivery, message: OutboxMessage) -> Letter:
    repo, request = message.repo, message.access_request
    assert repo is not None
    assert request is not None
    about, said = About.of(repo), request.answers_in_words()
    context = {
        "about": about,
        "asker": _asker(request),
        "answers": [
            (unlinked(question, QUESTION_LENGTH), unlinked(answer, ANSWER_LENGTH))
            for question, answer in said[:ANSWERS]
        ],
        "more": max(0, len(said) - ANSWERS),
        "review_url": f"{about.settings_url}?{urlencode({'q': request.user.username})}#requests",
        "why": _why(delivery, about),
    }
    subject = f"New access request for {filtered_id(repo)} from {request.user.username}"
    return letter(delivery, "request", subject, context, repo=repo, repos=[repo.pk])


def _why(delivery: Delivery, one: About | None) -> str:
    where = f"the {one.type} {one.name}" if one else "these repositories"
    why = f"you manage {where}" if delivery.user else f"the notifications of {where} go to this address"
    return f"{why}, which tells of new requests once a day" if delivery.kind == Kind.DIGEST else why
