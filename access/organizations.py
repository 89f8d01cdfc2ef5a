"""What an admin does with an organization: lock, ask the policy, change, audit.

The policy is asked under the lock: whoever was demoted a moment ago is refused, however early their request was sent.
Operators, who need nobody's leave, call `accounts.services` themselves.
"""

from __future__ import annotations

from django.db import transaction
from django.db.models import QuerySet

from access import policy
from accounts import services as accounts
from accounts.actor import Actor
from accounts.errors import BadRequest, Conflict, NotFound
from accounts.models import AuditEvent, Membership, Namespace, Organization, User
from repos.models import Repo

_MOST_NAMED = 5


class AlreadyMember(Conflict):
    """Whoever is a member is not added, but given another role."""


class RoleHasChanged(Conflict):
    """The member does not have the role any more that the admin saw."""


class HasRepos(Conflict):
    """An organization is deleted last, when nothing is in it."""


def _lock(organization: Organization, *, by: Actor) -> Organization:
    """The organization, locked, for an actor who may administer it now."""
    locked = Organization.objects.select_for_update().filter(pk=organization.pk).first()
    if locked is None:
        raise NotFound("Organization not found", user_message="This organization was deleted meanwhile.")
    policy.require_administer(by, locked)
    return locked


def _membership(organization: Organization, user: User) -> Membership | None:
    return Membership.objects.filter(organization=organization, user=user).first()


@transaction.atomic
def add_member(*, organization: Organization, user: User, role: str, by: Actor) -> Membership:
    """Make a person a member.  Raises NotAllowed, AlreadyMember, NotFound for a deactivated account, BadRequest."""
    organization = _lock(organization, by=by)
    if not user.is_active:  # As everywhere: who cannot sign in is not there.
        raise NotFound("User not found", user_message=f"The account of {user.username} is closed.")
    found = _membership(organization, user)
    if found is not None:
        raise AlreadyMember(
            f"{user.username} is a member already, with the role {found.role}.",
            next_step="Change the role in the list of members.",
        )
    return accounts.set_role(organization=organization, user=user, role=role, by=by)


@transaction.atomic
def change_role(*, organization: Organization, user: User, role: str, by: Actor, expected: str = "") -> Membership:
    """Give a member another role.  `expected` is the one that the admin saw, where it matters.

    Raises NotAllowed, NotFound for whoever is no member (any more), RoleHasChanged, LastAdmin, BadRequest.
    """
    organization = _lock(organization, by=by)
    found = _membership(organization, user)
    if found is None:
        raise NotFound(f"{user.username} is not a member of {organization.name}.")
    if expected and found.role not in (expected, role):
        raise RoleHasChanged(
            f"Somebody else has changed the role of {user.username} meanwhile: it is {found.role} now.",
            next_step="Nothing was changed.",
        )
    return accounts.set_role(organization=organization, user=user, role=role, by=by)


@transaction.atomic
def remove_member(*, organization: Organization, user: User, by: Actor) -> None:
    """End a membership.  Whoever leaves of their own will needs no admin: that is `accounts.remove_member` alone.

    Raises NotAllowed, NotFound, LastAdmin.
    """
    accounts.remove_member(organization=_lock(organization, by=by), user=user, by=by)


@transaction.atomic
def change_fullname(*, organization: Organization, fullname: str, by: Actor) -> Organization:
    """Raises NotAllowed, or InvalidFields."""
    return accounts.change_fullname(organization=_lock(organization, by=by), fullname=fullname, by=by)


def repos_of(organization: Organization) -> QuerySet[Repo]:
    """All of them, hidden or not: for those who may administer it."""
    repos = Repo.objects.filter(namespace__organization=organization)
    return repos.select_related("namespace").order_by("type", "name")


@transaction.atomic
def delete(*, organization: Organization, confirmation: str, by: Actor) -> None:
    """Delete an organization that has no repos left.  Its name is free then.

    `confirmation` is its name, as the admin typed it.  Raises NotAllowed, BadRequest, or HasRepos.
    """
    organization = _lock(organization, by=by)
    name = organization.name
    if confirmation != name:
        raise BadRequest(f"Type {name} to confirm that it is to be deleted. Nothing was deleted.")
    namespace = Namespace.objects.select_for_update().get(organization=organization)  # No repo comes in meanwhile.
    left = [repo.path.removeprefix("/") for repo in repos_of(organization)[: _MOST_NAMED + 1]]
    if left:
        named = ", ".join(left[:_MOST_NAMED]) + (" and more" if len(left) > _MOST_NAMED else "")
        raise HasRepos(f"{name} still has repositories: {named}.", next_step="Move or delete them first.")
    members = dict(organization.memberships.order_by("pk").values_list("user__username", "role"))
    before = {"fullname": organization.fullname, "members": members}
    AuditEvent.record(by=by, verb="organization:delete", target=name, before=before)
    namespace.delete()
    organization.delete()
