"""The OAuth device sign-in of `hf auth login` (RFC 8628, hub-protocol section 2.4).

A device asks for a pair of codes, shows one to the person, and polls with the other.  The person, signed in, types the
code and approves.  The token is made when the device fetches it, so that it is at rest nowhere.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.dispatch import receiver
from django.utils import timezone

from access import tokens
from access.errors import LoginRequired
from access.models import DeviceSignIn
from accounts.actor import Actor, Entrance
from accounts.errors import Conflict, HubError, NotAllowed, NotFound
from accounts.models import AuditEvent, User
from accounts.signals import account_closed

LIFETIME = timedelta(minutes=15)
INTERVAL = 5
"""Seconds that a device waits between two polls."""

# No vowels, so that no word arises; nothing that looks like something else.
_LETTERS = "BCDFGHJKLMNPQRSTVWXZ"
_USER_CODE = re.compile(rf"[{_LETTERS}]{{4}}-[{_LETTERS}]{{4}}")

Status = DeviceSignIn.Status


class DeviceError(HubError):
    """An answer to a poll that brings no token; `error` is its name in RFC 8628, section 3.5."""

    def __init__(self, error: str, message: str) -> None:
        super().__init__(message, extra={"error_description": message})
        self.error = error


@dataclass(frozen=True, slots=True)
class Codes:
    """What a device is told: the code that it polls with, and the one that it shows."""

    device_code: str
    user_code: str


def _digest(device_code: str) -> str:
    return hashlib.sha256(device_code.encode(errors="replace")).hexdigest()


def _shown(said: str, most: int) -> str:
    """What a program says of itself, as it can be stored and shown."""
    return "".join(char for char in said if char.isprintable())[:most]


def _new_user_code() -> str:
    letters = "".join(secrets.choice(_LETTERS) for _ in range(8))
    return f"{letters[:4]}-{letters[4:]}"


def start(*, client_id: str, client_name: str) -> Codes:
    """Begin a sign-in.  Those that nobody finished are forgotten on the way."""
    now = timezone.now()
    DeviceSignIn.objects.filter(expires_at__lt=now - LIFETIME).delete()
    device_code = secrets.token_urlsafe(32)
    while True:
        user_code = _new_user_code()
        try:
            with transaction.atomic():
                DeviceSignIn.objects.create(
                    device_code_sha256=_digest(device_code),
                    user_code=user_code,
                    client_id=_shown(client_id, 100),
                    client_name=_shown(client_name, 200),
                    expires_at=now + LIFETIME,
                )
        except IntegrityError:  # One in 25 thousand million has that code already.
            continue
        return Codes(device_code, user_code)


def clean_user_code(typed: str) -> str:
    """The code as a person types it: in any case, with or without the dash.  Empty when it cannot be one."""
    letters = "".join(char for char in typed.upper() if char.isalnum())
    code = f"{letters[:4]}-{letters[4:]}"
    return code if _USER_CODE.fullmatch(code) else ""


def find(user_code: str) -> DeviceSignIn:
    """The sign-in that waits under this code.  Raises NotFound when there is none, or its time is up."""
    sign_in = DeviceSignIn.objects.filter(
        user_code=clean_user_code(user_code), status=Status.PENDING, expires_at__gt=timezone.now()
    ).first()
    if sign_in is None:
        raise NotFound("No sign-in waits under this code. Codes are good for 15 minutes, and once.")
    return sign_in


def approve(sign_in: DeviceSignIn, *, by: Actor) -> None:
    """Let the device have a token of the person's.  Raises LoginRequired, NotAllowed, Conflict."""
    _decide(sign_in, Status.APPROVED, by=by)


def deny(sign_in: DeviceSignIn, *, by: Actor) -> None:
    """Let the device have nothing."""
    _decide(sign_in, Status.DENIED, by=by)


