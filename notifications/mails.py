"""A delivery as an e-mail message in text and HTML, with the headers by which filters and mail programs know it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, cast
from urllib.parse import urlsplit

import css_inline
from anymail.message import AnymailMessage  # type: ignore[import-untyped]
from django.conf import settings
from django.core.mail import EmailMultiAlternatives

from notifications.letters import accounts, decisions, requests
from notifications.letters.base import Letter, NothingToSay, filtered_id
from notifications.models import DECISIONS, TOPICS, Delivery, Kind

__all__ = ["NothingToSay", "compose", "prefetch"]

_CSS: Final = css_inline.CSSInliner(load_remote_stylesheets=False)
_WRITERS: Final[dict[str, Callable[[Delivery], Letter]]] = {
    Kind.NEW_REQUEST: requests.new_request,
    Kind.DIGEST: requests.digest,
    **dict.fromkeys(DECISIONS, decisions.decision),
    Kind.TOKEN_CREATED: accounts.token_created,
    Kind.ACCOUNT: accounts.account,
    Kind.CONFIRM_ADDRESS: accounts.confirm_address,
}


def compose(delivery: Delivery) -> EmailMultiAlternatives:
    """The mail of a delivery, with the rows it points to as they are now.

    The delivery comes with `message`, `message.repo.namespace`, `message.access_request.user` and `user`.  Raises
    NothingToSay.
    """
    if not vars(delivery).get("is_prefetched"):
        prefetch([delivery])
    letter = _WRITERS[delivery.kind](delivery)
    message = AnymailMessage(
        subject=letter.subject,
        body=letter.text,
        to=[delivery.address],
        headers=_headers(delivery, letter),
        tags=[str(delivery.kind)],
        metadata={"delivery": str(delivery.name)},
    )
    if letter.html:
        message.attach_alternative(_CSS.inline(letter.html), "text/html")
    return cast(EmailMultiAlternatives, message)


def prefetch(deliveries: Sequence[Delivery]) -> None:
    """Load for many deliveries what `compose` needs, in a number of queries that does not grow with them."""
<<<<<<< HEAD
    digests = [delivery for delivery in deliveries if delivery.kind == Kind.DIGEST]
    others = [delivery for delivery in deliveries if delivery.kind in (Kind.NEW_REQUEST, *DECISIONS)]
    if digests:
        _prefetch_digests(digests)
    if others:
        told = Delivery.objects.select_related("message__repo__namespace", "message__access_request__user")
        prefetch_related_objects(others, Prefetch("folded", told.order_by("-message")[:FOLDED], "told_with"))
        single = [delivery for delivery in others if delivery.kind == Kind.NEW_REQUEST and not _told_with(delivery)]
        prefetch_related_objects(single, "message__access_request__form")
=======
    for kinds, load in _PREFETCH:
        if some := [delivery for delivery in deliveries if delivery.kind in kinds]:
            load(some)
>>>>>>> mails
    for delivery in deliveries:
        vars(delivery)["is_prefetched"] = True


<<<<<<< HEAD
def _told_with(delivery: Delivery) -> list[Delivery]:
    """Those whose news this mail tells, too; `prefetch` has looked."""
    found: list[Delivery] = vars(delivery)["told_with"]
    return found


def _prefetch_digests(digests: Sequence[Delivery]) -> None:
    pending = OutboxMessage.objects.filter(access_request__status=Status.PENDING).select_related("access_request__user")
    oldest = pending.order_by("access_request__requested_at", "pk")[:LISTED]
    prefetch_related_objects(digests, Prefetch("message__collected", oldest, to_attr="oldest_pending"))
    waits = Q(access_request__status=Status.PENDING)
    counts = (
        OutboxMessage.objects.filter(digest__in={delivery.message_id for delivery in digests})
        .values_list("digest")
        .annotate(waiting=Count("pk", filter=waits), decided=Count("access_request", filter=~waits))
        .order_by()
    )
    by_digest = {key: (pending, decided) for key, pending, decided in counts}
    for delivery in digests:
        vars(delivery.message)["counts"] = by_digest.get(delivery.message_id, (0, 0))


# --- Headers, addresses, words ----------------------------------------------------------------------------------------
=======
_PREFETCH: Final[list[tuple[Sequence[str], Callable[[Sequence[Delivery]], None]]]] = [
    ([Kind.DIGEST], requests.prefetch_digests),
    ([Kind.NEW_REQUEST], requests.prefetch_new),
    (DECISIONS, decisions.prefetch),
]
>>>>>>> mails


def _headers(delivery: Delivery, letter: Letter) -> dict[str, str]:
    headers = {
        "Message-ID": f"<{delivery.name}@{_host()}>",
        "Auto-Submitted": "auto-generated",
        "X-GateHub-Kind": str(delivery.kind),
    }
    if letter.repo is not None:
        repo, name = letter.repo, filtered_id(letter.repo)
        headers["X-GateHub-Repo"] = name
        if delivery.kind in TOPICS:
            headers["List-ID"] = f"{name} <{repo.name}.{repo.namespace.name}.{repo.type}s.{_host()}>"
    if letter.unsubscribe:
        headers["List-Unsubscribe"] = f"<{letter.unsubscribe}>"
        headers["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    return headers


def _host() -> str:
    return (urlsplit(settings.PUBLIC_URL).hostname or "localhost").replace(":", "-")  # An IPv6 address has colons.
<<<<<<< HEAD


def _public(path: str = "") -> str:
    return str(settings.PUBLIC_URL).rstrip("/") + path


def server_name() -> str:
    """This server as its people know it."""
    return urlsplit(settings.PUBLIC_URL).netloc


def _id_of(repo: Repo) -> str:
    """The id by which filters tell repos apart: a model and a dataset may have the same."""
    return repo.path.removeprefix("/")


def subject_line(text: str) -> str:
    return one_line(settings.ACCOUNT_EMAIL_SUBJECT_PREFIX + text, SUBJECT_LENGTH)


def _when(at: datetime) -> str:
    local = timezone.localtime(at)
    return f"{local:%-d %B %Y, %H:%M} {local.tzname()}"


def _counted(number: int, singular: str, plural: str = "") -> str:
    return f"{number:,} {singular if number == 1 else plural or singular + 's'}"


@dataclass(frozen=True, slots=True)
class About:
    """A repo as mails name it."""

    repo: Repo
    name: str
    url: str

    @classmethod
    def of(cls, repo: Repo) -> About:
        return cls(repo, unlinked(repo.repo_id), _public(repo.path))

    @property
    def type(self) -> str:
        return self.repo.type

    @property
    def settings_url(self) -> str:
        return f"{self.url}/settings"


@dataclass(frozen=True, slots=True)
class Asker:
    """Whoever asks for access, and when, as mails name them."""

    name: str
    username: str
    url: str
    email: str
    when: str

    @classmethod
    def of(cls, request: AccessRequest) -> Asker:
        username = request.user.username
        return cls(
            name=within_a_sentence(request.fullname, NAME_LENGTH),
            username=unlinked(username),
            url=_public(request.user.get_absolute_url()),
            email=one_line(request.email),
            when=_when(request.requested_at),
        )


@dataclass(slots=True)
class Group:
    """Requests for one repo."""

    about: About
    askers: list[Asker] = field(default_factory=list)


def _render(name: str, context: dict[str, Any]) -> tuple[str, str]:
    """Text and HTML of a template's two parts."""
    text, html = _templates(name)
    return wrapped(text.render(Context(context, autoescape=False))), html.render(Context(context))


