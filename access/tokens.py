"""User access tokens: their form, their issue, and the look-up of one that was shown.

A token is `gate_`, 40 letters and digits, and a checksum of 6: secret scanners know it by its shape, and a mistyped
one costs no query.
"""

from __future__ import annotations

import binascii
import hashlib
import re
import secrets
import string
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.db.models import QuerySet
from django.utils import timezone

from access import policy
from access.errors import InvalidCredentials
from access.models import AccessToken, TokenScope, has_expired
from access.policy import Action
from access.signals import access_token_created
from accounts.actor import Actor, Entrance
from accounts.compiled import Build, rows
from accounts.errors import Conflict, InvalidFields, NotFound
from accounts.models import AuditEvent, Namespace, User
from accounts.texts import can_be_shown
from repos.models import Repo

PREFIX = "gate_"
_ALPHABET = string.digits + string.ascii_letters
_SHAPE = re.compile(rf"{PREFIX}([0-9A-Za-z]{{40}})([0-9A-Za-z]{{6}})", re.ASCII)
_MOST_SCOPES = 200


class TokenNameTaken(Conflict):
    """Names are unique per person: clients keep their tokens by name."""


@dataclass(frozen=True, slots=True)
class Scope:
    """One permission on one namespace or one repo; exactly one of the two is given."""

    permission: str
    namespace: Namespace | None = None
    repo: Repo | None = None


def _checksum(body: str) -> str:
    number = binascii.crc32(body.encode())
    digits = []
    for _ in range(6):
        number, digit = divmod(number, 62)
        digits.append(_ALPHABET[digit])
    return "".join(reversed(digits))


def _new_secret() -> str:
    body = "".join(secrets.choice(_ALPHABET) for _ in range(40))
    return f"{PREFIX}{body}{_checksum(body)}"


def is_well_formed(secret: str) -> bool:
    """Whether it has the shape and the checksum of one of our tokens."""
    match = _SHAPE.fullmatch(secret)
    return match is not None and secrets.compare_digest(_checksum(match[1]), match[2])


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


@transaction.atomic
def create(
    *,
    user: User,
    name: str,
    role: str,
    by: Actor,
    expires_at: datetime | None = None,
    scopes: Iterable[Scope] = (),
    can_read_gated: bool = False,
) -> tuple[AccessToken, str]:
    """Make a token for the person.  Returns the row and the token itself, which cannot be had again.

    Raises InvalidFields naming `name`, `role`, `expires_at` or `scopes`, or TokenNameTaken.
    """
    name = name.strip()
    scopes = list(scopes)
    problems = {}
    if not 1 <= len(name) <= 100 or not can_be_shown(name):
        problems["name"] = "A token's name has 1 to 100 printable characters."
    if role not in AccessToken.Role.values:
        problems["role"] = f"must be one of {', '.join(AccessToken.Role.values)}"
    elif role != AccessToken.Role.FINE_GRAINED and (scopes or can_read_gated):
        problems["scopes"] = "Only fine-grained tokens have scopes."
    if expires_at is not None and expires_at <= timezone.now():
        problems["expires_at"] = "The date of expiry has passed already."
    if len(scopes) > _MOST_SCOPES:
        problems["scopes"] = f"A token has at most {_MOST_SCOPES} scopes."
    if any(scope.permission not in TokenScope.Permission.values for scope in scopes):
        problems["scopes"] = f"A permission must be one of {', '.join(TokenScope.Permission.values)}."
    if problems:
        raise InvalidFields(problems)
    secret = _new_secret()
    token = AccessToken(
        user=user,
        name=name,
        role=role,
        sha256=_digest(secret),
        last_characters=secret[-4:],
        expires_at=expires_at,
        can_read_gated=can_read_gated,
    )
    try:
        with transaction.atomic():
            token.save()
    except IntegrityError:
        raise TokenNameTaken(f"You have a token named {name!r} already.") from None
    TokenScope.objects.bulk_create(
        TokenScope(token=token, permission=scope.permission, namespace=scope.namespace, repo=scope.repo)
        for scope in dict.fromkeys(scopes)
    )
    AuditEvent.record(by=by, verb="token:create", target=f"{name} of {user.username}", after=_kept(token))
    access_token_created.send(AccessToken, token=token, by=by)
    return token, secret


