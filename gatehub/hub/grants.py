"""Signed rights to upload: short-lived, bound to a repo, a person and the token they came with.

Uploads carry no token of the person (hub-protocol section 12, trap 8), so the address, or the token of the Xet service,
is the credential.  It says who was let in and where; whether they still are is asked at each use, so that a revocation
counts at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core import signing

from access import policy
from access.models import AccessToken
from access.policy import Action
from accounts.actor import Actor, Entrance
from accounts.errors import NotAllowed
from accounts.models import User
from gatehub.authentication import client_address
from repos.models import Repo

_UPLOAD_SALT = "gatehub.hub.upload"
_XET_SALT = "gatehub.hub.xet"
_SLOWEST_BYTES_PER_SECOND = 1024**2


class InvalidGrant(NotAllowed):
    """The signature is wrong, its time is up, or the right that it stood for has ended."""


@dataclass(frozen=True, slots=True)
class Grant:
    """Who may upload where.  `about` says what: `{"oid": …, "size": …}` of an LFS object, nothing for Xet."""

    repo: Repo
    actor: Actor
    about: dict[str, Any]


def _sign(repo: Repo, actor: Actor, about: dict[str, Any], salt: str, *, extra_seconds: int = 0) -> str:
    token = None if actor.token is None else actor.token.pk
    session = _session_mark(actor.user) if actor.token is None else ""
    who = {"r": repo.pk, "u": actor.user_id, "t": token, "s": session, "x": extra_seconds}
    return signing.dumps(who | about, salt=salt)


def _session_mark(user: User | None) -> str:
    """Changes with the password, as all sessions end then."""
    return "" if user is None else user.get_session_auth_hash()[:16]


def _open(request: Any, signed: str, salt: str) -> Grant:
    """The grant, if it still stands: signature, time, person, token and the right to write."""
    try:
        about = signing.loads(signed, salt=salt)
        signing.loads(signed, salt=salt, max_age=settings.UPLOAD_URL_SECONDS + about.pop("x"))
    except signing.SignatureExpired:
        raise InvalidGrant("This right to upload has expired. Start the upload again.") from None
    except signing.BadSignature:
        raise InvalidGrant("This right to upload is not one of this server's.") from None
    repo = Repo.objects.select_related("namespace", "gate_form").filter(pk=about.pop("r")).first()
    user = User.objects.filter(pk=about.pop("u"), is_active=True).first()
    token_key, session = about.pop("t"), about.pop("s")
    token = None
    if token_key is not None:
        token = AccessToken.objects.usable().filter(pk=token_key).first()
    if repo is None or user is None or (token_key is not None and token is None):
        raise InvalidGrant("The right to upload has ended.")
    if token is None and session != _session_mark(user):
        raise InvalidGrant("The right to upload has ended with the session.")
    actor = Actor(user=user, token=token, entrance=Entrance.API, address=client_address(request))
    policy.require(actor, Action.FILES_WRITE, repo)
    return Grant(repo, actor, about)


def extra_seconds(size: int) -> int:
    """How much longer than UPLOAD_URL_SECONDS a right to upload `size` bytes lives, so that the last do not come late.

    Never longer than an unfinished upload is kept.  Each use asks the policy anyway.
    """
    return min(size // _SLOWEST_BYTES_PER_SECOND, settings.UPLOAD_LEFTOVERS_HOURS * 3600)


def sign_upload(repo: Repo, actor: Actor, *, oid: str, size: int, extra_seconds: int = 0) -> str:
    """The right to upload one object of that hash and size to that repo."""
    return _sign(repo, actor, {"oid": oid, "size": size}, _UPLOAD_SALT, extra_seconds=extra_seconds)


def open_upload(request: Any, signed: str) -> Grant:
    """Raises InvalidGrant, or what the policy says of the person now."""
    return _open(request, signed, _UPLOAD_SALT)


def sign_xet(repo: Repo, actor: Actor) -> str:
    """The right to upload to that repo by the Xet service."""
    return _sign(repo, actor, {}, _XET_SALT)


def open_xet(request: Any, signed: str) -> Grant:
    """Raises InvalidGrant, or what the policy says of the person now."""
    return _open(request, signed, _XET_SALT)