@cache
def _templates(name: str) -> tuple[Any, Any]:
    found = [cast(Any, get_template(f"notifications/mail/{name}.{part}")).template for part in ("txt", "html")]
    return found[0], found[1]


def frame() -> dict[str, str]:
    """What the layout of every mail needs, beside `subject`."""
    return {"home": _public("/"), "server": server_name(), "settings_url": _public(reverse("mail_settings"))}


def _letter(
    delivery: Delivery,
    template: str,
    subject: str,
    context: dict[str, Any],
    *,
    repo: Repo | None = None,
    repos: Iterable[int] = (),
) -> Letter:
    unsubscribe = opt_outs.unsubscribe_link(delivery, repos)
    line = subject_line(subject)
    text, html = _render(template, {"subject": line, "unsubscribe": unsubscribe, **frame(), **context})
    return Letter(subject=line, text=text, html=html, repo=repo, unsubscribe=unsubscribe)


def _messages(delivery: Delivery) -> list[OutboxMessage]:
    """What the mail tells, the oldest first."""
    told = [delivery.message, *(other.message for other in _told_with(delivery))]
    return sorted(told, key=lambda message: message.pk)


# --- To whoever reviews -----------------------------------------------------------------------------------------------


def _new_request(delivery: Delivery) -> Letter:
    told = _messages(delivery)
    live = [message for message in told if message.repo is not None and message.access_request is not None]
    waiting = [message for message in live if message.access_request and message.access_request.is_pending]
    if not waiting:
        raise NothingToSay("The requests were decided, withdrawn or deleted meanwhile.")
    if len(waiting) == 1:
        return _single_request(delivery, waiting[0])
    groups: dict[int, Group] = {}
    for message in waiting[:LISTED]:
        assert message.repo is not None
        assert message.access_request is not None
        group = groups.setdefault(message.repo.pk, Group(About.of(message.repo)))
        group.askers.append(Asker.of(message.access_request))
    return _list_of_requests(
        delivery,
        list(groups.values()),
        {message.repo_id for message in waiting},
        len(waiting),
        len(live) - len(waiting),
    )


