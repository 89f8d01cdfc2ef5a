"""git over HTTP: clone, fetch and push with the ordinary `git`, through git's own `http-backend`.

Access is asked first; then `git http-backend` speaks the protocol as a CGI program, with the body streamed both ways.
What a push may change is decided by `pre_receive` before any branch moves.  Source: git's own git-http-backend page.
"""

from __future__ import annotations

import logging
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import cached_property
from http import HTTPStatus
from typing import IO, Any

from django.conf import settings
from django.http import StreamingHttpResponse
from django.urls.resolvers import URLPattern
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from access.policy import Action
from accounts.actor import Actor, Entrance
from accounts.errors import BadRequest, HubError, NotAllowed
from gatehub.authentication import actor_of
from gatehub.hub.base import HubView, web_repo_paths
from repos import content
from repos.models import Repo

log = logging.getLogger("gatehub.git")

_SERVICES = {"git-upload-pack": Action.FILES_READ, "git-receive-pack": Action.FILES_WRITE}
_PIECE = 64 * 1024
_PROTOCOL = re.compile(r"version=[0-9]{1,2}(:[a-z0-9=.-]{1,40})?", re.ASCII)


class GitFailed(HubError):
    """git ended with an error before it said anything."""

    status = 500
    default_message = "git could not serve this request."


def _options(repo: Repo) -> list[str]:
    limits = {
        "http.receivepack": "true",
        "http.uploadpack": "true",
        "uploadpack.allowFilter": "true",
        "safe.directory": str(repo.git_dir),
        "core.hooksPath": str(settings.BASE_DIR / "repos" / "git" / "hooks"),
        "core.fsync": "all",  # A push that was acknowledged survives a power cut.
        "receive.fsckObjects": "true",
        "receive.autogc": "false",
        "receive.maxInputSize": str(settings.COMMIT_MAX_BYTES),
        "receive.denyDeleteCurrent": "refuse",
    }
    return [option for name, value in limits.items() for option in ("-c", f"{name}={value}")]


def _environment(request: Request, repo: Repo, path: str, actor: Actor) -> dict[str, str]:
    """The CGI environment: nothing of our own but what git and the hook need."""
    meta = request.META
    environment = {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(settings.GATEHUB_TMP_DIR),  # No configuration of whoever runs the server.
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_HTTP_EXPORT_ALL": "1",
        "GIT_PROJECT_ROOT": str(repo.git_dir.parent),
        "PATH_INFO": f"/{repo.git_dir.name}/{path}",
        "REQUEST_METHOD": str(request.method),
        "QUERY_STRING": meta.get("QUERY_STRING", ""),
        "CONTENT_TYPE": meta.get("CONTENT_TYPE", ""),
        "REMOTE_USER": "" if actor.user is None else actor.user.username,
        "REMOTE_ADDR": actor.address,
        "GATEHUB_HOOK_PYTHON": sys.executable,
        "GATEHUB_HOOK_MANAGE": str(settings.BASE_DIR / "manage.py"),
        "GATEHUB_HOOK_REPO": str(repo.pk),
    }
    if meta.get("CONTENT_LENGTH"):
        environment["CONTENT_LENGTH"] = meta["CONTENT_LENGTH"]
    if meta.get("HTTP_CONTENT_ENCODING"):
        environment["HTTP_CONTENT_ENCODING"] = meta["HTTP_CONTENT_ENCODING"]
    if _PROTOCOL.fullmatch(meta.get("HTTP_GIT_PROTOCOL", "")):
        environment["GIT_PROTOCOL"] = meta["HTTP_GIT_PROTOCOL"]
    # The hook runs this very product, with its settings.
    return environment | {name: value for name, value in os.environ.items() if name.startswith(("GATEHUB_", "DJANGO_"))}


def _feed(source: Any, sink: IO[bytes]) -> None:
    """Hand the request's body to git.  git ends early when it refuses, and a client may vanish: both end the feed."""
    try:
        while piece := source.read(_PIECE):
            sink.write(piece)
    except OSError as error:
        log.info("The body of a git request ended early: %s", type(error).__name__)
    finally:
        try:
            sink.close()
        except BrokenPipeError:
            log.debug("git had closed its end already.")


