"""A repo's page: its card, its gate, how to use it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.safestring import SafeString, mark_safe

from access import policy, services, tallies
from access.policy import Action
from accounts.actor import Actor
from gatehub.web.base import FORM, SHOW, attempt, find_repo, only, signed_in
from gatehub.web.gate import gate_of
from repos import cards, content
from repos.cards import metadata
from repos.cards.markdown import render_card
from repos.errors import EntryNotFound, RepoNotFound
from repos.models import Repo

_RENDERED_SECONDS = 3600


@only(*SHOW)
def card(request: HttpRequest, **where: str) -> HttpResponse:
    """`/{repo_id}`"""
    actor, repo = find_repo(request, Action.CARD_VIEW, where)
    return repo_page(request, repo, actor)


def gate_page(
    request: HttpRequest,
    repo: Repo,
    actor: Actor,
    problems: dict[str, str],
    given: dict[str, Any],
    *,
    changed: bool = False,
) -> HttpResponse:
    """The repo's page with a refused form: what is wrong at each field, and what was typed.  Keys are labels.

    `changed` says that nothing is wrong but that the form is another now.
    """
    status = 409 if changed else 400
    return repo_page(request, repo, actor, problems=problems, given=given, changed=changed, status=status)


def repo_page(
    request: HttpRequest,
    repo: Repo,
    actor: Actor,
    *,
    problems: Mapping[str, str] | None = None,
    given: Mapping[str, Any] | None = None,
    changed: bool = False,
    status: int = 200,
) -> HttpResponse:
    may = policy.allowed(actor, repo, [Action.FILES_READ, Action.FILES_WRITE, Action.SETTINGS_CHANGE])
    can_read, can_change = Action.FILES_READ in may, Action.SETTINGS_CHANGE in may
    text = None if repo.disabled else card_text(repo)
    context = {
        **header(repo, tab="card", can_change=can_change),
        "card": None if text is None else rendered_card(repo, text),
        "gate": None
        if repo.disabled
        else gate_of(repo, actor, can_read=can_read, problems=problems, given=given, changed=changed),
        "can_read": can_read,
        "can_write": Action.FILES_WRITE in may,
        "waiting": _waiting(repo) if can_change and repo.is_gated else 0,
        "countries": cards.countries(),
        "facts": _facts(repo),
        "lines": _lines(request, repo),
        "upload_lines": _upload_lines(request, repo),
    }
    response = render(request, "repo/card.html", context, status=status)
    response["Cache-Control"] = "no-store" if repo.is_gated or repo.private else "no-cache"
    return response


def header(repo: Repo, *, tab: str, can_change: bool) -> dict[str, Any]:
    """What `repo/_frame.html` needs."""
    return {"repo": repo, "tab": tab, "can_change": can_change, "section": f"{repo.type}s"}


def _waiting(repo: Repo) -> int:
    """How many requests wait for the owner."""
    return tallies.counts(repo)["pending"]


def card_text(repo: Repo) -> str | None:
    """The Markdown of the card at the head of main; None where there is none that can be read."""
    try:
        git = content.open_git(repo)
        entry = git.entry(repo.head_sha, content.CARD)
        if entry.type != "file" or entry.lfs is not None or entry.size > content.CARD_MAX_BYTES:
            return None
        return cards.read(git.read_blob(entry.oid)).text
    except (EntryNotFound, RepoNotFound, cards.CardError):
        return None


def rendered_card(repo: Repo, text: str, *, keep: bool = True) -> SafeString:
    """The card's text as safe HTML; not kept where somebody is still typing it."""
    key = f"card:{hashlib.sha256(text.encode()).hexdigest()}:{repo.path}"
    html: str | None = cache.get(key) if keep else None
    if html is None:
        html = render_card(text, resolve_url=f"{repo.path}/resolve/main/")
        if keep:
            cache.set(key, html, _RENDERED_SECONDS)
    return mark_safe(html)  # noqa: S308 - render_card gives what nh3 let through.


def _facts(repo: Repo) -> dict[str, Any]:
    """What the card's metadata say, for the side of the page."""
    data = repo.card_data
    return {
        "license": metadata.license_of(data),
        "task": metadata.pipeline_tag(data),
        "library": metadata.library_name(data),
        "languages": metadata.languages_of(data)[:12],
        "tags": metadata.tags_of(data, repo.type)[:12],
    }


@dataclass(frozen=True, slots=True)
class Lines:
    """How to use a repo with one tool, as lines to copy.  `token` says whether the tool asks for a token by itself."""

    title: str
    text: str
    token: bool = False


def _endpoint(request: HttpRequest) -> str:
    """The address of this server as the visitor used it."""
    return request.build_absolute_uri("/").rstrip("/")


def _lines(request: HttpRequest, repo: Repo) -> list[Lines]:
    """How to download; the command line first."""
    endpoint = _endpoint(request)
    is_model = repo.type == Repo.Type.MODEL
    closed = repo.is_gated or repo.private
    login = "hf auth login\n" if closed else ""
    argument = "" if is_model else ', repo_type="dataset"'
    shell = f"export HF_ENDPOINT={endpoint}\n{login}hf download {repo.repo_id}{_kind(repo)}"
    first = f'import os\n\nos.environ["HF_ENDPOINT"] = "{endpoint}"\n\n'
    python = f'from huggingface_hub import snapshot_download\n\npath = snapshot_download("{repo.repo_id}"{argument})'
    if is_model:
        library = Lines(
            "transformers",
            f"{first}from transformers import AutoModel, AutoTokenizer\n\n"
            f'tokenizer = AutoTokenizer.from_pretrained("{repo.repo_id}")\n'
            f'model = AutoModel.from_pretrained("{repo.repo_id}")',
        )
    else:
        library = Lines(
            "datasets", f'{first}from datasets import load_dataset\n\nrows = load_dataset("{repo.repo_id}")'
        )
    git = f"git lfs install\ngit clone {endpoint}{repo.path}"
    return [Lines("Command line", shell), Lines("Python", first + python), library, Lines("git", git, token=closed)]


def _upload_lines(request: HttpRequest, repo: Repo) -> list[Lines]:
    """How to fill a repo that has no card yet."""
    endpoint = _endpoint(request)
    shell = f"export HF_ENDPOINT={endpoint}\nhf auth login\nhf upload {repo.repo_id} .{_kind(repo)}"
    git = (
        f"git lfs install\ngit clone {endpoint}{repo.path}\ncd {repo.name}\n"
        'git add .\ngit commit -m "Add files"\ngit push'
    )
    return [Lines("Command line: the folder that you are in", shell), Lines("git", git, token=True)]


def _kind(repo: Repo) -> str:
    return "" if repo.type == Repo.Type.MODEL else " --repo-type dataset"


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
