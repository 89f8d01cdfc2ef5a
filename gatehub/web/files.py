"""Files and versions: folders, files, history, commits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import quote

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.safestring import SafeString, mark_safe

from access import policy
from access.errors import GatedRepo
from access.policy import Action
from accounts.actor import Actor
from gatehub.web.base import SHOW, find_repo, only
from gatehub.web.gate import may_read
from gatehub.web.repo import header, repo_page
from repos import content
from repos.cards import code
from repos.git import CommitInfo, Entry, GitRepo
from repos.models import Repo

ENTRIES_A_PAGE = 1000
COMMITS_A_PAGE = 50
LAST_COMMITS_BUDGET = 200
"""How far back the files page looks for who changed what: it is a help, not worth a second."""
MAX_TEXT_BYTES = 512 * 1024
LANGUAGES = {
    ".json": "json",
    ".md": "markdown",
    ".py": "python",
    ".sh": "bash",
    ".toml": "toml",
    ".yaml": "yaml",
    ".yml": "yaml",
}


@dataclass(frozen=True, slots=True)
class Place:
    """A repo at one revision and path, as the address names them."""

    repo: Repo
    git: GitRepo
    revision: str
    path: str
    commit: str

    def url(self, kind: str, path: str | None = None) -> str:
        """Address of another page about a path at this revision."""
        tail = self.path if path is None else path
        base = f"{self.repo.path}/{kind}/{quote(self.revision, safe='')}"
        return f"{base}/{quote(tail)}" if tail else base

    @property
    def crumbs(self) -> list[tuple[str, str]]:
        """Name and address of each folder on the way, the root first."""
        parts = self.path.split("/") if self.path else []
        folders = [(part, self.url("tree", "/".join(parts[: index + 1]))) for index, part in enumerate(parts)]
        return [(self.repo.name, self.url("tree", "")), *folders]

    @property
    def branches(self) -> list[tuple[str, str]]:
        return [(ref.name, f"{self.repo.path}/tree/{quote(ref.name, safe='')}") for ref in self.git.branches()]

    @property
    def tags(self) -> list[tuple[str, str]]:
        return [(ref.name, f"{self.repo.path}/tree/{quote(ref.name, safe='')}") for ref in self.git.tags()]


def _place(repo: Repo, rest: str) -> Place:
    """Raises RevisionNotFound.  Comes after the policy: a stranger learns nothing of revisions."""
    git = content.open_git(repo)
    revision, path = git.split(rest)
    return Place(repo, git, revision, path.strip("/"), git.resolve_revision(revision))


def _context(actor: Actor, place: Place) -> dict[str, Any]:
    can_change = policy.may(actor, Action.SETTINGS_CHANGE, place.repo)
    return header(place.repo, tab="files", can_change=can_change) | {"place": place}


def _gate_instead(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Where the gate is closed, show it: the repo's page with the form, as a refusal."""

    @wraps(view)
    def guarded(request: HttpRequest, **where: str) -> HttpResponse:
        actor, repo = find_repo(request, Action.CARD_VIEW, where)
        try:
            return view(request, actor, repo, **where)
        except GatedRepo as error:
            response = repo_page(request, repo, actor, status=error.status)
            response["X-Error-Code"] = error.code or ""
            return response

    return guarded


@only(*SHOW)
def tree(request: HttpRequest, *, rest: str, **where: str) -> HttpResponse:
    """`/{repo_id}/tree/{revision}/{path}`: file names and sizes, for whoever sees the repo."""
    actor, repo = find_repo(request, Action.CARD_VIEW, where)
    place = _place(repo, rest)
    entries = place.git.tree(place.commit, place.path, after=request.GET.get("after") or None, limit=ENTRIES_A_PAGE + 1)
    shown, more = entries[:ENTRIES_A_PAGE], entries[ENTRIES_A_PAGE:]
    can_read = may_read(actor, repo)
    last = {}
    if can_read:  # Messages of commits may speak of what is behind the gate.
        last = place.git.last_commits(place.commit, [entry.path for entry in shown], budget=LAST_COMMITS_BUDGET)
    context = _context(actor, place) | {
        "rows": [_row(place, entry, last.get(entry.path)) for entry in _folders_first(shown)],
        "after": shown[-1].path if more else "",
        "can_read": can_read,
        "commit_count": place.git.count(place.commit),
    }
    return render(request, "repo/tree.html", context)


