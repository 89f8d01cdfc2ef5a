"""Lists of repos, with filters: only what the caller may know of."""

from __future__ import annotations

from typing import Any

from django.urls import path
from django.urls.resolvers import URLPattern
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from access import selectors
from accounts.errors import BadRequest
from gatehub.hub.base import HubView, flag
from gatehub.hub.pagination import CURSOR, PAGE, keyset_page, next_link, whole_number
from gatehub.hub.repo_objects import expanded, only, repo_object
from repos.models import Repo, RepoQuerySet

SORTS = {
    "lastModified": "last_modified",
    "last_modified": "last_modified",
    "createdAt": "created_at",
    "created_at": "created_at",
    "downloads": "downloads",
    # Nothing is liked and nothing trends here: what is downloaded most comes nearest.
    "likes": "downloads",
    "trendingScore": "downloads",
    "trending_score": "downloads",
}
_MAX_TERMS = 20


class ListView(HubView):
    """`GET /api/{models|datasets}?filter=&author=&search=&gated=&sort=&direction=&limit=&full=&cardData=&expand=`

    `siblings` are left out, whatever is asked for: they would cost a look into each repo.  Parameters of the public
    hub that mean nothing here (`inference`, `apps`, …) are ignored.
    """

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: Request, repo_type: str) -> Response:
        column, descending = _order(request)
        repos = _chosen(selectors.visible_repos(self.actor, repo_type), request)
        limit = whole_number(request, "limit", PAGE, least=1, most=PAGE)
        page, cursor = keyset_page(repos, request, column=column, descending=descending, limit=limit)
        response = Response([_shown(repo, request) for repo in page])
        if cursor is not None:
            response["Link"] = next_link(request, f"/api/{repo_type}s", **{CURSOR: cursor})
        return response


def _order(request: Request) -> tuple[str, bool]:
    sort = request.query_params.get("sort") or "lastModified"
    if sort not in SORTS:
        raise BadRequest(f"sort must be one of {', '.join(name for name in SORTS if '_' not in name)}.")
    direction = request.query_params.get("direction") or "-1"
    if direction not in ("-1", "1"):
        raise BadRequest("direction must be -1 (most or newest first) or 1.")
    return SORTS[sort], direction == "-1"


def _texts(request: Request, name: str) -> list[str]:
    """The values of a parameter that may be repeated; empty ones choose nothing."""
    values = [value for value in request.query_params.getlist(name) if value]
    if len(values) > _MAX_TERMS:
        raise BadRequest(f"{name} may be given {_MAX_TERMS} times at most.")
    if any("\0" in value for value in values):
        raise BadRequest(f"{name} must not contain NUL.")
    return values


def _chosen(repos: RepoQuerySet, request: Request) -> RepoQuerySet:
    """Those repos that meet every one of the conditions."""
    for tag in [*_texts(request, "filter"), *_texts(request, "pipeline_tag")]:
        repos = repos.tagged(tag)
    for author in _texts(request, "author"):
        repos = repos.by_author(author)
    for text in _texts(request, "search"):
        repos = repos.containing(text)
    gated = request.query_params.get("gated")
    return repos.gated_or_not(flag(gated)) if gated else repos


def _shown(repo: Repo, request: Request) -> dict[str, Any]:
    body = repo_object(repo)
    fields = expanded(request)
    if fields:
        return only(body, fields)
    if not (flag(request.query_params.get("cardData")) or flag(request.query_params.get("full"))):
        del body["cardData"]
    return body


class TagsByTypeView(HubView):
    """`GET /api/{models|datasets}-tags-by-type`: there is no fixed list of tags here."""

    schema = None

    def get(self, request: Request) -> Response:
        return Response({})


urlpatterns: list[URLPattern] = [
    path("api/<repo_type:repo_type>", ListView.as_view(), name="api_repos"),
    path("api/models-tags-by-type", TagsByTypeView.as_view()),
    path("api/datasets-tags-by-type", TagsByTypeView.as_view()),
]
