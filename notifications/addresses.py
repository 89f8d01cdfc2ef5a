"""Addresses to which no mail goes: a mail service told that one came back for good, or that its reader complained.

Whoever has the address can have it used again, and so can staff.  The next mail shows whether that was right.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from allauth.account.models import EmailAddress
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.utils import timezone

from accounts.actor import SYSTEM, Actor, Entrance
from accounts.errors import BadRequest, Conflict, NotAllowed
from accounts.models import AuditEvent, User
from notifications.models import AddressProblem
from repos.errors import TooManyMails
from repos.notification_address import MAX_LENGTH

PAUSE: Final = timedelta(days=1)
"""How long a person waits until they can have the same address used again once more."""

_STOPPED: Final = "mail_address:stopped"
_USED_AGAIN: Final = "mail_address:used_again"
_DETAIL_LENGTH: Final = 500
_MANY: Final = 500


def stopped(addresses: Iterable[str]) -> set[str]:
    """Those of the addresses, in lower case, to which no mail may go.  One query for every 500."""
    asked = sorted({address.lower() for address in addresses})
    found: set[str] = set()
    for start in range(0, len(asked), _MANY):
        problems = AddressProblem.objects.filter(address__in=asked[start : start + _MANY])
        found.update(problems.values_list("address", flat=True))
    return found


def is_stopped(address: str) -> bool:
    return bool(stopped([address]))


def problems_of(user: User) -> list[AddressProblem]:
    """What is wrong with the addresses of a person's account, verified or not."""
    return list(AddressProblem.objects.filter(address__in=_addresses_of(user)).order_by("address"))


def _addresses_of(user: User) -> list[str]:
    return [address.lower() for address in EmailAddress.objects.filter(user=user).values_list("email", flat=True)]


@transaction.atomic
def mark(
    *, address: str, what: AddressProblem.What, detail: str = "", told_at: datetime | None = None, by: Actor = SYSTEM
) -> AddressProblem | None:
    """Send no more mail to an address.  One row holds the newest that is known; saying the same again changes nothing.

    `told_at` is when it happened: what is older than the last time that somebody had the address used again counts no
    more, and the answer is None.  Raises BadRequest for what is no address.
    """
    address, detail = address.lower(), plain(detail)
    if not _is_address(address):
        raise BadRequest("That is no e-mail address. Nothing was changed.")
    if told_at is not None and _used_again_since(address, told_at):
        return None
    said = {"what": what, "detail": detail}
    problem, new = AddressProblem.objects.select_for_update().get_or_create(address=address, defaults=said)
    before = None if new else {"what": problem.what, "detail": problem.detail}
    if before is not None and before != said:
        problem.what, problem.detail, problem.at = what, detail, timezone.now()
        problem.save(update_fields=["what", "detail", "at"])
    if before != said:
        AuditEvent.record(by=by, verb=_STOPPED, target=address, before=before, after=said)
    return problem


def _is_address(text: str) -> bool:
    try:
        validate_email(text)
    except ValidationError:
        return False
    return len(text) <= MAX_LENGTH


def may_use_again(problem: AddressProblem, user: User) -> bool:
    """Whether the person may decide for the address: it is theirs, and if they have not proved that, nobody has.

    A complaint came from a reader, so only a reader takes it back.
    """
    mine = EmailAddress.objects.filter(email__iexact=problem.address)
    if mine.filter(user=user, verified=True).exists():
        return True
    if problem.what == AddressProblem.What.COMPLAINED:
        return False
    return mine.filter(user=user).exists() and not mine.filter(verified=True).exists()


@transaction.atomic
def use_again(*, address: str, by: Actor) -> None:
    """Send mails to an address again: to an own one at most once a day, to any in the admin.

    Raises NotAllowed, Conflict where nothing is stopped, and TooManyMails.
    """
    address = address.lower()
    problem = AddressProblem.objects.select_for_update().filter(address=address).first()
    in_admin = by.entrance is Entrance.ADMIN and by.user is not None and by.user.is_staff
    if not in_admin and (by.user is None or address not in _addresses_of(by.user)):
        raise NotAllowed("This is no address of yours. Nothing was changed.")
    if problem is None:
        raise Conflict("Mails go to this address already.")
    if not in_admin:
        _require_own_right(problem, by)
    AuditEvent.record(by=by, verb=_USED_AGAIN, target=address, before={"what": problem.what, "detail": problem.detail})
    problem.delete()


def _require_own_right(problem: AddressProblem, by: Actor) -> None:
    assert by.user is not None  # The caller has looked.
    if not may_use_again(problem, by.user):
        raise NotAllowed(
            "Only whoever has verified this address can have it used again.",
            next_step="Use another address, or ask the staff of this server.",
        )
    last = _used_again_since(problem.address, timezone.now() - PAUSE)
    if last is not None:
        raise TooManyMails(
            "Mails to this address came back, or were reported, again within a day.",
            next_step=f"Try again after {timezone.localtime(last + PAUSE):%H:%M on %d %B}, or use another address.",
        )


def _used_again_since(address: str, since: datetime) -> datetime | None:
    events = AuditEvent.objects.filter(at__gt=since, verb=_USED_AGAIN, target=address)
    return events.order_by("-at").values_list("at", flat=True).first()


def plain(text: str, length: int = _DETAIL_LENGTH) -> str:
    """What a mail server said, in one line that can be kept and shown."""
    line = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    return line if len(line) <= length else f"{line[: length - 1]}…"