def _digest(delivery: Delivery) -> Letter:
    message = cast(Any, delivery.message)
    repo, (pending, decided) = delivery.message.repo, message.counts
    if repo is None or not message.oldest_pending:
        raise NothingToSay("The requests were decided, withdrawn or deleted meanwhile.")
    askers = [Asker.of(collected.access_request) for collected in message.oldest_pending]
    return _list_of_requests(delivery, [Group(About.of(repo), askers)], {repo.pk}, pending, decided)


def _list_of_requests(
    delivery: Delivery, groups: list[Group], repos: set[int | None], number: int, decided: int
) -> Letter:
    one = groups[0].about if len(repos) == 1 else None
    where = _id_of(one.repo) if one else _counted(len(repos), "repository", "repositories")
    context = {
        "groups": groups,
        "one": one,
        "heading": f"{_counted(number, 'person', 'people')} asked for access",
        "more": number - sum(len(group.askers) for group in groups),
        "decided": decided,
        "is_digest": delivery.kind == Kind.DIGEST,
        "why": _why_reviewer(delivery, one),
    }
    subject = f"{_counted(number, 'access request')} for {where}"
    keys = [key for key in repos if key is not None]
    return _letter(delivery, "requests", subject, context, repo=one.repo if one else None, repos=keys)


def _single_request(delivery: Delivery, message: OutboxMessage) -> Letter:
    repo, request = message.repo, message.access_request
    assert repo is not None
    assert request is not None
    about, username = About.of(repo), request.user.username
    said = request.answers_in_words()
    context = {
        "about": about,
        "asker": Asker.of(request),
        "answers": [(unlinked(q, QUESTION_LENGTH), unlinked(a, ANSWER_LENGTH)) for q, a in said[:ANSWERS]],
        "more": max(0, len(said) - ANSWERS),
        "review_url": f"{about.settings_url}?{urlencode({'q': username})}#requests",
        "why": _why_reviewer(delivery, about),
    }
    subject = f"New access request for {_id_of(repo)} from {username}"
    return _letter(delivery, "request", subject, context, repo=repo, repos=[repo.pk])


def _why_reviewer(delivery: Delivery, one: About | None) -> str:
    where = f"the {one.type} {one.name}" if one else "these repositories"
    if delivery.user is None:
        return f"the notifications of {where} go to this address"
    return f"you manage {where}"


# --- To whoever asked -------------------------------------------------------------------------------------------------


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
            when=_when(message.created_at),
            was="" if name == repo.repo_id else unlinked(name),
            now="" if request.status == _HOLDS_AS[Kind(message.kind)] else request.status,
        )


def _decision(delivery: Delivery) -> Letter:
    if delivery.user is None:
        raise NothingToSay("The person is gone.")
    newest: dict[int, OutboxMessage] = {}
    for message in _messages(delivery):
        if message.access_request_id is not None and _may_know(delivery, message.repo):
            newest.pop(message.access_request_id, None)
            newest[message.access_request_id] = message
    if not newest:
        raise NothingToSay("The request was withdrawn, or the repository is gone or hidden from the person.")
    news = [News.of(message) for message in newest.values()]
    return _single_decision(delivery, news[0]) if len(news) == 1 else _list_of_decisions(delivery, news)


def _may_know(delivery: Delivery, repo: Repo | None) -> bool:
    """Whether the person may still know that the repo is there, and what it is called."""
    if repo is None:
        return False
    return not repo.private or policy.may(Actor(user=delivery.user), policy.Action.CARD_VIEW, repo)


