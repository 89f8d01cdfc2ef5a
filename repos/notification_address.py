"""The address to which a repo's notifications go, and whether it may be used.

An address that is not the owner's own must be confirmed by mail before it is used.  *Own* is a verified address of

- the owner of a personal namespace, or any admin of the organization: they get the notifications without it, too;
- whoever set it, as long as they manage the repo: they may read the requests anyway.

That is asked whenever the address is to be used, not when it is set: whoever leaves the organization, is deactivated
or takes the address out of their account is not written to any more.  Every other address belongs to a stranger until
its reader has opened the link in a mail and pressed a button.  Until then, and after a refusal, notifications go to
whom they would go without it.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from allauth.account.models import EmailAddress
from django.core import signing
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from accounts.actor import Actor
from accounts.errors import BadRequest
from accounts.models import AuditEvent, Membership, User
from repos.errors import InvalidLink, LinkExpired, TooManyMails
from repos.models import ConfirmationMail, Repo
from repos.signals import confirmation_mail_due

LINK_LIFE: Final = timedelta(days=7)
# Limits, so that nobody can have a stranger flooded: mails of one repo to an address, of all repos to an address, and
# of one person to any address.
PAUSE: Final = timedelta(minutes=10)
DAY: Final = timedelta(days=1)
MOST_TO_AN_ADDRESS: Final = 3
MOST_BY_A_PERSON: Final = 20
REFUSAL_HOLDS: Final = timedelta(days=30)
MAX_LENGTH: Final = 254

COLUMNS: Final = [
    f"gated_notifications_email{tail}" for tail in ("", "_set_at", "_set_by", "_nonce", "_confirmed_at", "_refused_at")
]
_SALT: Final = "repos.notification_address"


class State(StrEnum):
    """Where a repo's notification address stands."""

    NONE = "none"
    OWN = "own"
    CONFIRMED = "confirmed"
    WAITING = "waiting"
    REFUSED = "refused"


def clean(value: Any) -> str:
    """The address, "" for none.  Raises ValueError, in words for the field."""
    if value is None or value == "":
        return ""
    if isinstance(value, str) and len(value) > MAX_LENGTH:
        raise ValueError(f"has at most {MAX_LENGTH} characters")
    if not isinstance(value, str) or not _is_plain_address(value):
        raise ValueError("must be an email address, or empty")
    return value


def _is_plain_address(address: str) -> bool:
    """Without quoted parts, which may hold spaces and control characters, and which no form needs."""
    try:
        validate_email(address)
    except ValidationError:
        return False
    return address.isprintable() and not set(address) & set(' "(),:;<>\\')


def address_to_use(repo: Repo) -> str:
    """The address to which notifications may go now, or "": then they go to whom they go without one.

    To be asked when a mail goes out.  One query for an address that nobody confirmed by a link, none otherwise.
    """
    return repo.gated_notifications_email if state_of(repo) in (State.OWN, State.CONFIRMED) else ""


def state_of(repo: Repo) -> State:
    if not repo.gated_notifications_email:
        return State.NONE
    if repo.gated_notifications_email_refused_at is not None:
        return State.REFUSED
    if repo.gated_notifications_email_confirmed_at is not None:
        return State.CONFIRMED
    return State.OWN if _is_own(repo) else State.WAITING


def _is_own(repo: Repo) -> bool:
    namespace = repo.namespace
    members = Membership.objects.filter(organization=namespace.organization_id)
    setter = repo.gated_notifications_email_set_by_id
    managing = Q(role__in=[Membership.Role.ADMIN, Membership.Role.WRITE])
    if setter is not None and setter == repo.created_by_id:
        managing |= Q(role=Membership.Role.CONTRIBUTOR)
    people = (
        Q(pk=namespace.user_id)
        | Q(pk__in=members.filter(role=Membership.Role.ADMIN).values("user"))
        | Q(pk__in=members.filter(managing, user=setter).values("user"))
    )
    verified = EmailAddress.objects.filter(email__iexact=repo.gated_notifications_email, verified=True)
    return bool(verified.filter(user__in=User.objects.filter(people, is_active=True)).exists())


# --- Setting it, and asking -----------------------------------------------------------------------------------------


def set_anew(repo: Repo, *, by: Actor) -> None:
    """Begin anew with the address that the (locked, unsaved) repo has: nobody has agreed, and no old link counts.

    The caller saves COLUMNS, and then calls `ask`.
    """
    address = repo.gated_notifications_email
    repo.gated_notifications_email_set_at = timezone.now() if address else None
    repo.gated_notifications_email_set_by = by.user if address else None
    repo.gated_notifications_email_nonce = secrets.token_urlsafe(16) if address else ""
    repo.gated_notifications_email_confirmed_at = None
    repo.gated_notifications_email_refused_at = None
    if state_of(repo) is State.WAITING:
        repo.gated_notifications_email_refused_at = _refusal(repo, by)


