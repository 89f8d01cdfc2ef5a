"""Who the caller is, what is known of people and organizations, and what the caller keeps here."""

from __future__ import annotations

import hashlib
import re
from typing import Any

from django.db.models import Count, IntegerField, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.urls.resolvers import URLPattern
from django.utils.html import format_html
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from access import selectors
from access.errors import LoginRequired
from access.models import AccessToken, TokenScope
from accounts.errors import NotFound
from accounts.models import Membership, Namespace, Organization, User
from gatehub.hub.base import HubView, hub_time
from gatehub.hub.pagination import CURSOR, PAGE, keyset_page, next_link
from repos.models import LfsObject, Repo

_MOST_ORGS = 200
_AVATAR = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]{0,95})\.svg", re.ASCII)


def avatar_path(name: str) -> str:
    return f"/avatars/{name}.svg"


class WhoamiView(HubView):
    """`GET /api/whoami-v2`, which every client asks when it logs in.  What is no token at all costs no query."""

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: Request) -> Response:
        user = _person(self)
        return Response(
            {
                "type": "user",
                "id": user.public_id,
                "name": user.username,
                "fullname": user.get_full_name(),
                "email": user.email,
                "emailVerified": user.has_verified_address,
                "isPro": False,
                "canPay": False,
                "avatarUrl": avatar_path(user.username),
                "orgs": [_org_of(membership) for membership in _memberships(user)],
                "auth": _auth(self.actor.token),
            }
        )


def _person(view: HubView) -> User:
    user = view.actor.user
    if user is None:
        raise LoginRequired(next_step="Create a token at {url} and sign in with it.", help_path="/settings/tokens")
    return user


def _memberships(user: User) -> QuerySet[Membership]:
    return (
        user.memberships.select_related("organization__namespace")
        .filter(organization__namespace__isnull=False)
        .order_by("organization__namespace__name")
    )


def _org_of(membership: Membership) -> dict[str, Any]:
    return _org(membership.organization) | {"roleInOrg": membership.role}


def _org(organization: Organization) -> dict[str, Any]:
    return {
        "type": "org",
        "id": organization.public_id,
        "name": organization.name,
        "fullname": organization.display_name,
        "avatarUrl": avatar_path(organization.name),
        "isEnterprise": False,
    }


def _auth(token: AccessToken | None) -> dict[str, Any]:
    """How the caller proved who they are; clients keep the token by `displayName`."""
    if token is None:
        return {"type": "session"}
    fine_grained = token.role == AccessToken.Role.FINE_GRAINED
    shown: dict[str, Any] = {
        "displayName": token.name,
        "role": "fineGrained" if fine_grained else token.role,
        "createdAt": hub_time(token.created_at),
    }
    if fine_grained:
        shown["fineGrained"] = {
            "canReadGatedRepos": token.can_read_gated,
            "global": [],
            "scoped": _scopes(token),
        }
    return {"type": "access_token", "accessToken": shown}


def _scopes(token: AccessToken) -> list[dict[str, Any]]:
    """The entities that a token is limited to, each with its permissions."""
    scopes = token.scopes.select_related("namespace", "repo__namespace").order_by("pk")
    by_entity: dict[str, dict[str, Any]] = {}
    for scope in scopes:
        entity = _entity(scope)
        by_entity.setdefault(entity["_id"], {"entity": entity, "permissions": []})["permissions"].append(
            scope.permission
        )
    return list(by_entity.values())


def _entity(scope: TokenScope) -> dict[str, str]:
    if scope.repo is not None:
        return {"_id": scope.repo.public_id, "type": scope.repo.type, "name": scope.repo.repo_id}
    namespace = scope.namespace
    assert namespace is not None  # The check constraint promises one of the two.
    if namespace.organization_id is not None:
        return {"_id": f"o-{namespace.organization_id}", "type": "org", "name": namespace.name}
    return {"_id": f"u-{namespace.user_id}", "type": "user", "name": namespace.name}


def _namespace(name: str, *, organization: bool) -> Namespace | None:
    found = selectors.find_namespace(name)
    return found if found is not None and found.is_organization == organization else None


def _counts(view: HubView, namespace: Namespace) -> dict[str, int]:
    """How many repos of the namespace the caller may know of."""
    repos = selectors.visible_repos(view.actor).filter(namespace=namespace).order_by()
    return repos.aggregate(
        numModels=Count("pk", filter=Q(type=Repo.Type.MODEL)), numDatasets=Count("pk", filter=Q(type=Repo.Type.DATASET))
    )


