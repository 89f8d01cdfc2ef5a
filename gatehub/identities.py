"""Accounts at identity providers that let a person in here: connected and removed, with their trail and mails."""

from __future__ import annotations

from allauth.account.adapter import get_adapter
from allauth.socialaccount.adapter import get_adapter as get_social_adapter
from allauth.socialaccount.models import SocialAccount
from django.db import IntegrityError, transaction

from accounts.actor import Actor
from accounts.errors import Conflict, NotFound
from accounts.models import AuditEvent, User


class ConnectedElsewhere(Conflict):
    """The identity lets somebody else in."""


class LastWayIn(Conflict):
    """Without it the person could not sign in any more."""


@transaction.atomic
def connect(user: User, identity: SocialAccount, *, provider: str, by: Actor) -> SocialAccount:
    """Let the owner of the identity, not saved yet, in as this person, and tell them by mail.

    `provider` is what people call it.  Raises ConnectedElsewhere.
    """
    locked = User.objects.select_for_update().get(pk=user.pk)
    identity.user = locked
    try:
        with transaction.atomic():
            identity.save(force_insert=True)
    except IntegrityError:
        raise ConnectedElsewhere(
            f"That account at {provider} is connected to another account here.",
            next_step="Sign in with it and remove it there first, or use another one.",
        ) from None
    record_connected(locked, identity, by=by)
    context = {"provider": provider, "known_as": known_as(identity)}
    get_adapter().send_notification_mail("socialaccount/email/account_connected", locked, context)
    return identity


def record_connected(user: User, identity: SocialAccount, *, by: Actor) -> None:
    AuditEvent.record(by=by, verb="identity:connected", target=user.username, after=_told(identity))


@transaction.atomic
def disconnect(user: User, key: int, *, provider: str, by: Actor) -> None:
    """Let the owner of the identity in no more.  Raises NotFound, or LastWayIn.

    Where a provider is not offered any more, what is connected there is no way in.
    """
    locked = User.objects.select_for_update().get(pk=user.pk)
    mine = SocialAccount.objects.filter(user=locked)
    identity = mine.filter(pk=key).first()
    if identity is None:
        raise NotFound("That account is not connected, or not any more.")
    offered = {app.provider_id for app in get_social_adapter().list_apps(None)}
    is_way_in = identity.provider in offered and not locked.has_usable_password()
    if is_way_in and not mine.filter(provider__in=offered).exclude(pk=key).exists():
        raise LastWayIn(
            "It is your only way in: your account here has no password.",
            next_step="Set a password first: {url}",
            help_path="/settings/password/set",
        )
    context = {"provider": provider, "known_as": known_as(identity)}
    told = _told(identity)
    identity.delete()
    AuditEvent.record(by=by, verb="identity:removed", target=locked.username, before=told)
    get_adapter().send_notification_mail("socialaccount/email/account_disconnected", locked, context)


def known_as(identity: SocialAccount) -> str:
    """What its owner knows it by; empty where the provider did not say."""
    said = identity.extra_data if isinstance(identity.extra_data, dict) else {}
    return str(said.get("email") or said.get("username") or said.get("name") or "")


def _told(identity: SocialAccount) -> dict[str, str]:
    return {"provider": identity.provider, "known_as": known_as(identity)}