@transaction.atomic
def revoke(*, token: AccessToken, by: Actor) -> None:
    """End a token.  The very next request with it is refused.

    Raises NotFound for one that is gone, and for whoever may not: see `policy.may_revoke`.
    """
    if not policy.may_revoke(by, token):
        raise NotFound("There is no such token.")
    before = _kept(token)
    deleted, _ = AccessToken.objects.filter(pk=token.pk).delete()
    if not deleted:
        raise NotFound("There is no such token.")
    AuditEvent.record(by=by, verb="token:revoke", target=f"{token.name} of {token.user.username}", before=before)


def _kept(token: AccessToken) -> dict[str, Any]:
    """What the audit trail keeps of a token: what it may do, and until when."""
    kept: dict[str, Any] = {"role": token.role}
    if token.expires_at is not None:
        kept["expires_at"] = token.expires_at.isoformat()
    if token.role == AccessToken.Role.FINE_GRAINED:
        kept["scopes"] = [str(scope) for scope in token.scopes.select_related("namespace", "repo__namespace")]
        kept["can_read_gated"] = token.can_read_gated
    return kept


def authenticate(secret: str) -> AccessToken:
    """The token that was shown, with its user.  Raises InvalidCredentials for anything that opens nothing now."""
    found: list[AccessToken] = rows(_with_digest, sha256=_digest_of(secret))
    return _opening(found)


def find(secret: str, address: str, action: Action, build: Build, **values: str) -> list[Any]:
    """What `policy.find` gives of `build` to whoever shows this token from this address.

    On PostgreSQL that is one query, unless the token has scopes.  No more is loaded than is looked at.  Raises as
    `authenticate` does.
    """
    digest = _digest_of(secret)
    if connection.vendor == "postgresql":
        found = policy.find_by_token(digest, address, action, build, **values)
        if found:
            token = found[0][0]
            _refuse_unless_open(token.expires_at, is_active=token.is_active)
            _note_use(token.id, token.last_used_at)
            return [row for _, row in found]
    shown = _opening(list(map(_token_of, rows(_parts_with_digest, sha256=digest))))
    actor = Actor(user=shown.user, token=shown, entrance=Entrance.API, address=address)
    return policy.find(actor, action, build, **values)


def _token_of(parts: tuple[Any, ...]) -> AccessToken:
    """One with the TOKEN_PARTS.  Django fetches the rest, if anybody asks for it."""
    *columns, is_active = parts
    token = AccessToken.from_db(None, policy.TOKEN_COLUMNS, columns)
    token.user = User.from_db(None, ["id", "is_active"], [token.user_id, is_active])
    return token


def _digest_of(secret: str) -> str:
    if not is_well_formed(secret):  # No query: clients try repo names and foreign tokens here.
        raise _invalid("It is not a token of this server, or it was mistyped.")
    return _digest(secret)


def _opening(found: list[AccessToken]) -> AccessToken:
    """The one that was found, if it opens anything now."""
    if not found:
        raise _invalid("It is unknown here, or it was revoked.")
    (token,) = found
    _refuse_unless_open(token.expires_at, is_active=token.user.is_active)
    token.last_used_at = _note_use(token.pk, token.last_used_at)
    return token


def _refuse_unless_open(expires_at: datetime | None, *, is_active: bool) -> None:
    if has_expired(expires_at):
        raise _invalid("It has expired.")
    if not is_active:
        raise _invalid("The account is deactivated.")


def _with_digest(sha256: str) -> QuerySet[AccessToken]:
    return AccessToken.objects.filter(sha256=sha256).select_related("user")


def _parts_with_digest(sha256: str) -> QuerySet[AccessToken, Any]:
    return AccessToken.objects.filter(sha256=sha256).values_list(*policy.TOKEN_PARTS)


def _note_use(key: int, before: datetime | None) -> datetime:
    """Remember when the token was used, to ten minutes: a snapshot shows it hundreds of times."""
    now = timezone.now()
    if before is not None and now - before < AccessToken.LAST_USE_PRECISION:
        return before
    AccessToken.objects.filter(pk=key).update(last_used_at=now)
    return now


def _invalid(why: str) -> InvalidCredentials:
    return InvalidCredentials(next_step=f"{why} Create a token at {{url}}.", help_path="/settings/tokens")
