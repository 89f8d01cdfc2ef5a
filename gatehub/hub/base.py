"""What the views of the Hub protocol share: the caller, the repo of the address, absolute URLs, dates."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from django.urls import path, register_converter
from django.urls.resolvers import URLPattern
from rest_framework.views import APIView
from rest_framework.viewsets import ViewSet

from access import policy, selectors
from access.policy import Action
from accounts.actor import Actor
from accounts.errors import NotFound
from gatehub.authentication import actor_of
from repos.git import GitRepo
from repos.models import Repo


class NotOffered(NotFound):
    """A feature of the public hub that GateHub does not have.  The text says so."""


class TypeConverter:
    """`models` or `datasets` in API addresses; gives the repo type."""

    regex = "models|datasets"

    def to_python(self, value: str) -> str:
        return value.removesuffix("s")

    def to_url(self, value: str) -> str:
        return f"{value}s"


class SegmentConverter:
    """One segment of a path, whatever its characters: what is wrong with it is the view's to say."""

    regex = r"[^/]+"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


class RestConverter(SegmentConverter):
    """All that follows, slashes and line breaks included."""

    regex = r"[\s\S]+"


register_converter(TypeConverter, "repo_type")
register_converter(SegmentConverter, "segment")
register_converter(RestConverter, "rest")


def api_repo_path(route: str, view: Any, name: str | None = None) -> URLPattern:
    """`/api/{models|datasets}/{ns}/{name}` and what follows."""
    slash = f"/{route}" if route else ""
    pattern: URLPattern = path(f"api/<repo_type:repo_type>/<segment:namespace>/<segment:name>{slash}", view, name=name)
    return pattern


def page_name(name: str, repo_type: str) -> str:
    """The name by which an address of `web_repo_paths` is reversed for a repo of the type."""
    return f"dataset_{name}" if repo_type == Repo.Type.DATASET else name


def web_repo_paths(
    route: str, view: Any, name: str | None = None, extra: dict[str, str] | None = None
) -> list[URLPattern]:
    """`/{ns}/{name}` and `/datasets/{ns}/{name}`, and what follows, with `extra` arguments for the view.

    The name reverses to the first, and as `page_name` has it to the second.
    """
    address = "<segment:namespace>/<segment:name>" + (f"/{route}" if route else "")
    dataset_name = None if name is None else page_name(name, Repo.Type.DATASET)
    extra = extra or {}
    return [
        path(f"datasets/{address}", view, {"repo_type": "dataset", **extra}, name=dataset_name),
        path(address, view, {"repo_type": "model", **extra}, name=name),
    ]


class CallerMixin:
    """The caller, and the repo that the address names."""

    request: Any
    kwargs: dict[str, Any]

    @cached_property
    def actor(self) -> Actor:
        return actor_of(self.request)

    def find_repo(self, action: Action) -> Repo:
        """The repo of the address, if the caller may do `action` to it; otherwise the refusal."""
        kwargs = self.kwargs
        return selectors.find_repo(self.actor, action, kwargs["repo_type"], kwargs["namespace"], kwargs["name"])

    def may(self, action: Action, repo: Repo) -> bool:
        return policy.may(self.actor, action, repo)

    def absolute(self, path_: str) -> str:
        """The address on the host that the caller used: clients refuse any other."""
        return str(self.request.build_absolute_uri(path_))


class HubView(CallerMixin, APIView):
    """A single address of the protocol."""


class HubViewSet(CallerMixin, ViewSet):
    """Several addresses about one thing."""


def hub_time(moment: datetime) -> str:
    """`2026-01-31T10:20:30.123Z`: the clients' parser wants a literal Z."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def flag(value: str | None) -> bool:
    """A boolean of a query string: `true`, `True`, `1`."""
    return (value or "").lower() in {"1", "true"}


def split_revision(git: GitRepo, rest: str) -> tuple[str, str]:
    """`dev/x/sub/a.txt` as revision and path, by the repo's own refs: servers hand over decoded paths."""
    return git.split(rest)
