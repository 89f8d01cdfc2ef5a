"""Branches, tags, history, squash.  Names and revisions may have slashes; what is left of the address is all name."""

from __future__ import annotations

from typing import Any

from django.urls.resolvers import URLPattern
from django.utils.html import escape
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from access.policy import Action
from gatehub.hub import bodies
from gatehub.hub.base import HubView, api_repo_path, flag, hub_time
from gatehub.hub.pagination import PAGE, next_link, whole_number
from repos import content
from repos.git import CommitInfo, Ref

COMMITS_A_PAGE = 50
_MAX_PAGE_NUMBER = 1_000_000


class RefsView(HubView):
    """`GET /api/{models|datasets}/{repo_id}/refs?include_prs=`"""

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: Request, **_: str) -> Response:
        git = content.open_git(self.find_repo(Action.CARD_VIEW))
        body: dict[str, Any] = {
            "branches": [_ref(ref) for ref in git.branches()],
            "converts": [],
            "tags": [_ref(ref) for ref in git.tags()],
        }
        if flag(request.query_params.get("include_prs")):
            body["pullRequests"] = []
        return Response(body)


def _ref(ref: Ref) -> dict[str, str]:
    return {"name": ref.name, "ref": ref.ref, "targetCommit": ref.target}


class CommitsView(HubView):
    """`GET /api/{models|datasets}/{repo_id}/commits/{revision}?p=&limit=&expand[]=formatted`, newest first.

    For those who may read the files: messages of commits speak of them.
    """

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: Request, revision: str, **_: str) -> Response:
        repo = self.find_repo(Action.FILES_READ)
        git = content.open_git(repo)
        commit = git.resolve_revision(revision)
        limit = whole_number(request, "limit", COMMITS_A_PAGE, least=1, most=PAGE)
        number = whole_number(request, "p", 0, least=0, most=_MAX_PAGE_NUMBER)
        found = git.commits(commit, skip=number * limit, limit=limit + 1)
        expand = {*request.query_params.getlist("expand"), *request.query_params.getlist("expand[]")}
        response = Response([_commit(info, formatted="formatted" in expand) for info in found[:limit]])
        response["X-Total-Count"] = str(git.count(commit))
        if len(found) > limit:
            path = f"/api/{repo.type}s/{repo.repo_id}/commits/{commit}"
            response["Link"] = next_link(request, path, p=str(number + 1), limit=str(limit))
        return response


def _commit(info: CommitInfo, *, formatted: bool) -> dict[str, Any]:
    body: dict[str, Any] = {
        "id": info.oid,
        "title": info.title,
        "message": info.message,
        "date": hub_time(info.date),
        "authors": [{"user": info.author_name}],
    }
    if formatted:
        body["formatted"] = {"title": escape(info.title), "message": escape(info.message)}
    return body


class BranchView(HubView):
    """`POST` and `DELETE /api/{models|datasets}/{repo_id}/branch/{name}`"""

    @extend_schema(request=OpenApiTypes.OBJECT, responses=OpenApiTypes.OBJECT)
    def post(self, request: Request, ref: str, **_: str) -> Response:
        repo = self.find_repo(Action.FILES_WRITE)
        start = bodies.text(bodies.json_object(request), "startingPoint")
        content.create_branch(repo, ref, start=start, by=self.actor)
        return Response({})

    @extend_schema(responses={200: OpenApiTypes.OBJECT})
    def delete(self, request: Request, ref: str, **_: str) -> Response:
        content.delete_branch(self.find_repo(Action.FILES_WRITE), ref, by=self.actor)
        return Response({})


class TagView(HubView):
    """`POST /api/{models|datasets}/{repo_id}/tag/{revision}` with the tag in the body; `DELETE …/tag/{tag}`."""

    @extend_schema(request=OpenApiTypes.OBJECT, responses=OpenApiTypes.OBJECT)
    def post(self, request: Request, ref: str, **_: str) -> Response:
        repo = self.find_repo(Action.FILES_WRITE)
        body = bodies.json_object(request)
        tag, message = bodies.text(body, "tag", required=True), bodies.text(body, "message")
        content.create_tag(repo, tag, revision=ref, message=message, by=self.actor)
        return Response({})

    @extend_schema(responses={200: OpenApiTypes.OBJECT})
    def delete(self, request: Request, ref: str, **_: str) -> Response:
        content.delete_tag(self.find_repo(Action.FILES_WRITE), ref, by=self.actor)
        return Response({})


class SquashView(HubView):
    """`POST /api/{models|datasets}/{repo_id}/super-squash/{branch}`"""

    @extend_schema(request=OpenApiTypes.OBJECT, responses=OpenApiTypes.OBJECT)
    def post(self, request: Request, branch: str, **_: str) -> Response:
        repo = self.find_repo(Action.FILES_WRITE)
        message = bodies.text(bodies.json_object(request), "message")
        return Response({"commitOid": content.squash(repo, branch, message=message, by=self.actor)})


urlpatterns: list[URLPattern] = [
    api_repo_path("refs", RefsView.as_view(), "api_refs"),
    api_repo_path("commits/<rest:revision>", CommitsView.as_view(), "api_commits"),
    api_repo_path("branch/<rest:ref>", BranchView.as_view(), "api_branch"),
    api_repo_path("tag/<rest:ref>", TagView.as_view(), "api_tag"),
    api_repo_path("super-squash/<rest:branch>", SquashView.as_view(), "api_squash"),
]
