"""Second factors: their trail, and what an operator does for whoever has lost theirs."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import get_adapter
from allauth.core import context
from allauth.mfa.models import Authenticator
from django.db import transaction
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver

from accounts import services
from accounts.actor import SYSTEM, Actor, Entrance
from accounts.errors import Conflict
from accounts.models import AuditEvent, User
from gatehub.authentication import actor_of


@transaction.atomic
def reset(user: User, *, by: Actor) -> int:
    """Take all second factors from the person, who signs in with the password alone until they add new ones.

    Ends their sessions, since the lost one may be signed in; tells them by mail.  Says how many factors there were,
    recovery codes included.  Raises Conflict when there are none.
    """
    locked = User.objects.select_for_update().get(pk=user.pk)
    factors = list(Authenticator.objects.filter(user=locked))
    if not factors:
        raise Conflict(f"{locked.username} has no second factor.")
    for factor in factors:
        factor.delete()
    services.end_sessions(locked, by=by)
    AuditEvent.record(by=by, verb="second_factor:reset", target=locked.username, before=[one.type for one in factors])
    get_adapter().send_notification_mail("mfa/email/second_factor_reset", locked)
    return len(factors)


@receiver(post_save, sender=Authenticator, dispatch_uid="gatehub.second_factors.added")
def _added(instance: Authenticator, created: bool, **_: Any) -> None:
    if created:
        AuditEvent.record(by=_who(), verb="second_factor:added", target=instance.user.username, after=instance.type)


@receiver(post_delete, sender=Authenticator, dispatch_uid="gatehub.second_factors.removed")
def _removed(instance: Authenticator, **_: Any) -> None:
    AuditEvent.record(by=_who(), verb="second_factor:removed", target=instance.user.username, before=instance.type)


def _who() -> Actor:
    """Who is at it: django-allauth's flows do not say."""
    return SYSTEM if context.request is None else actor_of(context.request, Entrance.PAGE)
