"""Repos themselves: create, delete, move, settings (hub-protocol sections 3.1 and 3.2)."""

from __future__ import annotations

from typing import Any

from django.urls import path
from django.urls.resolvers import URLPattern
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from access import policy, selectors
from access.errors import LoginRequired
from access.policy import Action
from accounts.errors import BadRequest, InvalidFields, NotFound
from accounts.models import Namespace
from gatehub.hub.base import HubViewSet, NotOffered, api_repo_path
from gatehub.hub.bodies import json_object
from repos import services
from repos.models import Repo


class _TextField(serializers.CharField):
    """A JSON text, kept letter for letter: a number is not a name."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(trim_whitespace=False, **kwargs)

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            raise serializers.ValidationError("must be a text")
        return data


class _TypeField(_TextField):
    """`model` or `dataset`; missing and null mean a model."""

    def __init__(self) -> None:
        super().__init__(required=False, allow_null=True, default=None, help_text="`model` (default) or `dataset`")

    def run_validation(self, data: Any = serializers.empty) -> str:
        found = super().run_validation(data) or Repo.Type.MODEL
        if found == "space":
            raise NotOffered("Spaces are not offered here: this server hosts models and datasets.")
        if found not in Repo.Type.values:
            raise serializers.ValidationError("must be model or dataset")
        return str(found)


class _StrictBooleanField(serializers.BooleanField):
    """true or false: neither "yes" nor 1 decides who sees a repo."""

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            raise serializers.ValidationError("must be true or false")
        return data


class NamedRepoSerializer(serializers.Serializer[Any]):
    """A repo by its name and namespace.  `organization` missing or null: the caller's own."""

    name = _TextField()
    organization = _TextField(required=False, allow_null=True, allow_blank=True)
    type = _TypeField()

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "/" in attrs["name"]:
            attrs["organization"], attrs["name"] = _split_id(attrs["name"], "name")
        return attrs


class CreateRepoSerializer(NamedRepoSerializer):
    """Clients from 1.8 on send `visibility`, older ones `private`."""

    private = _StrictBooleanField(required=False, allow_null=True)
    visibility = serializers.ChoiceField(["public", "private"], required=False, allow_null=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        attrs = super().validate(attrs)
        private, visibility = attrs.get("private"), attrs.get("visibility")
        if private is not None and visibility is not None and private != (visibility == "private"):
            raise serializers.ValidationError({"visibility": "contradicts `private`"})
        return attrs | {"private": bool(private) or visibility == "private"}


class MoveRepoSerializer(serializers.Serializer[Any]):
    """Both ids as `namespace/name`."""

    fromRepo = _TextField()
    toRepo = _TextField()
    type = _TypeField()


@extend_schema_field({"oneOf": [{"type": "boolean", "enum": [False]}, {"type": "string", "enum": ["auto", "manual"]}]})
class _GatedField(serializers.Field[Any, Any, Any, Any]):
    """false, "auto" or "manual"."""


class RepoAddressSerializer(serializers.Serializer[Any]):
    """Where a repo is, on the host that the caller used."""

    url = serializers.URLField()
    name = serializers.CharField()
    id = serializers.CharField()


class RepoSettingsSerializer(serializers.Serializer[Any]):
    """For the API reference; `repos.services.clean_settings` reads them.  What is not named stays as it is."""

    private = serializers.BooleanField(required=False)
    visibility = serializers.ChoiceField(["public", "private"], required=False)
    gated = _GatedField(required=False)
    orgMembersGated = serializers.BooleanField(required=False)
    gatedNotificationsMode = serializers.ChoiceField(["bulk", "real-time"], required=False)
    gatedNotificationsEmail = serializers.EmailField(required=False, allow_blank=True)


def _split_id(repo_id: str, field: str) -> tuple[str, str]:
    namespace, slash, name = repo_id.partition("/")
    if not slash or not namespace or not name or "/" in name:
        raise InvalidFields({field: "must be namespace/name"})
    return namespace, name


class RepoViewSet(HubViewSet):
    """Create, delete, move, and settings."""

    def _namespace(self, name: str) -> Namespace:
        """The namespace of that name: the caller's own where none is named."""
        if self.actor.user is None:
            raise LoginRequired(next_step="Sign in, or send a token: {url}", help_path="/login")
        namespace = selectors.find_namespace(name or self.actor.user.username)
        if namespace is None:
            raise NotFound(f"There is no user or organization named {name[:60]!r}.")
        return namespace

    def _body(self, kind: type[serializers.Serializer[Any]]) -> dict[str, Any]:
        body = kind(data=json_object(self.request))
        body.is_valid(raise_exception=True)
        return dict(body.validated_data)

    @extend_schema(request=CreateRepoSerializer, responses={200: RepoAddressSerializer})
    def create(self, request: Request) -> Response:
        """`POST /api/repos/create`.  One that exists already is a 409 whose body holds its `url`: clients read it."""
        wanted = self._body(CreateRepoSerializer)
        type_, name = wanted["type"], wanted["name"]
        namespace = self._namespace(wanted.get("organization") or "")
        policy.require_create_in(self.actor, namespace)
        try:
            repo = services.create_repo(
                type_=type_, namespace=namespace, name=name, private=wanted["private"], by=self.actor
            )
        except services.RepoExists as error:
            prefix = "" if type_ == Repo.Type.MODEL else f"{type_}s/"
            error.extra["url"] = self.absolute(f"/{prefix}{namespace.name}/{name}")
            raise
        return self._address(repo)

    def _address(self, repo: Repo) -> Response:
        return Response({"url": self.absolute(repo.path), "name": repo.repo_id, "id": repo.public_id})

    @extend_schema(request=NamedRepoSerializer, responses={200: OpenApiTypes.OBJECT})
    def destroy(self, request: Request) -> Response:
        """`DELETE /api/repos/delete`, with a JSON body."""
        wanted = self._body(NamedRepoSerializer)
        namespace = wanted.get("organization") or str(self.actor)
        repo = selectors.find_repo(self.actor, Action.REPO_DELETE, wanted["type"], namespace, wanted["name"])
        services.delete_repo(repo, by=self.actor)
        return Response({})

    @extend_schema(request=MoveRepoSerializer, responses=RepoAddressSerializer)
    def move(self, request: Request) -> Response:
        """`POST /api/repos/move`: `fromRepo` becomes `toRepo`, and goes on answering under its old id."""
        wanted = self._body(MoveRepoSerializer)
        source = _split_id(wanted["fromRepo"], "fromRepo")
        target, name = _split_id(wanted["toRepo"], "toRepo")
        repo = selectors.find_repo(self.actor, Action.REPO_MOVE, wanted["type"], *source)
        namespace = self._namespace(target)
        policy.require_move_to(self.actor, repo, namespace)
        return self._address(services.move_repo(repo, namespace=namespace, name=name, by=self.actor))

    @extend_schema(request=RepoSettingsSerializer, responses=RepoSettingsSerializer)
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