def _refusal(repo: Repo, by: Actor) -> datetime | None:
    """When the reader of the address lately said no, to this repo or to this person, who are not to ask again soon."""
    said = ConfirmationMail.objects.filter(
        Q(repo=repo) | Q(asked_by=by.user_id, asked_by__isnull=False),
        address=repo.gated_notifications_email.lower(),
        refused_at__gt=timezone.now() - REFUSAL_HOLDS,
    )
    return said.order_by("-refused_at").values_list("refused_at", flat=True).first()


def ask(repo: Repo, *, by: Actor) -> ConfirmationMail | None:
    """Have the mail sent that asks the reader of the address, if one is due and may be sent now.

    In the transaction of the change, with the repo locked.  The mail goes out when that is certain, by way of
    `confirmation_mail_due`; what became of it is in the row.
    """
    if state_of(repo) is not State.WAITING:
        return None
    if by.user_id is not None:  # One at a time: many at once must not each find room for one more.
        User.objects.select_for_update().get(pk=by.user_id)
    if free_at(repo, by=by) is not None:
        return None
    mail = ConfirmationMail.objects.create(repo=repo, address=repo.gated_notifications_email.lower(), asked_by=by.user)
    _record("asked", repo, by=by)
    confirmation_mail_due.send(ConfirmationMail, mail=mail)
    return mail


@transaction.atomic
def send_again(repo: Repo, *, by: Actor) -> ConfirmationMail:
    """Ask once more.  Raises BadRequest where there is nothing to ask, and TooManyMails."""
    locked = _locked(repo.pk)
    if state_of(locked) is not State.WAITING:
        raise BadRequest("The notification address does not wait for a confirmation. No mail was sent.")
    if not locked.gated_notifications_email_nonce:  # It was set before addresses were confirmed.
        set_anew(locked, by=by)
        locked.save(update_fields=COLUMNS)
    if state_of(locked) is State.REFUSED:
        raise BadRequest("The reader of this address did not want it to be used. No mail was sent.")
    mail = ask(locked, by=by)
    if mail is None:
        until = free_at(locked, by=by) or timezone.now()
        raise TooManyMails(
            "No further mail can be sent to this address now.",
            next_step=f"Try again after {timezone.localtime(until):%H:%M on %d %B}.",
        )
    return mail


def free_at(repo: Repo, *, by: Actor) -> datetime | None:
    """From when on another mail may go to the repo's address, asked for by the actor; None: now.

    A mail that could not be sent reached nobody, so it counts for the one who asked alone.
    """
    mails = ConfirmationMail.objects.filter(address=repo.gated_notifications_email.lower(), problem="")
    times = [
        _free_at(mails.filter(repo=repo), 1, PAUSE),
        _free_at(mails, MOST_TO_AN_ADDRESS, DAY),
        _free_at(ConfirmationMail.objects.filter(asked_by=by.user_id), MOST_BY_A_PERSON, DAY),
    ]
    return max((time for time in times if time is not None), default=None)


def _free_at(mails: QuerySet[ConfirmationMail], most: int, within: timedelta) -> datetime | None:
    lately = mails.filter(at__gt=timezone.now() - within).order_by("-at")
    times: Sequence[datetime] = list(lately.values_list("at", flat=True)[:most])
    return times[-1] + within if len(times) == most else None


def last_mail(repo: Repo) -> ConfirmationMail | None:
    """The newest mail that asked about the address as it was set last."""
    mails = ConfirmationMail.objects.filter(repo=repo, address=repo.gated_notifications_email.lower())
    since = repo.gated_notifications_email_set_at
    return mails.filter(at__gte=since).order_by("-at").first() if since is not None else None


# --- The link in the mail -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Link:
    """What a link from a mail is about.  An expired one can still say no."""

    repo: Repo
    expired: bool

    @property
    def address(self) -> str:
        return self.repo.gated_notifications_email

    @property
    def state(self) -> State:
        """As its reader sees it: that the address is somebody's own is no answer of theirs."""
        state = state_of(self.repo)
        return State.WAITING if state is State.OWN else state


def token_for(repo: Repo, at: datetime) -> str:
    """The signed part of the link, for a mail to the repo's address and for no other eyes.

    Its life counts from `at`, when the mail was asked for: each attempt to send it is the same mail, and the link ends
    when the mail says that it does.
    """
    return _SignedAt(at, salt=_salt(repo)).sign(f"{repo.pk}.{repo.gated_notifications_email_nonce}")


