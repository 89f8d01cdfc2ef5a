"""Files and versions: folders, files, history, commits."""

from __future__ import annotations

import hashlib
import posixpath
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial, wraps
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import quote

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from access import policy
from access.errors import GatedRepo
from access.policy import Action
from accounts.actor import Actor
from accounts.errors import NotFound
from gatehub.caches import kept
from gatehub.hub.base import page_name
from gatehub.hub.serving import content_type
from gatehub.web.base import SHOW, find_repo, find_repo_judged, only
from gatehub.web.repo import ACTIONS, header, repo_page
from repos import cards, content
from repos.cards import code
from repos.cards.markdown import MARKDOWN_SUFFIXES, render_card
from repos.git import CommitInfo, Entry, GitRepo, Ref
from repos.models import Repo

ENTRIES_A_PAGE = 1000
COMMITS_A_PAGE = 50
LAST_COMMITS_BUDGET = 200
"""How far back the files page looks for who changed what: it is a help, not worth a second."""
MAX_TEXT_BYTES = 512 * 1024
MAX_IMAGE_BYTES = 20 * 1024**2
MAX_NUMBERED_LINES = 20_000
FILES_OF_A_COMMIT = 200
MAX_COMMITS_FOR_A_PATH = 5000
"""How far back the history of one file is looked for."""
_RENDERED_SECONDS = 3600
LANGUAGES = {
    ".bib": "bibtex",
    ".c": "c",
    ".cfg": "ini",
    ".cpp": "cpp",
    ".css": "css",
    ".go": "go",
    ".h": "c",
    ".html": "html",
    ".ini": "ini",
    ".ipynb": "json",
    ".java": "java",
    ".jl": "julia",
    ".js": "javascript",
    ".json": "json",
    ".md": "markdown",
    ".py": "python",
    ".r": "r",
    ".rs": "rust",
    ".sh": "bash",
    ".sql": "sql",
    ".tex": "latex",
    ".toml": "toml",
    ".ts": "typescript",
    ".xml": "xml",
    ".yaml": "yaml",
    ".yml": "yaml",
}
_BOMS = [
    (b"\xef\xbb\xbf", "utf-8-sig", "UTF-8"),
    (b"\xff\xfe\0\0", "utf-32", "UTF-32"),
    (b"\0\0\xfe\xff", "utf-32", "UTF-32"),
    (b"\xff\xfe", "utf-16", "UTF-16"),
    (b"\xfe\xff", "utf-16", "UTF-16"),
]
_CONTROLS = frozenset(range(0x20)) - frozenset(b"\t\n\r\f\x1b")


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
        return [(ref.name, self._url_at(ref)) for ref in self.git.branches()]

    @property
    def tags(self) -> list[tuple[str, str]]:
        return [(ref.name, self._url_at(ref)) for ref in self.git.tags()]

    def _url_at(self, ref: Ref) -> str:
        """Address of the same path at another branch or tag; of the root, where there is no such path."""
        there = replace(self, revision=ref.name, commit=ref.target)
        for entry in self.git.paths_info(there.commit, [self.path]):
            return there.url("blob" if entry.type == "file" else "tree")
        return there.url("tree", "")


def _place(repo: Repo, rest: str) -> Place:
    """Raises RevisionNotFound.  Comes after the policy: a stranger learns nothing of revisions."""
    git = content.open_git(repo)
    revision, path = git.split(rest)
    with _leading_to(f"{repo.path}/tree/{content.MAIN}"):
        commit = git.resolve_revision(revision)
    return Place(repo, git, revision, path.strip("/"), commit)


@contextmanager
def _leading_to(files: str) -> Iterator[None]:
    """Have whoever asks for what is not there told where the files are."""
    try:
        yield
    except NotFound as error:
        error.next_step, error.help_path = "See the files that are there: {url}", files
        raise


def _allowed(actor: Actor, repo: Repo) -> frozenset[Action]:
    return policy.allowed(actor, repo, ACTIONS)


def _context(place: Place, may: frozenset[Action]) -> dict[str, Any]:
    shared = header(place.repo, tab="files", can_change=Action.SETTINGS_CHANGE in may)
    return shared | {"place": place, "can_read": Action.FILES_READ in may}


def _asked_for(repo: Repo, where: dict[str, str]) -> str:
    """The path in the address, in words of the address alone: whether there is such a file is not told."""
    if "sha" in where:
        return f"The commit {where['sha'][:40]}"
    return content.open_git(repo).split(where["rest"])[1].strip("/")[:300] or "The history"


