"""Files at a revision: what downloads ask for; and whether they would be let in."""

from __future__ import annotations

from typing import Any, NamedTuple

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls.resolvers import URLPattern
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from access import policy
from access.errors import GatedRepo
from access.policy import Action
from accounts.compiled import rows
from gatehub.hub.base import HubView, api_repo_path, web_repo_paths
from gatehub.hub.downloads import tally
from gatehub.hub.serving import serve
from repos import content
from repos.errors import EntryNotFound, RevisionNotFound
from repos.git import Entry, GitRepo
from repos.models import LfsObject, Repo

_PARTS_OF_PAGES = frozenset({"image", "video", "audio"})
"""What a browser fetches to show a card: nobody has downloaded the repo by looking at its page."""


def _not_counted() -> None:
    """After an answer that is no download."""


class ResolveView(HubView):
    """`GET` and `HEAD /[datasets/]{repo_id}/resolve/{revision}/{path}`

    The gate comes before revision and path: whoever may not read the files gets the same answer whatever they ask
    for, unless it is one of the four open files at a revision that exists.
    """

    @extend_schema(responses=OpenApiTypes.BINARY)
    def get(self, request: Request, rest: str, **_: str) -> HttpResponseBase:
        try:
            repo = self.find_repo(Action.FILES_READ)
        except GatedRepo as refusal:
            return serve_file(request._request, *self._open_file(rest, refusal))
        return answer(request._request, repo, rest)

    def _open_file(self, rest: str, refusal: GatedRepo) -> tuple[Repo, File]:
        """A file that the gate does not hold, and its repo; otherwise the gate's refusal."""
        repo = self.find_repo(Action.CARD_VIEW)
        git = content.open_git(repo)
        revision, path = git.split(rest)
        if path not in policy.OPEN_FILES:
            raise refusal
        policy.require_file(self.actor, repo, path)
        try:
            commit = git.resolve_revision(revision)
        except RevisionNotFound:
            raise refusal from None
        return repo, File(git, commit, _file(repo.pk, git, commit, path))


def answer(request: HttpRequest, repo: Repo, rest: str) -> HttpResponseBase:
    """`{revision}/{path}` of a repo whose files the caller may read.  Raises RevisionNotFound, and as `serve` does."""
    return serve_file(request, repo, find_file(repo.pk, content.open_git(repo), rest))


class File(NamedTuple):
    """A file at a commit, that the repo may hand out."""

    git: GitRepo
    commit: str
    entry: Entry


def find_file(repo: int, git: GitRepo, rest: str) -> File:
    """`{revision}/{path}` of the repo with this key.  Raises RevisionNotFound; EntryNotFound, naming the commit."""
    revision, path = git.split(rest)
    commit = git.resolve_revision(revision)
    return File(git, commit, _file(repo, git, commit, path))


def serve_file(request: HttpRequest, repo: Repo, file: File) -> HttpResponseBase:
    """Raises as `serve` does."""
    on_page = request.headers.get("Sec-Fetch-Dest") in _PARTS_OF_PAGES
    on_download = _not_counted if on_page else lambda: tally.add(repo.pk)
    return serve(request, repo, file.git, file.entry, file.commit, on_download=on_download)


def _file(repo: int, git: GitRepo, commit: str, path: str) -> Entry:
    entry = git.entry(commit, path)
    if entry.type != "file":
        raise EntryNotFound(f"{path!a} is a folder.", commit=commit)
    if entry.lfs is not None and not rows(_object, repo=repo, sha256=entry.lfs.sha256):
        raise EntryNotFound(f"The contents of {path!a} were never uploaded to this repository.", commit=commit)
    return entry


def _object(repo: int, sha256: str) -> QuerySet[LfsObject, Any]:
    return LfsObject.objects.filter(repo=repo, sha256=sha256).values_list("pk")


class AuthCheckView(HubView):
    """`GET /api/{models|datasets}/{repo_id}/auth-check[/write]`: the refusals of resolve, or of a commit, or OK."""

    action = Action.FILES_READ

    @extend_schema(responses=OpenApiTypes.STR)
    def get(self, request: Request, **_: str) -> HttpResponse:
        self.find_repo(self.action)
        return HttpResponse("OK", content_type="text/plain; charset=utf-8")


urlpatterns: list[URLPattern] = [
    *web_repo_paths("resolve/<rest:rest>", ResolveView.as_view(), "resolve"),
    api_repo_path("auth-check", AuthCheckView.as_view(), "api_auth_check"),
    api_repo_path("auth-check/write", AuthCheckView.as_view(action=Action.FILES_WRITE), "api_auth_check_write"),
]
