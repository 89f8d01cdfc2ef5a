"""Look-up and access check as one call."""

from __future__ import annotations

from django.db.models import QuerySet
from django.db.models.functions import Lower

from access import policy
from access.models import AccessRequest
from access.policy import Action
from accounts.actor import Actor
from accounts.models import Namespace
from repos.errors import RepoMoved
from repos.models import Repo, RepoRedirect


def find_repo(actor: Actor, action: Action, type_: str, namespace: str, name: str) -> Repo:
    """The repo of that id, if the actor may do `action` to it.

    Raises what `policy.explain` says; RepoNotFound alike for a missing and for a hidden repo; RepoMoved for an id
    that the repo had before, if the actor may see where it is now.
    """
    if not (_storable(namespace) and _storable(name)):
        raise policy.hidden(actor)
    repos = Repo.objects.with_id(type_, namespace, name).select_related("namespace", "gate_form")
    repo = repos.filter(policy.permitted(actor, action)).first()
    if repo is not None:
        return repo
    known = repos.first()
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
    raise policy.hidden(actor)


def visible_repos(actor: Actor, type_: str | None = None) -> QuerySet[Repo]:
    """All repos that the actor may know of."""
    repos = Repo.objects.filter(policy.permitted(actor, Action.CARD_VIEW)).select_related("namespace")
    return repos if type_ is None else repos.filter(type=type_)


def find_namespace(name: str) -> Namespace | None:
    if not _storable(name):
        return None
    return Namespace.objects.named(name).select_related("user", "organization").first()


def _storable(name: str) -> bool:
    """Whether a database can be asked for it: PostgreSQL knows no NUL, and fails."""
    return "\0" not in name


def request_of(actor: Actor, repo: Repo) -> AccessRequest | None:
    """The actor's own request for the repo."""
    if actor.user is None:
        return None
    return AccessRequest.objects.filter(repo=repo, user=actor.user_id).first()