def _headers(output: IO[bytes]) -> tuple[int, dict[str, str]]:
    """The CGI headers that git prints before the body."""
    status = int(HTTPStatus.OK)
    headers: dict[str, str] = {}
    for line in iter(output.readline, b""):
        text = line.decode("latin-1").strip()
        if not text:
            return status, headers
        name, _, value = text.partition(":")
        if name.lower() == "status":
            status = int(value.split()[0])
        else:
            headers[name] = value.strip()
    raise GitFailed


class GitView(HubView):
    """What the three addresses of git's smart protocol share."""

    parser_classes: list[Any] = []

    @cached_property
    def actor(self) -> Actor:
        return actor_of(self.request, Entrance.GIT)

    def _repo_for(self, service: str) -> Repo:
        action = _SERVICES.get(service)
        if action is None:
            raise BadRequest("Only git's smart protocol is served here: a git from this century speaks it.")
        self.kwargs["name"] = self.kwargs["name"].removesuffix(".git")
        repo = self.find_repo(action)
        if service == "git-receive-pack" and not content.open_git(repo).head(content.MAIN):
            raise NotAllowed("This repository has no branch main; create it anew.")
        return repo

    def _run(self, request: Request, repo: Repo, path: str, *, pushes: bool) -> StreamingHttpResponse:
        settings.GATEHUB_TMP_DIR.mkdir(parents=True, exist_ok=True)
        process = subprocess.Popen(
            ["git", *_options(repo), "http-backend"],  # noqa: S607 - git is found as everywhere else.
            env=_environment(request, repo, path, self.actor),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        assert process.stdin is not None
        assert process.stdout is not None
        threading.Thread(target=_feed, args=[request._request, process.stdin], daemon=True).start()
        before = self._refs(repo) if pushes else {}
        try:
            status, headers = _headers(process.stdout)
        except BaseException:
            process.kill()
            process.wait()
            raise
        body = self._body(process, repo, before, pushes=pushes)
        response = StreamingHttpResponse(body, status=status)
        for name, value in headers.items():
            response[name] = value
        return response

    def _refs(self, repo: Repo) -> dict[str, str]:
        git = content.open_git(repo)
        return {ref.ref: ref.target for ref in [*git.branches(), *git.tags()]}

    def _body(
        self, process: subprocess.Popen[bytes], repo: Repo, before: dict[str, str], *, pushes: bool
    ) -> Iterator[bytes]:
        assert process.stdout is not None
        try:
            # read1: what git says now, not once there is more of it.
            while piece := process.stdout.read1(_PIECE):  # type: ignore[attr-defined]
                yield piece
        finally:
            process.stdout.close()
            if process.poll() is None and not pushes:
                process.kill()  # The reader has gone; a push, by contrast, is seen through to its end.
            process.wait()
            if pushes:
                content.record_push(repo, before=before, after=self._refs(repo), by=self.actor)


@extend_schema(exclude=True)
class InfoRefsView(GitView):
    """`GET …/info/refs?service=git-upload-pack`: which branches and tags there are."""

    def get(self, request: Request, **_: Any) -> StreamingHttpResponse:
        repo = self._repo_for(request.query_params.get("service", ""))
        return self._run(request, repo, "info/refs", pushes=False)


@extend_schema(exclude=True)
class ServiceView(GitView):
    """`POST …/git-upload-pack` (clone, fetch) and `POST …/git-receive-pack` (push)."""

    def post(self, request: Request, service: str, **_: Any) -> StreamingHttpResponse:
        repo = self._repo_for(service)
        return self._run(request, repo, service, pushes=service == "git-receive-pack")


_info_refs, _service = InfoRefsView.as_view(), ServiceView.as_view()

urlpatterns: list[URLPattern] = [
    *web_repo_paths("info/refs", _info_refs),
    *[pattern for service in _SERVICES for pattern in web_repo_paths(service, _service, extra={"service": service})],
]