@transaction.atomic
def _decide(sign_in: DeviceSignIn, status: str, *, by: Actor) -> None:
    if by.user is None:
        raise LoginRequired
    if by.token is not None:  # Otherwise a narrow token would make itself a wide one.
        raise NotAllowed("A device is approved on the page, signed in, not with a token.")
    waiting = DeviceSignIn.objects.filter(pk=sign_in.pk, status=Status.PENDING, expires_at__gt=timezone.now())
    if not waiting.update(status=status, user=by.user):
        raise Conflict("This sign-in was decided already, or its time is up.")
    verb = "device:approve" if status == Status.APPROVED else "device:deny"
    target = f"{sign_in.client_name or 'a device'} ({sign_in.user_code})"
    after = {"status": status, "client_id": sign_in.client_id}
    AuditEvent.record(by=by, verb=verb, target=target, before={"status": Status.PENDING}, after=after)


def fetch(device_code: str, *, client_id: str, address: str = "") -> str:
    """The device's poll, from this IP address.  Returns the new token, once.

    Raises DeviceError: `authorization_pending`, `slow_down`, `access_denied`, `expired_token`, or `invalid_grant` for a
    code that never was, was used, or belongs to another client.
    """
    with transaction.atomic():
        sign_in = (
            DeviceSignIn.objects.select_for_update()
            .filter(device_code_sha256=_digest(device_code), client_id=_shown(client_id, 100))
            .first()
        )
        refusal = _poll(sign_in)  # Kept out of the transaction: that it was polled stays written.
        if refusal is None and sign_in is not None:
            return _hand_out(sign_in, address)
    raise refusal or DeviceError("invalid_grant", "This device code is not known.")


def _poll(sign_in: DeviceSignIn | None) -> DeviceError | None:
    if sign_in is None or sign_in.status == Status.DONE:
        return DeviceError("invalid_grant", "This device code is not known, or was used.")
    now = timezone.now()
    if sign_in.expires_at <= now:
        return DeviceError("expired_token", "The time is up. Start the sign-in again.")
    if sign_in.status == Status.DENIED:
        return DeviceError("access_denied", "The sign-in was denied.")
    if sign_in.status == Status.APPROVED:
        return None
    last, sign_in.last_polled_at = sign_in.last_polled_at, now
    sign_in.save(update_fields=["last_polled_at"])
    # A second of grace: clients wait for the interval by clocks of their own.
    if last is not None and now - last < timedelta(seconds=INTERVAL - 1):
        return DeviceError("slow_down", f"Poll every {INTERVAL} seconds at most.")
    return DeviceError("authorization_pending", "The sign-in was not approved yet.")


def _hand_out(sign_in: DeviceSignIn, address: str) -> str:
    # Locked: of two devices that fetch in the same minute the second finds another name.
    user = User.objects.select_for_update().filter(pk=sign_in.user_id or 0, is_active=True).first()
    if user is None:
        raise DeviceError("access_denied", "The account is not active.")
    by = Actor(user=user, entrance=Entrance.API, address=address)
    _, secret = tokens.create(user=user, name=_free_name(user), role=sign_in.role, by=by)
    sign_in.status = Status.DONE
    sign_in.save(update_fields=["status"])
    return secret


@receiver(account_closed, dispatch_uid="access.device")
def _end_of(sender: Any, *, user: User, **_: Any) -> None:
    """What a closed account approved brings no token, also not once it is open again."""
    DeviceSignIn.objects.filter(user=user, status=Status.APPROVED).update(status=Status.DENIED)


def _free_name(user: User) -> str:
    """Names are unique per person, and clients keep their tokens by name."""
    name = f"hf auth login {timezone.now():%Y-%m-%d %H:%M}"
    taken = set(user.access_tokens.filter(name__startswith=name).values_list("name", flat=True))
    return next(one for one in [name, *(f"{name} ({n})" for n in range(2, len(taken) + 3))] if one not in taken)
