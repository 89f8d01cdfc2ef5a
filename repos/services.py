"""Changes to repos themselves: create, settings, move, delete.  Who may is asked before, by `access.policy`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models.functions import Lower

from accounts import names
from accounts.actor import Actor
from accounts.errors import Conflict, InvalidFields, NotFound
from accounts.models import AuditEvent, Namespace
from accounts.texts import can_be_shown
from repos import content, notification_address
from repos.models import Repo, RepoRedirect


class AlreadyDisabled(Conflict):
    """Staff have disabled the repo before, for the same reason."""


class NotDisabled(Conflict):
    """There is nothing to enable."""


class RepoExists(Conflict):
    """A repo of that id exists.  `extra["url"]` must be filled by the caller: clients read it."""


def _exists(type_: str, namespace: Namespace, name: str) -> RepoExists:
    return RepoExists(
        f"You already created this {type_} repo",
        user_message=f"There is a {type_} {namespace.name}/{name} already. Choose another name.",
    )


@transaction.atomic
def create_repo(*, type_: str, namespace: Namespace, name: str, private: bool, by: Actor) -> Repo:
    """Create a repo with its first commit.  Raises InvalidName, RepoExists, or NotFound without the namespace."""
    names.clean_repo_name(namespace.name, name)
    _keep(namespace)
    if Repo.objects.with_id(type_, namespace.name, name).exists():
        raise _exists(type_, namespace, name)
    try:
        with transaction.atomic():
            repo = Repo.objects.create(type=type_, namespace=namespace, name=name, private=private, created_by=by.user)
    except IntegrityError:
        raise _exists(type_, namespace, name) from None
    _redirects(type_, namespace, name).delete()
    after = {"type": type_, "private": private}
    AuditEvent.record(by=by, verb="repo:create", target=str(repo), repo=repo.pk, after=after)
    content.create_storage(repo, by=by)
    return repo


def _keep(namespace: Namespace) -> None:
    """Keep the namespace from being deleted until the transaction, which puts a repo into it, ends."""
    if Namespace.objects.select_for_update(no_key=True).filter(pk=namespace.pk).first() is None:
        raise NotFound(f"There is no user or organization {namespace.name!r}.")


def _redirects(type_: str, namespace: Namespace, name: str) -> Any:
    return RepoRedirect.objects.alias(name_lower=Lower("name")).filter(
        type=type_, namespace=namespace, name_lower=name.lower()
    )


_IGNORED = frozenset({"xetEnabled", "discussionsDisabled", "discussionsSorting"})
"""Settings of the public hub that mean nothing here; clients send them among others."""


def _flag(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    raise ValueError("must be true or false")


def _one_of(values: Mapping[Any, Any], says: str) -> Callable[[Any], Any]:
    def read(value: Any) -> Any:
        if isinstance(value, str | bool) and value in values:
            return values[value]
        raise ValueError(says)

    return read


_SETTINGS: dict[str, tuple[str, Callable[[Any], Any]]] = {
    # The Hub's name of a setting: our column, and how its value is read.
    "private": ("private", _flag),
    "visibility": ("private", _one_of({"public": False, "private": True}, "must be public or private")),
    "gated": (
        "gated",
        _one_of(
            {False: Repo.Gated.NO, "auto": Repo.Gated.AUTO, "manual": Repo.Gated.MANUAL},
            'must be false, "auto" or "manual"',
        ),
    ),
    "orgMembersGated": ("org_members_gated", _flag),
    "gatedNotificationsMode": (
        "gated_notifications_mode",
        _one_of({mode.value: mode for mode in Repo.NotificationsMode}, 'must be "bulk" or "real-time"'),
    ),
    "gatedNotificationsEmail": ("gated_notifications_email", notification_address.clean),
}


def clean_settings(given: Mapping[str, Any]) -> dict[str, Any]:
    """Settings as the Hub's API spells them, as columns and values.

    Raises InvalidFields naming each setting that is unknown or has a value that is not one of its values: the gate
    must never be changed by what nobody understood.
    """
    values: dict[str, Any] = {}
    problems: dict[str, str] = {}
    for name in [name for name in given if name not in _IGNORED]:
        if name not in _SETTINGS:
            problems[name] = "is not a setting of a repository"
            continue
        column, read = _SETTINGS[name]
        try:
            value = read(given[name])
        except ValueError as error:
            problems[name] = str(error)
            continue
        if values.setdefault(column, value) != value:
            problems[name] = "contradicts another setting of the same request"
    if problems:
        raise InvalidFields(problems)
    return values


@transaction.atomic
def change_settings(repo: Repo, given: Mapping[str, Any], *, by: Actor, seen: Mapping[str, Any] | None = None) -> Repo:
    """Change the settings that are named, spelled as in the Hub's API; the others stay.

    With `seen`, what the caller was shown before, only what differs from it is changed: a page that was opened before
    somebody shut the gate must not open it again.  Raises InvalidFields for what both have changed.

    Turning the gate off keeps the requests; turning it on again restores them.  A new notification address is not used
    before its reader agrees, unless it is the owner's own: see `repos.notification_address`.
    """
    values = clean_settings(given)
    locked = Repo.objects.select_for_update(of=("self",)).select_related("namespace", "gate_form").get(pk=repo.pk)
    if seen is not None:
        values = _differing(locked, values, clean_settings(seen))
    before = {column: getattr(locked, column) for column in values}
    if before == values:
        return locked
    for column, value in values.items():
        setattr(locked, column, value)
    address = "gated_notifications_email"
    if values.get(address) == before.get(address):
        locked.save(update_fields=list(values))
    else:
        notification_address.set_anew(locked, by=by)
        locked.save(update_fields={*values, *notification_address.COLUMNS})
        notification_address.ask(locked, by=by)
    AuditEvent.record(by=by, verb="repo:settings", target=str(locked), repo=locked.pk, before=before, after=values)
    return locked


def _differing(repo: Repo, values: Mapping[str, Any], seen: Mapping[str, Any]) -> dict[str, Any]:
    """The columns of `values` that are other than `seen`."""
    wanted = {column: value for column, value in values.items() if column not in seen or value != seen[column]}
    problems = {}
    for name, (column, _) in _SETTINGS.items():
        if column in wanted and column in seen:
            now = getattr(repo, column)
            if now not in (seen[column], wanted[column]):
                is_now = ("on" if now else "off") if isinstance(now, bool) else now or "empty"
                problems[name] = f"was changed by somebody else meanwhile and is {is_now} now: look, and save again"
    if problems:
        raise InvalidFields(problems)
    return wanted


@transaction.atomic
def move_repo(repo: Repo, *, namespace: Namespace, name: str, by: Actor) -> Repo:
    """Give a repo a new id.  The old id redirects; requests, grants and tokens stay.

    Who agreed to get the notifications of one owner did not agree to get another's, so in a new namespace the
    notification address must be confirmed anew, unless it is the new owner's own.

    Raises InvalidName, RepoExists, or NotFound for a namespace that is gone.
    """
    names.clean_repo_name(namespace.name, name)
    _keep(namespace)
    locked = Repo.objects.select_for_update(of=("self",)).select_related("namespace").get(pk=repo.pk)
    old_id, old_namespace, old_name = locked.repo_id, locked.namespace, locked.name
    taken = Repo.objects.with_id(locked.type, namespace.name, name).exclude(pk=locked.pk)
    if taken.exists():
        raise RepoExists(f"There is a {locked.type} {namespace.name}/{name} already.")
    if old_id == f"{namespace.name}/{name}":
        return locked
    locked.namespace, locked.name = namespace, name
    try:
        with transaction.atomic():
            locked.save(update_fields=["namespace", "name"])
    except IntegrityError:
        raise RepoExists(f"There is a {locked.type} {namespace.name}/{name} already.") from None
    if old_namespace != namespace:
        notification_address.set_anew(locked, by=by)
        locked.save(update_fields=notification_address.COLUMNS)
        notification_address.ask(locked, by=by)
    _redirects(locked.type, namespace, name).delete()
    if old_id.lower() != locked.repo_id.lower():
        RepoRedirect.objects.create(type=locked.type, namespace=old_namespace, name=old_name, repo=locked)
    AuditEvent.record(
        by=by, verb="repo:move", target=locked.repo_id, repo=locked.pk, before=old_id, after=locked.repo_id
    )
    return locked


@transaction.atomic
def delete_repo(repo: Repo, *, by: Actor) -> None:
    """Delete a repo with its requests and objects.  Its bytes go once the deletion is certain."""
    locked = Repo.objects.select_for_update(of=("self",)).select_related("namespace").get(pk=repo.pk)
    before = {"type": locked.type, "private": locked.private, "gated": locked.gated, "head": locked.head_sha}
    AuditEvent.record(by=by, verb="repo:delete", target=locked.repo_id, repo=locked.pk, before=before)
    doomed = Repo(pk=locked.pk, storage_id=locked.storage_id)
    locked.delete()
    transaction.on_commit(lambda: content.delete_storage(doomed))


def clean_reason(given: str) -> str:
    """Why staff disable a repo, in one line; "" for no word about it.  Raises InvalidFields naming `reason`."""
    reason = " ".join(given.split())
    most = Repo._meta.get_field("disabled_reason").max_length or 0
    if len(reason) > most or not can_be_shown(reason):
        raise InvalidFields({"reason": f"must have at most {most} printable characters"})
    return reason


@transaction.atomic
def disable(repo: Repo, *, by: Actor, reason: str = "") -> Repo:
    """Refuse its contents to everybody, its owners too, until staff enable it again.

    `reason` is shown to those who manage it; disabling it once more gives another reason.  Raises InvalidFields, or
    AlreadyDisabled where nothing would change.
    """
    reason = clean_reason(reason)
    locked = Repo.objects.select_for_update(of=("self",)).select_related("namespace").get(pk=repo.pk)
    before = {"disabled": locked.disabled, "reason": locked.disabled_reason}
    if before == {"disabled": True, "reason": reason}:
        raise AlreadyDisabled(f"{locked.repo_id} is disabled already.")
    locked.disabled, locked.disabled_reason = True, reason
    locked.save(update_fields=["disabled", "disabled_reason"])
    after = {"disabled": True, "reason": reason}
    AuditEvent.record(by=by, verb="repo:disable", target=str(locked), repo=locked.pk, before=before, after=after)
    return locked


@transaction.atomic
def enable(repo: Repo, *, by: Actor) -> Repo:
    """Give its contents out again, to whom its gate lets in.  Raises NotDisabled."""
    locked = Repo.objects.select_for_update(of=("self",)).select_related("namespace").get(pk=repo.pk)
    if not locked.disabled:
        raise NotDisabled(f"{locked.repo_id} is not disabled.")
    before = {"disabled": True, "reason": locked.disabled_reason}
    locked.disabled, locked.disabled_reason = False, ""
    locked.save(update_fields=["disabled", "disabled_reason"])
    after = {"disabled": False}
    AuditEvent.record(by=by, verb="repo:enable", target=str(locked), repo=locked.pk, before=before, after=after)
    return locked
