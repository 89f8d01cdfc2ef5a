"""A repo's page: its card, its gate, how to use it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.safestring import SafeString, mark_safe

from access import policy, services, tallies
from access.policy import Action
from accounts.actor import Actor
from gatehub.caches import kept
from gatehub.web import unsent
from gatehub.web.base import FORM, SHOW, attempt, endpoint_of, find_repo, find_repo_judged, only, signed_in
from gatehub.web.facts import facts_of
from gatehub.web.gate import gate_of
from repos import cards, content, usage
from repos.cards import pictures
from repos.cards.markdown import render_card
from repos.errors import EntryNotFound, RepoNotFound
from repos.models import Repo

_RENDERED_SECONDS = 3600
ACTIONS = (Action.FILES_READ, Action.FILES_WRITE, Action.SETTINGS_CHANGE)
"""What the pages of a repo differ by."""

NOTHING_TO_ASK = "This repository is open now; nothing needs to be asked."
"""To whoever sends the form of a gate that was opened meanwhile."""


@only(*SHOW)
def card(request: HttpRequest, **where: str) -> HttpResponse:
    """`/{repo_id}`"""
    actor, repo, may = find_repo_judged(request, Action.CARD_VIEW, ACTIONS, where)
    typed = unsent.take(request, repo)
    if typed is not None and not repo.is_gated:
        messages.info(request, NOTHING_TO_ASK)
    return repo_page(request, actor, repo, may, given=typed, was_unsent=typed is not None)


def gate_page(
    request: HttpRequest,
    repo: Repo,
    actor: Actor,
    problems: dict[str, str],
    given: dict[str, Any],
    *,
    changed: bool = False,
    expired: bool = False,
) -> HttpResponse:
    """The repo's page with a refused form: what is wrong at each field, and what was typed.  Keys are labels.

    `changed` says that nothing is wrong but that the form is another now, `expired` that it was opened before the last
    sign-in.
    """
    status, may = 409 if changed else 403 if expired else 400, policy.allowed(actor, repo, ACTIONS)
    return repo_page(
        request, actor, repo, may, problems=problems, given=given, changed=changed, expired=expired, status=status
    )


def repo_page(
    request: HttpRequest,
    actor: Actor,
    repo: Repo,
    may: frozenset[Action],
    *,
    problems: Mapping[str, str] | None = None,
    given: Mapping[str, Any] | None = None,
    changed: bool = False,
    was_unsent: bool = False,
    expired: bool = False,
    refused: str = "",
    status: int = 200,
) -> HttpResponse:
    """The card with the gate.  `may` says which of ACTIONS the visitor may do; `refused` is what the visitor came for
    and the gate holds: the path of a file."""
    can_read, can_change = Action.FILES_READ in may, Action.SETTINGS_CHANGE in may
    html = None if repo.disabled else _card(repo, files_closed=not can_read)
    endpoint = endpoint_of(request)
    context = {
        **header(repo, tab="card", can_change=can_change),
        "card": html,
        "has_closed_pictures": html is not None and pictures.CLOSED_CLASS in html,
        "gate": None
        if repo.disabled
        else gate_of(
            repo,
            actor,
            can_read=can_read,
            problems=problems,
            given=given,
            changed=changed,
            unsent=was_unsent,
            expired=expired,
        ),
        "refused": refused,
        "can_read": can_read,
        "can_write": Action.FILES_WRITE in may,
        "waiting": _waiting(repo) if can_change and repo.is_gated else 0,
        "facts": facts_of(repo, actor),
        "lines": usage.download_lines(
            repo, endpoint=endpoint, library=usage.library_of(repo) or _library_of_files(repo)
        ),
        "upload_lines": usage.upload_lines(repo, endpoint=endpoint),
    }
    response = render(request, "repo/card.html", context, status=status)
    response["Cache-Control"] = "no-store" if repo.is_gated or repo.private else "private, no-cache"
    return response


def header(repo: Repo, *, tab: str, can_change: bool) -> dict[str, Any]:
    """What `repo/_frame.html` needs."""
    return {"repo": repo, "tab": tab, "can_change": can_change, "section": f"{repo.type}s"}


def _waiting(repo: Repo) -> int:
    """How many requests wait for the owner."""
    return tallies.counts(repo)["pending"]


def _card(repo: Repo, *, files_closed: bool) -> SafeString | None:
    """The card at the head of main as safe HTML; None where there is none that can be read."""
    try:
        git = content.open_git(repo)
        entry = git.entry(repo.head_sha, content.CARD)
        if entry.type != "file" or entry.lfs is not None or entry.size > content.CARD_MAX_BYTES:
            return None
        key = f"card:{entry.oid}:{files_closed}:{repo.path}"  # A moved repo is rendered anew: the id is part of links.
        html: str | None = kept.get(key)
        if html is None:
            html = rendered_card(repo, cards.read(git.read_blob(entry.oid)).text, files_closed=files_closed)
            kept.set(key, html, _RENDERED_SECONDS)
    except (EntryNotFound, RepoNotFound, cards.CardError):
        return None
    return mark_safe(html)  # noqa: S308 - render_card gives what nh3 let through.


def _library_of_files(repo: Repo) -> str:
    """For a model whose card names no library."""
    if repo.type != Repo.Type.MODEL or repo.disabled:
        return ""
    key = f"library:{repo.head_sha}"
    library: str | None = kept.get(key)
    if library is None:
        try:
            library = usage.library_of_files(content.open_git(repo), repo.head_sha)
        except RepoNotFound:
            return ""
        kept.set(key, library, _RENDERED_SECONDS)
    return library


def rendered_card(repo: Repo, text: str, *, files_closed: bool = False) -> SafeString:
    """The card's text as safe HTML."""
    html = render_card(text, resolve_url=f"{repo.path}/resolve/main/", files_closed=files_closed)
    return mark_safe(html)  # noqa: S308 - render_card gives what nh3 let through.


@signed_in
@only(*FORM)
def withdraw(request: HttpRequest, **where: str) -> HttpResponse:
    """`/{repo_id}/withdraw-request`: take one's own pending request back, from the repo's page or from one's list."""
    actor, repo = find_repo(request, Action.CARD_VIEW, where)

    def act() -> None:
        services.withdraw(repo=repo, by=actor)
        messages.success(request, f"Your request for {repo.repo_id} was cancelled.")

    attempt(request, act)
    return redirect("my_requests" if request.POST.get("back") == "requests" else repo)
