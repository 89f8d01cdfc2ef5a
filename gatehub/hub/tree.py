"""Trees: folders, page by page, and what is known about named paths."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from django.urls.resolvers import URLPattern
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from access.policy import Action
from accounts.errors import BadRequest, InvalidFields
from gatehub.hub import bodies
from gatehub.hub.base import HubView, api_repo_path, flag
from gatehub.hub.entries import tree_entry, with_last_commit
from gatehub.hub.masking import Mask
from gatehub.hub.pagination import CURSOR, PAGE, cursor_in, cursor_of, next_link, whole_number
from repos import content
from repos.git import Entry, GitRepo
from repos.models import Repo

EXPANDED_PAGE = 50
MAX_PATHS = 500


class _EntriesView(HubView):
    def _shown(
        self, repo: Repo, git: GitRepo, commit: str, entries: list[Entry], *, expand: bool
    ) -> list[dict[str, Any]]:
        can_read = self.may(Action.FILES_READ, repo)
        mask = Mask.over(repo, on=not can_read)
        shown = [tree_entry(entry, mask) for entry in entries]
        if not expand:
            return shown
        # Messages of commits may speak of what is behind the gate.
        last = git.last_commits(commit, [entry.path for entry in entries]) if can_read else {}
        return [with_last_commit(body, last.get(body["path"])) for body in shown]


class TreeView(_EntriesView):
    """`GET /api/{models|datasets}/{repo_id}/tree/{revision}[/{path}]?recursive=&expand=`"""

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: Request, rest: str, **_: str) -> Response:
        repo = self.find_repo(Action.CARD_VIEW)
        git = content.open_git(repo)
        revision, path = git.split(rest)
        commit, path = git.resolve_revision(revision), path.strip("/")
        expand = flag(request.query_params.get("expand"))
        most = EXPANDED_PAGE if expand else PAGE
        limit = whole_number(request, "limit", most, least=1, most=most)
        found = git.tree(
            commit,
            path,
            recursive=flag(request.query_params.get("recursive")),
            after=self._after(),
            limit=limit + 1,
        )
        page = found[:limit]
        response = Response(self._shown(repo, git, commit, page, expand=expand))
        if len(found) > limit:
            response["Link"] = next_link(request, _tree_path(repo, commit, path), **{CURSOR: cursor_of(page[-1].path)})
        return response

    def _after(self) -> str | None:
        values = cursor_in(self.request, 1)
        if values is None:
            return None
        if not isinstance(values[0], str):
            raise BadRequest("The cursor is not one of this server's. Start again without it.")
        return values[0]


def _tree_path(repo: Repo, commit: str, path: str) -> str:
    """The pages of one listing are all of one commit, whatever lands on the branch meanwhile."""
    return f"/api/{repo.type}s/{repo.repo_id}/tree/{commit}" + (f"/{quote(path)}" if path else "")


class PathsInfoView(_EntriesView):
    """`POST /api/{models|datasets}/{repo_id}/paths-info/{revision}`, form-encoded `paths=…&paths=…&expand=`."""

    @extend_schema(request=OpenApiTypes.OBJECT, responses=OpenApiTypes.OBJECT)
    def post(self, request: Request, revision: str, **_: str) -> Response:
        repo = self.find_repo(Action.CARD_VIEW)
        git = content.open_git(repo)
        commit = git.resolve_revision(revision)
        paths = bodies.form_list(request, "paths")
        if len(paths) > MAX_PATHS:
            raise BadRequest(f"At most {MAX_PATHS} paths may be asked for at once.")
        if not all(isinstance(path, str) for path in paths):
            raise InvalidFields({"paths": "must be a list of texts"})
        expand = any(flag(str(value)) for value in bodies.form_list(request, "expand"))
        return Response(self._shown(repo, git, commit, git.paths_info(commit, paths), expand=expand))


urlpatterns: list[URLPattern] = [
    api_repo_path("tree/<rest:rest>", TreeView.as_view(), "api_tree"),
    api_repo_path("paths-info/<rest:revision>", PathsInfoView.as_view(), "api_paths_info"),
]