class UserOverviewView(HubView):
    """`GET /api/users/{name}/overview`"""

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: Request, name: str) -> Response:
        namespace = _namespace(name, organization=False)
        if namespace is None or namespace.user is None or not namespace.user.is_active:
            raise NotFound("User not found")
        user = namespace.user
        return Response(
            {
                "_id": user.public_id,
                "type": "user",
                "user": user.username,
                "fullname": user.get_full_name(),
                "avatarUrl": avatar_path(user.username),
                "isPro": False,
                **_counts(self, namespace),
                "numSpaces": 0,
                "createdAt": hub_time(user.date_joined),
                "orgs": [_org(membership.organization) for membership in _memberships(user)[:_MOST_ORGS]],
            }
        )


class OrganizationOverviewView(HubView):
    """`GET /api/organizations/{name}/overview`"""

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: Request, name: str) -> Response:
        namespace = _namespace(name, organization=True)
        if namespace is None or namespace.organization is None:
            raise NotFound("Organization not found")
        organization = namespace.organization
        body = _org(organization) | {
            "_id": organization.public_id,
            "isVerified": False,
            "numUsers": organization.memberships.count(),
            **_counts(self, namespace),
            "numSpaces": 0,
        }
        return Response(body)


class RepositoriesView(HubView):
    """`GET /api/settings/repositories` (the caller's own), `/api/organizations/{name}/settings/repositories`.

    Of an organization's repos those that the caller may know of.
    """

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: Request, name: str | None = None) -> Response:
        user = _person(self)
        namespace = user.namespace if name is None else _namespace(name, organization=True)
        if namespace is None:
            raise NotFound("Organization not found")
        kept = LfsObject.objects.filter(repo=OuterRef("pk")).order_by().values("repo").annotate(bytes=Sum("size"))
        repos = (
            selectors.visible_repos(self.actor)
            .filter(namespace=namespace)
            .annotate(storage=Coalesce(Subquery(kept.values("bytes")), 0, output_field=IntegerField()))
        )
        page, cursor = keyset_page(repos, request, column="last_modified", descending=True, limit=PAGE)
        response = Response([_stored(repo) for repo in page])
        if cursor is not None:
            response["Link"] = next_link(request, request._request.path, **{CURSOR: cursor})
        return response


def _stored(repo: Any) -> dict[str, Any]:
    """`repo` is a Repo with its `storage` in bytes."""
    return {
        "id": repo.repo_id,
        "type": repo.type,
        "updatedAt": hub_time(repo.last_modified),
        "visibility": "private" if repo.private else "public",
        "storage": repo.storage,
        "storagePercent": 0,  # There are no quotas here.
    }


def avatar(request: HttpRequest, file: str) -> HttpResponse:
    """A letter on a colour, made from the name alone: it is there for every name, whether anybody bears it or not."""
    match = _AVATAR.fullmatch(file)
    if match is None:
        raise NotFound("There is no such picture.")
    name = match[1]
    hue = int.from_bytes(hashlib.sha256(name.lower().encode()).digest()[:2], "big") % 360
    image = format_html(
        '<svg xmlns="http://www.w3.org/2000/svg" width="64" height="64" viewBox="0 0 64 64" role="img" aria-label="{}">'
        '<rect width="64" height="64" fill="hsl({}, 45%, 42%)"/>'
        '<text x="32" y="33" text-anchor="middle" dominant-baseline="central" fill="#fff" '
        'font-family="system-ui, sans-serif" font-size="30">{}</text></svg>',
        name,
        hue,
        name[0].upper(),
    )
    return HttpResponse(image, content_type="image/svg+xml", headers={"Cache-Control": "public, max-age=86400"})


urlpatterns: list[URLPattern] = [
    path("api/whoami-v2", WhoamiView.as_view(), name="api_whoami"),
    path("api/users/<segment:name>/overview", UserOverviewView.as_view()),
    path("api/organizations/<segment:name>/overview", OrganizationOverviewView.as_view()),
    path("api/settings/repositories", RepositoriesView.as_view()),
    path("api/organizations/<segment:name>/settings/repositories", RepositoriesView.as_view()),
    path("avatars/<rest:file>", avatar, name="avatar"),
]
