"""Calls that arrive and need a harmless answer, and what is not offered, with a reason.  Ends the Hub's addresses."""

from __future__ import annotations

from typing import Any

from django.urls import path
from django.urls.resolvers import URLPattern
from rest_framework.request import Request
from rest_framework.response import Response

from access.policy import Action
from gatehub.hub.base import HubView, NotOffered, api_repo_path
from gatehub.hub.info import WithoutNamespaceView
from repos.errors import RepoNotFound


class AgentHarnessesView(HubView):
    """`GET /api/agent-harnesses`: asked by every process of clients from 1.19 on, and again if it is a 404."""

    schema = None
    authentication_classes = ()

    def get(self, request: Request) -> Response:
        return Response({"standardEnvVars": [], "harnesses": {}})


class TelemetryView(HubView):
    """`/api/telemetry/{topic}`, `/v1/telemetry`: taken, and dropped unread."""

    schema = None
    authentication_classes = ()

    def get(self, request: Request, **_: str) -> Response:
        return Response()

    post = get


class _RefusingView(HubView):
    """Refuses every method, once the token, if there is one, is known to be good."""

    schema = None
    text = "There is nothing at this address."

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        self.refuse()

    def refuse(self) -> None:
        raise NotOffered(self.text)


class NotOfferedView(_RefusingView):
    """A feature of the public hub that there is not here."""


class NotOfferedOfRepoView(_RefusingView):
    """The same of one repo; of a hidden one no more is said than of a missing one."""

    def refuse(self) -> None:
        self.find_repo(Action.CARD_VIEW)
        super().refuse()


class SpaceView(_RefusingView):
    """A repo of the type `space`: not found, in the words that clients understand."""

    text = "Spaces are not offered on this server."

    def refuse(self) -> None:
        raise RepoNotFound(self.text)


def _refused(prefix: str, text: str) -> list[URLPattern]:
    view = NotOfferedView.as_view(text=text)
    return [path(prefix, view), path(f"{prefix}/<rest:rest>", view)]


def _refused_of_repo(prefix: str, text: str) -> list[URLPattern]:
    view = NotOfferedOfRepoView.as_view(text=text)
    return [api_repo_path(prefix, view), api_repo_path(f"{prefix}/<rest:rest>", view)]


urlpatterns: list[URLPattern] = [
    path("api/agent-harnesses", AgentHarnessesView.as_view()),
    path("api/telemetry/<rest:topic>", TelemetryView.as_view()),
    path("v1/telemetry", TelemetryView.as_view()),
    # Never a 200 on discussions: transformers would then send the user's token to a service on the internet
    # (hub-protocol section 8, "Token leak through transformers").
    *_refused_of_repo("discussions", "Discussions and pull requests are not offered on this server."),
    *_refused_of_repo("like", "Likes are not offered on this server."),
    *_refused_of_repo("likers", "Likes are not offered on this server."),
    *_refused_of_repo("duplicate", "Duplicating a repository is not offered on this server. Download and upload it."),
    *_refused_of_repo("xet-read-token", "Xet downloads are not offered on this server. Files are served over HTTP."),
    *_refused_of_repo("lfs-files", "A list of large files is not offered on this server. See the tree."),
    api_repo_path("<rest:rest>", NotOfferedOfRepoView.as_view()),
    path("api/spaces", NotOfferedView.as_view(text=SpaceView.text)),
    path("api/spaces/<rest:rest>", SpaceView.as_view()),
    path("spaces", NotOfferedView.as_view(text=SpaceView.text)),
    path("spaces/<rest:rest>", SpaceView.as_view()),
    *_refused("api/resolve-cache", "A resolve cache is not offered on this server."),
    *_refused("api/buckets", "Buckets are not offered on this server."),
    *_refused("api/collections", "Collections are not offered on this server."),
    *_refused("api/jobs", "Jobs are not offered on this server."),
    *_refused("api/scheduled-jobs", "Jobs are not offered on this server."),
    *_refused("api/settings/webhooks", "Webhooks are not offered on this server."),
    *_refused("api/papers", "Papers are not offered on this server."),
    *_refused("api/daily_papers", "Papers are not offered on this server."),
    path("<segment:name>/resolve/<rest:rest>", WithoutNamespaceView.as_view()),
    path("api/", NotOfferedView.as_view()),
    path("api/<rest:rest>", NotOfferedView.as_view()),
]
