"""Look-up and access check as one call."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.db.models import Q, QuerySet, Sum
from django.db.models.functions import Lower

from access import people, policy, refusals, tokens
from access.models import AccessRequest
from access.policy import Action
from accounts.actor import Actor
from accounts.compiled import columns_of, rows
from accounts.models import Membership, Namespace, Organization, User
from repos.errors import RepoMoved
from repos.models import Repo, RepoQuerySet, RepoRedirect


def find_repo(actor: Actor, action: Action, type_: str, namespace: str, name: str) -> Repo:
    """The repo of that id, if the actor may do `action` to it.

    Raises what `policy.explain` says; RepoNotFound alike for a missing and for a hidden repo; RepoMoved for an id
    that the repo had before, if the actor may see where it is now.
    """
    return find_repo_judged(actor, action, (), type_, namespace, name)[0]


def find_repo_judged(
    actor: Actor, action: Action, also: Iterable[Action], type_: str, namespace: str, name: str
) -> tuple[Repo, frozenset[Action]]:
    """As `find_repo`; and those of `also` that the actor may do to it."""
    if not (_storable(namespace) and _storable(name)):
        raise refusals.hidden(actor)
    repo_id = {"type_": str(type_), "namespace": namespace.lower(), "name": name.lower()}
    found: list[tuple[Repo, frozenset[Action]]] = policy.find_judged(actor, action, also, _with_id, **repo_id)
    if found:
        return found[0]
    known = _with_id(**repo_id).first()
    if known is not None:
        raise policy.explain(actor, action, known)
    moved = (
        RepoRedirect.objects.alias(namespace_lower=Lower("namespace__name"), name_lower=Lower("name"))
        .filter(type=type_, namespace_lower=namespace.lower(), name_lower=name.lower())
        .select_related("repo__namespace")
        .first()
    )
    if moved is not None and policy.may(actor, Action.CARD_VIEW, moved.repo):
        raise RepoMoved(old_id=f"{namespace}/{name}", new_id=moved.repo.repo_id)
    raise refusals.hidden(actor)


class RepoFiles(NamedTuple):
    """What is looked at of a repo to hand out its files: columns, in the order of the model."""

    id: int
    type: str
    namespace_id: int
    name: str
    storage_id: str

    @property
    def repo(self) -> Repo:
        """Django fetches the rest, if anybody asks for it."""
        return Repo.from_db(None, _FILES, self)


_FILES = columns_of(Repo, *RepoFiles._fields)


def find_files(secret: str, address: str, type_: str, namespace: str, name: str) -> RepoFiles | None:
    """The repo of that id, with what its files need and no more, if whoever shows the token may read them.

    Raises as `tokens.authenticate` does.  None says nothing about why: `find_repo` does.
    """
    if not (_storable(namespace) and _storable(name)):
        return None
    repo_id = {"type_": type_, "namespace": namespace.lower(), "name": name.lower()}
    found = tokens.find(secret, address, Action.FILES_READ, _files_with_id, **repo_id)
    return RepoFiles._make(found[0]) if found else None


def _files_with_id(type_: str, namespace: str, name: str) -> QuerySet[Repo, Any]:
    return Repo.objects.with_id(type_, namespace, name).values_list(*_FILES)


def _with_id(type_: str, namespace: str, name: str) -> RepoQuerySet:
    return Repo.objects.with_id(type_, namespace, name).select_related("namespace", "gate_form")


def visible_repos(actor: Actor, type_: str | None = None) -> RepoQuerySet:
    """All repos that the actor may know of."""
    repos = Repo.objects.filter(policy.permitted(actor, Action.CARD_VIEW)).select_related("namespace")
    return repos if type_ is None else repos.filter(type=type_)


def repos_with_waiting_requests(actor: Actor) -> QuerySet[Repo]:
    """The gated repos whose requests the actor may review and some of which wait; `waiting` says how many."""
    if actor.user is None:
        return Repo.objects.none()
    # Whoever may review belongs to the namespace.  Said first, since the rule alone would be tried on every repo.
    mine = Namespace.objects.of_person(actor.user_id, Membership.objects.all())
    repos = Repo.objects.exclude(gated=Repo.Gated.NO).filter(
        policy.permitted(actor, Action.REQUESTS_REVIEW), namespace__in=mine.values("pk")
    )
    return (
        repos.annotate(waiting=Sum("request_tallies__pending"))
        .filter(waiting__gt=0)
        .select_related("namespace")
        .order_by("-waiting", "pk")
    )


def visible_ids(actor: Actor, wanted: Sequence[tuple[str, str]]) -> set[tuple[str, str]]:
    """Those of the types and repo ids that the actor may know of, the ids in lower case."""
    known = Q()
    for type_, repo_id in wanted:
        namespace, _, name = repo_id.lower().partition("/")
        if name and _storable(repo_id):
            known |= Q(type=type_, namespace_lower=namespace, name_lower=name)
    if not known:
        return set()
    repos = visible_repos(actor).alias(namespace_lower=Lower("namespace__name"), name_lower=Lower("name"))
    return {(repo.type, repo.repo_id.lower()) for repo in repos.filter(known)}


def find_namespace(name: str) -> Namespace | None:
    if not _storable(name):
        return None
    return Namespace.objects.named(name).select_related("user", "organization").first()


PEOPLE = 8
Status = AccessRequest.Status


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who could be given something: access, a role.

    `status` is where they stand already, "" for nowhere; `settled` says that there is nothing left to give.
    """

    username: str
    fullname: str
    status: str
    settled: bool


@dataclass(frozen=True, slots=True)
class People:
    """The first PEOPLE of whoever is meant; `more` says that there are others."""

    shown: list[Person]
    more: bool


def people_to_grant(repo: Repo, text: str) -> People:
    """Who could be given access, by a part of their names; `status` is that of their request."""
    users, more = _named_like(text)
    if not users:
        return People([], more=False)
    statuses = dict(AccessRequest.objects.filter(repo=repo, user__in=users).values_list("user", "status"))
    given = [(user, statuses.get(user.pk, "")) for user in users]
    shown = [Person(user.username, user.fullname, status, status == Status.ACCEPTED) for user, status in given]
    return People(shown, more)


def people_to_add(organization: Organization, text: str) -> People:
    """Who could be made a member, by a part of their names; `status` is their role."""
    users, more = _named_like(text)
    roles = dict(Membership.objects.filter(organization=organization, user__in=users).values_list("user", "role"))
    given = [(user, roles.get(user.pk, "")) for user in users]
    return People([Person(user.username, user.fullname, role, bool(role)) for user, role in given], more)


def _named_like(text: str) -> tuple[list[User], bool]:
    found = people.named_like(text, PEOPLE + 1)
    return found[:PEOPLE], len(found) > PEOPLE


def _storable(name: str) -> bool:
    """Whether a database can be asked for it: PostgreSQL knows no NUL, and fails."""
    return "\0" not in name


def request_of(actor: Actor, repo: Repo) -> AccessRequest | None:
    """The actor's own request for the repo."""
    if actor.user_id is None:
        return None
    found: list[AccessRequest] = rows(_request_of, repo=repo.pk, user=actor.user_id)
    return found[0] if found else None


def _request_of(repo: int, user: int) -> QuerySet[AccessRequest]:
    return AccessRequest.objects.filter(repo=repo, user=user)