def _gate_instead(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Where the gate is closed, show it: the repo's page with the form, as a refusal."""

    @wraps(view)
    def guarded(request: HttpRequest, **where: str) -> HttpResponse:
        actor, repo = find_repo(request, Action.CARD_VIEW, where)
        try:
            return view(request, actor, repo, **where)
        except GatedRepo as error:
            asked_for, may = _asked_for(repo, where), _allowed(actor, repo)
            response = repo_page(request, actor, repo, may, refused=asked_for, status=error.status)
            response["X-Error-Code"] = error.code or ""
            return response

    return guarded


@only(*SHOW)
def tree(request: HttpRequest, *, rest: str, **where: str) -> HttpResponse:
    """`/{repo_id}/tree/{revision}/{path}`: file names and sizes, for whoever sees the repo."""
    _, repo, may = find_repo_judged(request, Action.CARD_VIEW, ACTIONS, where)
    place = _place(repo, rest)
    after = request.GET.get("after") or None
    with _leading_to(place.url("tree", "")):
        entries = place.git.tree(place.commit, place.path, after=after, limit=ENTRIES_A_PAGE + 1)
    shown, more = entries[:ENTRIES_A_PAGE], entries[ENTRIES_A_PAGE:]
    last = {}
    if Action.FILES_READ in may:  # Messages of commits may speak of what is behind the gate.
        last = place.git.last_commits(place.commit, [entry.path for entry in shown], budget=LAST_COMMITS_BUDGET)
    context = _context(place, may) | {
        "rows": [_row(place, entry, last.get(entry.path)) for entry in _folders_first(shown)],
        "after": shown[-1].path if more else "",
        "is_first": "after" not in request.GET,
        "history_url": place.url("commits"),
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
def at_main(request: HttpRequest, *, what: str, repo_type: str, **where: str) -> HttpResponse:
    """`/{repo_id}/tree` and `/{repo_id}/commits`, whether there is such a repo or not."""
    return redirect(reverse(page_name(what, repo_type), kwargs={**where, "rest": content.MAIN}))


@only(*SHOW)
@_gate_instead
def blob(request: HttpRequest, actor: Actor, repo: Repo, *, rest: str, **where: str) -> HttpResponse:
    """`/{repo_id}/blob/{revision}/{path}`: a text or an image as it is, Markdown as a page, anything else as a link.

    `?view=source` shows Markdown as it was written.
    """
    # The path must be known before the gate is asked, the revision need not exist for that.
    path = content.open_git(repo).split(rest)[1].strip("/")
    if not path:
        return redirect(f"{repo.path}/tree/{quote(rest.strip('/'))}")
    policy.require_file(actor, repo, path)
    place = _place(repo, rest)
    with _leading_to(place.url("tree", "")):
        entry = place.git.entry(place.commit, place.path)
    if entry.type != "file":
        return redirect(place.url("tree"))
    may = _allowed(actor, repo)
    can_read = Action.FILES_READ in may
    last = place.git.last_commits(place.commit, [place.path], budget=LAST_COMMITS_BUDGET) if can_read else {}
    context = _context(place, may) | {
        "entry": entry,
        "row": _row(place, entry, last.get(entry.path)),
        "history_url": place.url("commits"),
        "shown": _shown(place, entry, as_source=request.GET.get("view") == "source", files_closed=not can_read),
        "can_edit": Action.FILES_WRITE in may and (place.revision, place.path) == (content.MAIN, content.CARD),
    }
    return render(request, "repo/blob.html", context)


@dataclass(frozen=True, slots=True)
class Shown:
    """A file as the page shows it: an image by its address, or `html`; neither where it can only be downloaded.

    `kind` is `image`, `page` (Markdown), `source`, `lfs`, `large` or `binary`; `has_page` tells whether there is a
    page, too; `encoding` is that of a text which is not UTF-8; `part` is how many bytes of a long text are shown.
    """

    kind: str
    html: SafeString | None = None
    image_url: str = ""
    has_page: bool = False
    encoding: str = ""
    part: int = 0


def _shown(place: Place, entry: Entry, *, as_source: bool, files_closed: bool) -> Shown:
    if content_type(place.path).startswith("image/") and entry.size <= MAX_IMAGE_BYTES:
        return Shown("image", image_url=place.url("resolve"))
    if content_type(place.path).startswith("image/"):
        return Shown("large")
    if entry.lfs is not None:
        return Shown("lfs")
    is_whole = entry.size <= MAX_TEXT_BYTES
    text, encoding = _text(_beginning(place.git, entry))
    if text is None:
        return Shown("binary")
    if not is_whole:
        return Shown("source", _source(text, place.path), encoding=encoding, part=MAX_TEXT_BYTES)
    is_markdown = PurePosixPath(place.path).suffix.lower() in MARKDOWN_SUFFIXES
    if is_markdown and not as_source:
        page = _page(place, entry, text, files_closed=files_closed)
        if page is not None:
            return Shown("page", page, has_page=True)
    return Shown("source", _source(text, place.path), has_page=is_markdown, encoding=encoding)


def _beginning(git: GitRepo, entry: Entry) -> bytes:
    """The file; of a long one what fits, up to the end of a line if there is one."""
    data = b"".join(git.iter_blob(entry.oid, stop=MAX_TEXT_BYTES))
    return data[: data.rfind(b"\n") + 1] or data if entry.size > len(data) else data


def _text(data: bytes) -> tuple[str | None, str]:
    """The file as text, None for what is none, and its encoding where that is not UTF-8."""
    for mark, codec, name in _BOMS:
        if data.startswith(mark):
            return data.decode(codec, "replace").removeprefix("\ufeff"), "" if name == "UTF-8" else name
    try:
        return (None if "\0" in (text := data.decode("utf-8")) else text), ""
    except UnicodeDecodeError as error:
        if error.reason == "unexpected end of data" and len(data) - error.start < len("\U0001f600".encode()):
            return _text(data[: error.start])  # A long line that was cut within a character.
    if not _CONTROLS.isdisjoint(data):
        return None, ""
    return data.decode("windows-1252", "replace"), "Windows-1252"


def _page(place: Place, entry: Entry, text: str, *, files_closed: bool) -> SafeString | None:
    """Markdown as safe HTML, without its metadata; None where these cannot be read."""
    named = f"{place.url('blob')} {entry.oid} {files_closed}"  # Links and images in it depend on where it is.
    key = f"page:{hashlib.sha256(named.encode()).hexdigest()}"
    html: str | None = kept.get(key)
    if html is None:
        try:
            written = cards.read(text).text
        except cards.CardError:
            return None
        html = render_card(
            written,
            resolve_url=partial(place.url, "resolve"),
            blob_url=partial(place.url, "blob"),
            files_closed=files_closed,
            folder=posixpath.dirname(place.path),
        )
        kept.set(key, html, _RENDERED_SECONDS)
    return mark_safe(html)  # noqa: S308 - render_card gives what nh3 let through.


def _source(text: str, path: str) -> SafeString:
    """A text in colours, each line an element that an address can end with: `#L12`."""
    language = LANGUAGES.get(PurePosixPath(path).suffix.lower(), "")
    html = code.highlighted(text, language) or escape(text)  # Pygments ends its elements at the end of each line.
    lines = html.removesuffix("\n").split("\n")
    if len(lines) <= MAX_NUMBERED_LINES:
        html = "".join(f'<span class="line" id="L{n}">{line}\n</span>' for n, line in enumerate(lines, start=1))
    return mark_safe(html)  # noqa: S308 - Pygments and escape() escape the text.


@only(*SHOW)
@_gate_instead
def commits(request: HttpRequest, actor: Actor, repo: Repo, *, rest: str, **where: str) -> HttpResponse:
    """`/{repo_id}/commits/{revision}[/{path}]`: the history, of one file or folder too, for whoever reads the files."""
    policy.require(actor, Action.FILES_READ, repo)
    place = _place(repo, rest)
    if place.path:
        return _commits_of_a_path(request, place, _allowed(actor, repo))
    total = place.git.count(place.commit)
    number = _page_number(request, last=max(1, -(-total // COMMITS_A_PAGE)))
    skip = (number - 1) * COMMITS_A_PAGE
    context = _context(place, _allowed(actor, repo)) | {
        "history": place.git.commits(place.commit, skip=skip, limit=COMMITS_A_PAGE),
        "total": total,
        "tree_url": place.url("tree"),
        "previous": number - 1,
        "next": number + 1 if skip + COMMITS_A_PAGE < total else 0,
    }
    return render(request, "repo/commits.html", context)


def _commits_of_a_path(request: HttpRequest, place: Place, may: frozenset[Action]) -> HttpResponse:
    number = _page_number(request, last=MAX_COMMITS_FOR_A_PATH // COMMITS_A_PAGE)
    skip = (number - 1) * COMMITS_A_PAGE
    found = place.git.commits_of(
        place.commit, place.path, skip=skip, limit=COMMITS_A_PAGE + 1, budget=MAX_COMMITS_FOR_A_PATH
    )
    context = _context(place, may) | {
        "history": found[:COMMITS_A_PAGE],
        "tree_url": place.url("tree", ""),
        "path_url": place.url("blob"),
        "looked_at": min(place.git.count(place.commit), MAX_COMMITS_FOR_A_PATH),
        "previous": number - 1,
        "next": number + 1 if len(found) > COMMITS_A_PAGE else 0,
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
    before = Place(repo, git, found.parents[0], "", found.parents[0]) if found.parents else place
    changes = git.changes_of(found.oid, limit=FILES_OF_A_COMMIT)
    context = _context(place, _allowed(actor, repo)) | {
        "commit": found,
        "changes": [
            (change, (before if change.kind == "deleted" else place).url("blob", change.path))
            for change in changes.files
        ],
        "total": changes.total,
        "more": changes.total - len(changes.files),
    }
    return render(request, "repo/commit.html", context)
