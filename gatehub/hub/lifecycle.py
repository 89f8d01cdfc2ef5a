"""Repos themselves: create, delete, move, settings (hub-protocol sections 3.1 and 3.2)."""

from __future__ import annotations

from typing import Any

from django.urls import path
from django.urls.resolvers import URLPattern
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from access import policy, selectors
from access.errors import LoginRequired
from access.policy import Action
from accounts.errors import BadRequest, InvalidFields, NotFound
from accounts.models import Namespace
from gatehub.hub.base import HubViewSet, NotOffered, api_repo_path
from gatehub.hub.bodies import json_object, text
from repos import services
from repos.models import Repo

_VISIBILITY = {"public": False, "private": True}


def _repo_type(body: dict[str, Any]) -> str:
    """The repo type of a body: missing and null mean a model."""
    found = text(body, "type") or Repo.Type.MODEL
    if found == "space":
        raise NotOffered("Spaces are not offered here: this server hosts models and datasets.")
    if found not in Repo.Type.values:
        raise InvalidFields({"type": "must be model or dataset"})
    return found


def _private(body: dict[str, Any]) -> bool:
    """Whether the new repo is private, in both spellings: `visibility`, and `private` of older clients."""
    private = body.get("private")
    visibility = body.get("visibility")
    if private is not None and not isinstance(private, bool):
        raise InvalidFields({"private": "must be true or false"})
    if visibility is None:
        return bool(private)
    if not isinstance(visibility, str) or visibility not in _VISIBILITY:
        raise InvalidFields({"visibility": "must be public or private"})
    if private is not None and private != _VISIBILITY[visibility]:
        raise InvalidFields({"visibility": "contradicts `private`"})
    return _VISIBILITY[visibility]


def _split_id(repo_id: str, field: str) -> tuple[str, str]:
    namespace, slash, name = repo_id.partition("/")
    if not slash or not namespace or not name or "/" in name:
        raise InvalidFields({field: "must be namespace/name"})
    return namespace, name


class RepoViewSet(HubViewSet):
    """Create, delete, move, and settings."""

    def _namespace(self, name: str) -> Namespace:
        """The namespace to create in: the caller's own where none is named."""
        if self.actor.user is None:
            raise LoginRequired(next_step="Sign in, or send a token: {url}", help_path="/login")
        namespace = selectors.find_namespace(name or self.actor.user.username)
        if namespace is None:
            raise NotFound(f"There is no user or organization named {name[:60]!r}.")
        policy.require_create_in(self.actor, namespace)
        return namespace

    def _named(self, body: dict[str, Any], action: Action) -> Repo:
        """The repo that a body names by `name` and `organization`."""
        name = text(body, "name", required=True)
        namespace = text(body, "organization") or str(self.actor)
        if "/" in name:
            namespace, name = _split_id(name, "name")
        return selectors.find_repo(self.actor, action, _repo_type(body), namespace, name)

    @extend_schema(request=OpenApiTypes.OBJECT, responses=OpenApiTypes.OBJECT)
    def create(self, request: Request) -> Response:
        """`POST /api/repos/create`.  One that exists already is a 409 whose body holds its `url`: clients read it."""
        body = json_object(request)
        type_ = _repo_type(body)
        private = _private(body)
        name, organization = text(body, "name", required=True), text(body, "organization")
        if "/" in name:
            organization, name = _split_id(name, "name")
        namespace = self._namespace(organization)
        try:
            repo = services.create_repo(type_=type_, namespace=namespace, name=name, private=private, by=self.actor)
        except services.RepoExists as error:
            prefix = "" if type_ == Repo.Type.MODEL else f"{type_}s/"
            error.extra["url"] = self.absolute(f"/{prefix}{namespace.name}/{name}")
            raise
        return Response({"url": self.absolute(repo.path), "name": repo.repo_id, "id": repo.public_id})

    @extend_schema(request=OpenApiTypes.OBJECT, responses=OpenApiTypes.OBJECT)
    def destroy(self, request: Request) -> Response:
        """`DELETE /api/repos/delete`, with a JSON body."""
        services.delete_repo(self._named(json_object(request), Action.REPO_DELETE), by=self.actor)
        return Response({})

    @extend_schema(request=OpenApiTypes.OBJECT, responses=OpenApiTypes.OBJECT)
    def move(self, request: Request) -> Response:
        """`POST /api/repos/move`: `fromRepo` becomes `toRepo`, and goes on answering under its old id."""
        body = json_object(request)
        source = _split_id(text(body, "fromRepo", required=True), "fromRepo")
        target, name = _split_id(text(body, "toRepo", required=True), "toRepo")
        repo = selectors.find_repo(self.actor, Action.REPO_MOVE, _repo_type(body), *source)
        # Whoever may move it may rename it where it is.
        renamed = target.lower() == repo.namespace.name.lower()
        namespace = repo.namespace if renamed else self._namespace(target)
        moved = services.move_repo(repo, namespace=namespace, name=name, by=self.actor)
        return Response({"url": self.absolute(moved.path), "name": moved.repo_id, "id": moved.public_id})

    @extend_schema(request=OpenApiTypes.OBJECT, responses=OpenApiTypes.OBJECT)
    def change_settings(self, request: Request, **_: str) -> Response:
        """`PUT /api/{models|datasets}/{repo_id}/settings`: changes what is named, and echoes it."""
        repo = self.find_repo(Action.SETTINGS_CHANGE)
        body = json_object(request)
        if not body:
            raise BadRequest("Name at least one setting to change.")
        changed = services.change_settings(repo, body, by=self.actor)
        shown = {
            "gated": changed.gated if changed.is_gated else False,
            "private": changed.private,
            "visibility": "private" if changed.private else "public",
            "orgMembersGated": changed.org_members_gated,
        }
        return Response({name: shown[name] for name in body if name in shown})


urlpatterns: list[URLPattern] = [
    path("api/repos/create", RepoViewSet.as_view({"post": "create"}), name="api_create_repo"),
    path("api/repos/delete", RepoViewSet.as_view({"delete": "destroy"}), name="api_delete_repo"),
    path("api/repos/move", RepoViewSet.as_view({"post": "move"}), name="api_move_repo"),
    api_repo_path("settings", RepoViewSet.as_view({"put": "change_settings"}), "api_settings"),
]