def _single_decision(delivery: Delivery, news: News) -> Letter:
    repo = news.about.repo
    context = {
        "news": news,
        "about": news.about,
        "lines": _download_lines(repo) if news.kind in _OPENING and not news.now else [],
        "tokens_url": _public(reverse("tokens")),
        "requests_url": _public(reverse("my_requests")),
        "why": "you asked for access" if news.kind != Kind.GRANTED else "access was given to you",
    }
    return _letter(delivery, "decision", _DECISION_SUBJECTS[Kind(news.kind)].format(_id_of(repo)), context, repo=repo)


def _download_lines(repo: Repo) -> list[dict[str, str]]:
    """For the command line and for Python."""
    lines = usage.download_lines(repo, endpoint=_public())[:2]
    return [{"title": line.title, "text": line.text, "indented": indent(line.text, "    ")} for line in lines]


_OPENING: Final = (Kind.ACCEPTED, Kind.GRANTED)
_DECISION_SUBJECTS: Final = {
    Kind.ACCEPTED: "Your access request for {} was accepted",
    Kind.REJECTED: "Your access request for {} was rejected",
    Kind.CANCELLED: "Your access request for {} is pending again",
    Kind.GRANTED: "You were given access to {}",
}


def _list_of_decisions(delivery: Delivery, news: list[News]) -> Letter:
    context = {
        "news": news[:LISTED],
        "more": max(0, len(news) - LISTED),
        "requests_url": _public(reverse("my_requests")),
        "why": "you asked for access, or access was given to you",
    }
    return _letter(delivery, "decisions", f"{len(news):,} decisions about your access requests", context)


# --- About one's account, and about an address ------------------------------------------------------------------------


def _token_created(delivery: Delivery) -> Letter:
    if delivery.user is None:
        raise NothingToSay("The person is gone.")
    data = delivery.message.data
    expires = data.get("expires_at")
    context = {
        "name": within_a_sentence(str(data.get("name", ""))),
        "role": unlinked(str(data.get("role", ""))),
        "when": _when(delivery.message.created_at),
        "expires": _when(datetime.fromisoformat(expires)) if expires else "",
        "from_address": unlinked(str(data.get("address") or "")),
        "tokens_url": _public(reverse("tokens")),
        "password_url": _public(reverse("account_change_password")),
        "username": unlinked(delivery.user.username),
    }
    return _letter(delivery, "token", "A new access token was created", context)


def _account(delivery: Delivery) -> Letter:
    if not delivery.message.sealed:
        raise NothingToSay("What it said was forgotten when it was sent.")
    try:
        said = sealed.open_(delivery.message.sealed)
    except sealed.CannotOpen as error:
        raise NothingToSay(str(error)) from None
    return Letter(subject=one_line(said["subject"], SUBJECT_LENGTH), text=wrapped(said["text"]), html=said["html"])


def _confirm_address(delivery: Delivery) -> Letter:
    mails = ConfirmationMail.objects.select_related("repo__namespace", "asked_by")
    mail = mails.filter(pk=delivery.message.data.get("confirmation")).first()
    if mail is None or not _is_due(mail):
        raise NothingToSay("The address does not wait for a confirmation any more.")
    repo = mail.repo
    assert repo is not None  # `_is_due` has looked.
    token = notification_address.token_for(repo)
    context = {
        "about": About.of(repo),
        # By the user name alone: a full name may hold any text, and the reader is a stranger.
        "asked_by": unlinked(mail.asked_by.username) if mail.asked_by else "",
        "asked_by_url": _public(mail.asked_by.get_absolute_url()) if mail.asked_by else "",
        "link": _public(reverse("confirm_notification_address", args=[token])),
        "until": _when(mail.at + notification_address.LINK_LIFE),
    }
    subject = f"Do you want the notifications of {repo.repo_id}?"
    return _letter(delivery, "confirm_address", subject, context, repo=repo)


def _is_due(mail: ConfirmationMail) -> bool:
    """Whether the address still waits: the next change may have come before the mail could go."""
    repo = mail.repo
    if repo is None or repo.gated_notifications_email.lower() != mail.address:
        return False
    return notification_address.state_of(repo) is State.WAITING


_WRITERS: Final[dict[Kind, Callable[[Delivery], Letter]]] = {
    Kind.NEW_REQUEST: _new_request,
    Kind.DIGEST: _digest,
    **dict.fromkeys(DECISIONS, _decision),
    Kind.TOKEN_CREATED: _token_created,
    Kind.ACCOUNT: _account,
    Kind.CONFIRM_ADDRESS: _confirm_address,
}
=======
>>>>>>> mails
