"""Info about one repo, at the head of `main` or at a revision."""

from __future__ import annotations

from typing import Any

from django.db.models import Sum
from django.urls import path
from django.urls.resolvers import URLPattern
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from access import refusals
from access.policy import Action
from gatehub.hub.base import HubView, api_repo_path, flag, hub_time
from gatehub.hub.entries import sibling
from gatehub.hub.masking import Mask
from gatehub.hub.repo_objects import expanded, only, repo_object
from repos import content
from repos.git import Entry, GitRepo
from repos.models import Repo


class InfoView(HubView):
    """`GET /api/{models|datasets}/{repo_id}[/revision/{revision}]?blobs=&securityStatus=&expand=`

    Whoever sees the repo gets it, gate or not: clients read it first.
    """

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: Request, revision: str | None = None, **_: str) -> Response:
        repo = self.find_repo(Action.CARD_VIEW)
        git = content.open_git(repo)
        sha = git.head() if revision is None else git.resolve_revision(revision)
        body = repo_object(repo) | {"sha": sha}
        if sha is not None and sha != repo.head_sha:
            body["lastModified"] = hub_time(git.commits(sha, limit=1)[0].date)
        fields = expanded(request)
        if not fields or fields & {"siblings", "usedStorage"}:
            body |= self._contents(repo, git, sha)
        if flag(request.query_params.get("securityStatus")):
            body["securityRepoStatus"] = {"scansDone": False, "filesWithIssues": []}
        return Response(only(body, fields) if fields else body)

    def _contents(self, repo: Repo, git: GitRepo, sha: str | None) -> dict[str, Any]:
        entries = git.tree(sha, recursive=True) if sha else []
        files = [entry for entry in entries if entry.type == "file"]
        mask = None
        if flag(self.request.query_params.get("blobs")):
            mask = Mask.over(repo, on=not self.may(Action.FILES_READ, repo))
        return {"siblings": [sibling(file, mask) for file in files], "usedStorage": _used_storage(repo, files)}


def _used_storage(repo: Repo, files: list[Entry]) -> int:
    """Bytes: all large files that the repo has ever kept, and the small ones of this revision."""
    large: int | None = repo.lfs_objects.aggregate(total=Sum("size"))["total"]
    return (large or 0) + sum(file.size for file in files if file.lfs is None)


class WithoutNamespaceView(HubView):
    """`/api/models/gpt2`, `/gpt2/resolve/…`: ids of the public hub's early days.  There are none here."""

    schema = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        raise refusals.hidden(self.actor)


urlpatterns: list[URLPattern] = [
    path("api/<repo_type:repo_type>/<segment:name>", WithoutNamespaceView.as_view()),
    api_repo_path("", InfoView.as_view(), "api_repo"),
    api_repo_path("revision/<rest:revision>", InfoView.as_view(), "api_revision"),
]