def _folders_first(entries: list[Entry]) -> list[Entry]:
    return sorted(entries, key=lambda entry: entry.type != "directory")


@dataclass(frozen=True, slots=True)
class Row:
    entry: Entry
    name: str
    url: str
    download_url: str
    last: CommitInfo | None


def _row(place: Place, entry: Entry, last: CommitInfo | None) -> Row:
    is_file = entry.type == "file"
    return Row(
        entry,
        entry.path.rpartition("/")[2],
        place.url("blob" if is_file else "tree", entry.path),
        place.url("resolve", entry.path) + "?download=true" if is_file else "",
        last,
    )


@only(*SHOW)
@_gate_instead
def blob(request: HttpRequest, actor: Actor, repo: Repo, *, rest: str, **where: str) -> HttpResponse:
    """`/{repo_id}/blob/{revision}/{path}`: a text as it is, anything else as a link."""
    # The path must be known before the gate is asked, the revision need not exist for that.
    policy.require_file(actor, repo, content.open_git(repo).split(rest)[1].strip("/"))
    place = _place(repo, rest)
    entry = place.git.entry(place.commit, place.path)
    if entry.type != "file":
        return redirect(place.url("tree"))
    text = _text(place, entry)
    context = _context(actor, place) | {
        "entry": entry,
        "row": _row(place, entry, None),
        "text": text,
        "html": None if text is None else _coloured(text, place.path),
        "too_large": entry.lfs is not None or entry.size > MAX_TEXT_BYTES,
    }
    return render(request, "repo/blob.html", context)


def _text(place: Place, entry: Entry) -> str | None:
    """The file as text, None for what is large or is none."""
    if entry.lfs is not None or entry.size > MAX_TEXT_BYTES:
        return None
    data = place.git.read_blob(entry.oid)
    if b"\0" in data:
        return None
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return None


def _coloured(text: str, path: str) -> SafeString | None:
    language = LANGUAGES.get(PurePosixPath(path).suffix.lower(), "")
    html = code.highlighted(text, language)
    return mark_safe(html) if html else None  # noqa: S308 - Pygments escapes the text.


@only(*SHOW)
@_gate_instead
def commits(request: HttpRequest, actor: Actor, repo: Repo, *, rest: str, **where: str) -> HttpResponse:
    """`/{repo_id}/commits/{revision}`: the history, for whoever reads the files."""
    policy.require(actor, Action.FILES_READ, repo)
    place = _place(repo, rest)
    total = place.git.count(place.commit)
    number = _page_number(request, last=max(1, -(-total // COMMITS_A_PAGE)))
    skip = (number - 1) * COMMITS_A_PAGE
    context = _context(actor, place) | {
        "history": place.git.commits(place.commit, skip=skip, limit=COMMITS_A_PAGE),
        "total": total,
        "tree_url": place.url("tree"),
        "previous": number - 1,
        "next": number + 1 if skip + COMMITS_A_PAGE < total else 0,
    }
    return render(request, "repo/commits.html", context)


def _page_number(request: HttpRequest, *, last: int) -> int:
    asked = request.GET.get("page", "1")
    return min(max(1, int(asked)), last) if asked.isascii() and asked.isdigit() and len(asked) < 10 else 1


@only(*SHOW)
@_gate_instead
def commit(request: HttpRequest, actor: Actor, repo: Repo, *, sha: str, **where: str) -> HttpResponse:
    """`/{repo_id}/commit/{sha}`: one commit, for whoever reads the files.  `commitUrl` of the API leads here."""
    policy.require(actor, Action.FILES_READ, repo)
    git = content.open_git(repo)
    found = git.commits(git.resolve_revision(sha), limit=1)[0]
    place = Place(repo, git, found.oid, "", found.oid)
    return render(request, "repo/commit.html", _context(actor, place) | {"commit": found})
