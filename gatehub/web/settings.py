"""A repo's settings page: its gate, its address, its end.  The review on the same page is in `review`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from access import policy
from access import services as access
from access.policy import Action
from access.services import form_spec
from accounts.actor import Actor
from accounts.errors import HubError, InvalidFields
from gatehub.web import history, review, review_lists
from gatehub.web.base import (
    FORM,
    SHOW,
    attempt,
    find_repo,
    find_repo_judged,
    in_words,
    is_partial,
    only,
    render_private,
    signed_in,
)
from gatehub.web.form_version import form_in_force
from gatehub.web.gate import preview_of
from gatehub.web.namespaces import creatable_namespaces, named_namespace
from gatehub.web.repo import header
from repos import notification_address, services
from repos.models import ConfirmationMail, Repo
from repos.notification_address import State


@signed_in
@only(*SHOW)
def page(request: HttpRequest, **where: str) -> HttpResponse:
    """`/{repo_id}/settings`"""
    actor, repo, may = find_repo_judged(request, Action.SETTINGS_CHANGE, [Action.FILES_WRITE], where)
    if is_partial(request) and request.headers.get("HX-Target") == "requests":
        return review.section(request, repo)
    return _render(request, actor, repo, can_write=Action.FILES_WRITE in may)


def _render(
    request: HttpRequest,
    actor: Actor,
    repo: Repo,
    *,
    can_write: bool | None = None,
    problems: dict[str, str] | None = None,
    status: int = 200,
) -> HttpResponse:
    """The page; `problems` by the name of a setting or of a form."""
    form = repo.gate_form
    context: dict[str, Any] = {
        **header(repo, tab="settings", can_change=True),
        "gate_modes": [
            ("false", "Open", "Everybody who sees this repository may download its files, without asking."),
            (
                "auto",
                "Gated, automatic approval",
                "People fill in the form of the card and get access at once. You see who they are.",
            ),
            (
                "manual",
                "Gated, manual review",
                "People fill in the form of the card and wait. You accept or reject each request.",
            ),
        ],
        "unread_terms": repo.gated == Repo.Gated.AUTO and access.has_unread_terms(repo),
        "seen": {f"{_SEEN}{name}": value for name, value in _set(repo).items()},
        "chosen": _chosen(repo, request.POST if problems else {}),
        "address": _address_of(repo, actor),
        "notification_modes": Repo.NotificationsMode.choices,
        "namespaces": creatable_namespaces(actor, with_=repo.namespace),
        "problems": problems or {},
        "unplaced": [f"{name[:60]} {what}" for name, what in (problems or {}).items() if name not in _PLACES],
        "given": request.POST if problems else {},
        "review": review_lists.lists(request, repo),
        "history": history.newest(repo),
        "form_version": form_in_force(repo),
        "form_preview": preview_of(repo, form_spec(form), actor, keep=True),
        "can_write": policy.may(actor, Action.FILES_WRITE, repo) if can_write is None else can_write,
    }
    return render_private(request, "repo/settings.html", context, status=status)


_PLACES = frozenset("gated orgMembersGated gatedNotificationsMode gatedNotificationsEmail private move delete".split())
"""Settings and forms that have a place on the page to say what is wrong with them."""


def _set(repo: Repo) -> dict[str, str]:
    """What the form of the gate changes, as it is set and as forms spell it."""
    return {
        "gated": repo.gated if repo.is_gated else "false",
        "orgMembersGated": "true" if repo.org_members_gated else "false",
        "gatedNotificationsMode": repo.gated_notifications_mode,
        "gatedNotificationsEmail": repo.gated_notifications_email,
    }


def _chosen(repo: Repo, given: Mapping[str, Any]) -> dict[str, Any]:
    """What the form of the gate shows: what was typed, where it was refused, and else what is set."""
    return {name: given.get(name, value) for name, value in _set(repo).items()}


@dataclass(frozen=True, slots=True)
class Address:
    """The notification address as the page tells of it: `mail` is the newest that asked for the consent of its reader,
    `free_at` is from when on another may go."""

    state: State
    mail: ConfirmationMail | None = None
    free_at: datetime | None = None


def _address_of(repo: Repo, actor: Actor) -> Address:
    state = notification_address.state_of(repo)
    if state is not State.WAITING:
        return Address(state)
    return Address(state, notification_address.last_mail(repo), notification_address.free_at(repo, by=actor))


@signed_in
@only(*FORM)
def change(request: HttpRequest, **where: str) -> HttpResponse:
    """`/{repo_id}/settings/change`: the settings that the form names; the others stay."""
    actor, repo = find_repo(request, Action.SETTINGS_CHANGE, where)
    before = repo.gated_notifications_email
    try:
        repo = services.change_settings(repo, _given(request), seen=_seen(request), by=actor)
    except InvalidFields as error:
        return _render(request, actor, repo, problems=error.fields, status=400)
    messages.success(request, "The settings are saved.")
    if repo.gated_notifications_email != before:
        _tell_of_mail(request, repo)
    return redirect(f"{repo.path}/settings")


def _tell_of_mail(request: HttpRequest, repo: Repo) -> None:
    """What became of the mail to a new notification address.  Whatever it was, the setting is saved."""
    if notification_address.state_of(repo) is not State.WAITING:
        return
    mail, address = notification_address.last_mail(repo), repo.gated_notifications_email
    if mail is None:
        messages.warning(request, f"No mail was sent to {address}, because enough were sent for now.")
    else:
        messages.info(request, f"A mail goes to {address}. The address is used once its reader has confirmed it.")


@signed_in
@only(*FORM)
def confirm_address(request: HttpRequest, **where: str) -> HttpResponse:
    """`/{repo_id}/settings/confirm-address`: ask the reader of the notification address once more."""
    actor, repo = find_repo(request, Action.SETTINGS_CHANGE, where)
    if attempt(request, lambda: notification_address.send_again(repo, by=actor)) is not None:
        repo.refresh_from_db()
        _tell_of_mail(request, repo)
    return redirect(f"{repo.path}/settings#notifications")


_WORDS: dict[str, dict[str, Any]] = {
    # How forms, which know nothing but text, spell what the Hub's API says in JSON.  Anything else is refused there.
    "gated": {"false": False},
    "orgMembersGated": {"true": True, "false": False},
    "private": {"true": True, "false": False},
}


_SEEN = "seen."
"""Before the name of a setting: what the page showed."""


def _given(request: HttpRequest) -> dict[str, Any]:
    names = [name for name in request.POST if name != "csrfmiddlewaretoken" and not name.startswith(_SEEN)]
    return {name: _read(request, name, name) for name in names}


def _seen(request: HttpRequest) -> dict[str, Any]:
    names = [name for name in request.POST if name.startswith(_SEEN)]
    return {name.removeprefix(_SEEN): _read(request, name, name.removeprefix(_SEEN)) for name in names}


def _read(request: HttpRequest, control: str, name: str) -> Any:
    value = request.POST[control].strip()  # The last one: a ticked box comes after its hidden "false".
    return _WORDS.get(name, {}).get(value, value)


@signed_in
@only(*FORM)
def move(request: HttpRequest, **where: str) -> HttpResponse:
    """`/{repo_id}/settings/move`: a new namespace or name."""
    actor, repo = find_repo(request, Action.REPO_MOVE, where)
    try:
        namespace = named_namespace(request.POST.get("namespace", repo.namespace.name))
        policy.require_move_to(actor, repo, namespace)
        moved = services.move_repo(repo, namespace=namespace, name=request.POST.get("name", "").strip(), by=actor)
    except HubError as error:
        repo.refresh_from_db()
        return _render(request, actor, repo, problems={"move": in_words(request, error)}, status=error.status)
    messages.success(request, f"This {moved.type} is now {moved.repo_id}. The old address leads here.")
    return redirect(f"{moved.path}/settings" if policy.may(actor, Action.SETTINGS_CHANGE, moved) else moved.path)


@signed_in
@only(*FORM)
def delete(request: HttpRequest, **where: str) -> HttpResponse:
    """`/{repo_id}/settings/delete`: only with the repo id typed."""
    actor, repo = find_repo(request, Action.REPO_DELETE, where)
    if request.POST.get("confirm", "").strip() != repo.repo_id:
        problem = {"delete": f"Type {repo.repo_id} to confirm that it is to be deleted. Nothing was deleted."}
        return _render(request, actor, repo, problems=problem, status=400)
    services.delete_repo(repo, by=actor)
    messages.success(request, f"The {repo.type} {repo.repo_id} is deleted.")
    return redirect(repo.namespace)