class _SignedAt(signing.TimestampSigner):
    """Django's, with a moment of ours: https://docs.djangoproject.com/en/5.2/topics/signing/"""

    def __init__(self, at: datetime, *, salt: str) -> None:
        super().__init__(salt=salt)
        self._at = at

    def timestamp(self) -> str:
        return signing.b62_encode(int(self._at.timestamp()))


def _signer(repo: Repo) -> signing.TimestampSigner:
    return signing.TimestampSigner(salt=_salt(repo))


def _salt(repo: Repo) -> str:
    return f"{_SALT}:{repo.gated_notifications_email}"


def find_link(token: str) -> Link:
    """What the token stands for.  Raises InvalidLink, also once the address has been changed or set anew."""
    return _link(token, Repo.objects.select_related("namespace", "gated_notifications_email_set_by"))


def _link(token: str, repos: QuerySet[Repo]) -> Link:
    key = token.partition(".")[0]
    if not (key.isascii() and key.isdigit() and len(key) < 19):
        raise InvalidLink
    repo = repos.filter(pk=int(key)).first()
    if repo is None or not repo.gated_notifications_email_nonce:
        raise InvalidLink
    try:
        said = _signer(repo).unsign(token)
    except signing.BadSignature:
        raise InvalidLink from None
    if not secrets.compare_digest(said, f"{repo.pk}.{repo.gated_notifications_email_nonce}"):
        raise InvalidLink
    try:
        _signer(repo).unsign(token, max_age=LINK_LIFE)
    except signing.SignatureExpired:
        return Link(repo, expired=True)
    return Link(repo, expired=False)


@transaction.atomic
def confirm(token: str, *, by: Actor) -> Link:
    """The reader of the address agrees.  Doing so again changes nothing.  Raises InvalidLink, LinkExpired."""
    link = _link(token, _lockable())
    if link.state is State.CONFIRMED:
        return link
    if link.expired:
        raise LinkExpired(next_step=f"Whoever manages {link.repo} can have a new one sent. Nothing was confirmed.")
    _answer(link, by=by, confirmed_at=timezone.now(), refused_at=None)
    return link


@transaction.atomic
def refuse(token: str, *, by: Actor) -> Link:
    """The reader of the address does not want it used, now or not any more.  Raises InvalidLink."""
    link = _link(token, _lockable())
    if link.state is not State.REFUSED:
        _answer(link, by=by, confirmed_at=None, refused_at=timezone.now())
    return link


@transaction.atomic
def answer_of_reader(keys: Iterable[int], address: str, *, wanted: bool, by: Actor) -> None:
    """What the reader of notifications says of the repos with these keys that send them to this address.

    For links in the notifications themselves, of which some are older than the address as it is set now: so they can
    refuse at any time, but take back only what was refused.  Doing so again changes nothing.
    """
    for repo in of_reader(keys, address, _lockable()):
        link = Link(repo, expired=False)
        if wanted and link.state is State.REFUSED:
            repo.gated_notifications_email_nonce = repo.gated_notifications_email_nonce or secrets.token_urlsafe(16)
            _answer(link, by=by, confirmed_at=timezone.now(), refused_at=None)
        elif not wanted and link.state is not State.REFUSED:
            _answer(link, by=by, confirmed_at=None, refused_at=timezone.now())


def of_reader(keys: Iterable[int], address: str, repos: QuerySet[Repo] | None = None) -> list[Repo]:
    """Those of the repos that have this address now, in one order."""
    among = Repo.objects.select_related("namespace") if repos is None else repos
    return list(among.filter(pk__in=list(keys), gated_notifications_email__iexact=address).order_by("pk"))


def _answer(link: Link, *, by: Actor, confirmed_at: datetime | None, refused_at: datetime | None) -> None:
    repo, before = link.repo, link.state
    repo.gated_notifications_email_confirmed_at = confirmed_at
    repo.gated_notifications_email_refused_at = refused_at
    repo.save(update_fields=COLUMNS)
    ConfirmationMail.objects.filter(repo=repo, address=link.address.lower()).update(refused_at=refused_at)
    _record("refused" if refused_at else "confirmed", repo, by=by, before=before.value)


def _lockable() -> QuerySet[Repo]:
    return Repo.objects.select_for_update(of=("self",)).select_related("namespace")


def _locked(key: int) -> Repo:
    return _lockable().get(pk=key)


def _record(event: str, repo: Repo, *, by: Actor, before: str | None = None) -> None:
    AuditEvent.record(
        by=by,
        verb=f"notification_address:{event}",
        target=str(repo),
        repo=repo.pk,
        before=before,
        after={"address": repo.gated_notifications_email},
    )
