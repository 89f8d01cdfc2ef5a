"""The namespaces that a person may choose among."""

from __future__ import annotations

from typing import Any

from django.db.models import F, QuerySet

from access import policy, selectors
from accounts.actor import Actor
from accounts.compiled import Build, keys_as_text, rows
from accounts.errors import BadRequest
from accounts.models import Membership, Namespace


def creatable_namespaces(actor: Actor, with_: Namespace | None = None) -> list[str]:
    """Names of the namespaces to offer where a repo is created or moved, the actor's own first; and of `with_`.

    An offer only: `namespace_to_create_in` asks the policy.
    """
    names = _own(actor, _creating)
    return names if with_ is None or with_.name in names else [with_.name, *names]


def own_namespaces(actor: Actor) -> list[str]:
    """Names of the actor's own namespace and of every organization that they are a member of, whatever the role."""
    return _own(actor, _all)


def _own(actor: Actor, organizations: Build) -> list[str]:
    if actor.user_id is None:
        return []
    return rows(_names, user=actor.user_id, organizations=keys_as_text(rows(organizations, user=actor.user_id)))


def _names(user: int, organizations: str) -> QuerySet[Namespace, Any]:
    own = Namespace.objects.of_person_or(organizations, user)
    return own.order_by(F("user").desc(nulls_last=True), "name").values_list("name", flat=True)


def _all(user: int) -> QuerySet[Membership, Any]:
    return Membership.objects.filter(user=user).values_list("organization", flat=True)


def _creating(user: int) -> QuerySet[Membership, Any]:
    return _all(user).filter(role__in=policy.CREATING_ROLES)


def named_namespace(name: str) -> Namespace:
    """The namespace of that name.  Raises BadRequest."""
    namespace = selectors.find_namespace(name)
    if namespace is None:
        raise BadRequest(f"There is no user or organization {name!r}.")
    return namespace


def namespace_to_create_in(actor: Actor, name: str) -> Namespace:
    """The namespace of that name, if the actor may create repos in it.  Raises BadRequest, or what the policy says."""
    namespace = named_namespace(name)
    policy.require_create_in(actor, namespace)
    return namespace
