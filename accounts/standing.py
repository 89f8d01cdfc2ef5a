"""Closing and opening accounts, and who may do what in the admin: check, lock, guard, change, audit."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib.auth.models import Group, Permission
from django.db import transaction
from django.db.models import Q

from accounts import services
from accounts.actor import Actor
from accounts.errors import Conflict, NotAllowed
from accounts.models import AuditEvent, User
from accounts.signals import account_closed


class LastSuperuser(Conflict):
    """A server keeps a superuser who can sign in."""

    default_message = "This is the last superuser. Make another one first: the server keeps at least one."


@transaction.atomic
def deactivate(user: User, *, by: Actor) -> User:
    """Close the account.  From the next request on its sessions are shut, and its tokens refused.

    Sessions and device sign-ins end for good; tokens work again once the account is opened again.  Raises NotAllowed,
    Conflict when it is closed already, or when somebody closes their own, or LastSuperuser.
    """
    locked = _lock(user)
    _require_right(locked, by)
    if locked.pk == by.user_id:
        raise Conflict("Nobody closes their own account: ask another member of the staff.")
    if not locked.is_active:
        raise Conflict(f"The account of {locked.username} is closed already.")
    if locked.is_superuser:
        _keep_a_superuser(locked)
    _set_active(locked, False, by)
    services.end_sessions(locked, by=by)
    account_closed.send(User, user=locked, by=by)
    return locked


@transaction.atomic
def reactivate(user: User, *, by: Actor) -> User:
    """Open the account again.  Raises NotAllowed, or Conflict when it is open."""
    locked = _lock(user)
    _require_right(locked, by)
    if locked.is_active:
        raise Conflict(f"The account of {locked.username} is open.")
    _set_active(locked, True, by)
    return locked


@transaction.atomic
def set_rights(
    user: User,
    *,
    by: Actor,
    is_staff: bool,
    is_superuser: bool,
    groups: Iterable[Group] | None = None,
    permissions: Iterable[Permission] | None = None,
) -> User:
    """Say what the person may do in the admin.  `groups` and `permissions` that are None stay.

    Raises NotAllowed unless `by` is a superuser, or LastSuperuser.
    """
    locked = _lock(user)
    if not _acts_as_superuser(by):
        raise NotAllowed("Only superusers say who may do what in the admin.")
    if locked.is_superuser and locked.is_active and not is_superuser:
        _keep_a_superuser(locked)
    before = _rights_of(locked)
    locked.is_staff, locked.is_superuser = is_staff or is_superuser, is_superuser
    locked.save(update_fields=["is_staff", "is_superuser"])
    if groups is not None:
        locked.groups.set(groups)
    if permissions is not None:
        locked.user_permissions.set(permissions)
    after = _rights_of(locked)
    if before != after:
        AuditEvent.record(by=by, verb="user:rights", target=locked.username, before=before, after=after)
    return locked


def may_be_closed_by(user: User, by: User) -> bool:
    """Whether `by` has the right to close and open this account.  Accounts of staff are for superusers."""
    if not by.is_active:
        return False
    return by.is_superuser or (
        not user.is_staff and not user.is_superuser and by.is_staff and by.has_perm("accounts.change_user")
    )


def _lock(user: User) -> User:
    """The person, with all superusers: of two who close each other's accounts, the second finds theirs closed."""
    rows = User.objects.filter(Q(pk=user.pk) | Q(is_superuser=True)).order_by("pk").select_for_update()
    return next(row for row in rows if row.pk == user.pk)


def _require_right(user: User, by: Actor) -> None:
    acting = _acting(by)
    if acting is not None and not may_be_closed_by(user, acting):
        raise NotAllowed(f"You do not have the rights to close or open the account of {user.username}.")


def _acts_as_superuser(by: Actor) -> bool:
    acting = _acting(by)
    return acting is None or (acting.is_active and acting.is_superuser)


def _acting(by: Actor) -> User | None:
    """The person who acts, as they are now; None for the operator at the command line."""
    return None if by.user is None else User.objects.get(pk=by.user.pk)


def _keep_a_superuser(leaving: User) -> None:
    if not User.objects.filter(is_superuser=True, is_active=True).exclude(pk=leaving.pk).exists():
        raise LastSuperuser


def _set_active(locked: User, is_active: bool, by: Actor) -> None:
    locked.is_active = is_active
    locked.save(update_fields=["is_active"])
    verb = "user:reactivate" if is_active else "user:deactivate"
    AuditEvent.record(
        by=by, verb=verb, target=locked.username, before={"is_active": not is_active}, after={"is_active": is_active}
    )


def _rights_of(user: User) -> dict[str, Any]:
    permissions = user.user_permissions.select_related("content_type")
    return {
        "is_staff": user.is_staff,
        "is_superuser": user.is_superuser,
        "groups": sorted(user.groups.values_list("name", flat=True)),
        "permissions": sorted(f"{one.content_type.app_label}.{one.codename}" for one in permissions),
    }
