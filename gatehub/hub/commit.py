"""Commits: NDJSON, one operation a line; and the one JSON object of huggingface_hub 0.9 (hub-protocol section 6.3)."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.urls.resolvers import URLPattern
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from access.policy import Action
from accounts.errors import BadRequest, InvalidFields, NotAllowed, TooLarge
from gatehub.hub.base import api_repo_path, flag
from gatehub.hub.bodies import text
from gatehub.hub.streams import Lines, StreamingView
from repos import cards, content
from repos.git import AddBlob, DeleteFile, DeleteFolder, GitRepo, clean_path
from repos.models import Repo
from repos.objects import checked_hex

MAX_OPERATIONS = 50_000
_NO_PULL_REQUESTS = "Pull requests are not offered here. Commit to a branch that you may write to."


def refuse_pull_request(request: Request) -> None:
    """Raise NotAllowed for `create_pr=1`."""
    if flag(request.query_params.get("create_pr")):
        raise NotAllowed(_NO_PULL_REQUESTS)


def writable_branch(revision: str) -> str:
    """The branch that a revision names.  Raises NotAllowed for a pull request's ref."""
    if revision.startswith("refs/pr/"):
        raise NotAllowed(_NO_PULL_REQUESTS)
    return content.branch_name(revision)


class _Draft:
    """A commit as its lines arrive.  Small files are staged at once; nothing is held but their names."""

    def __init__(self, git: GitRepo) -> None:
        self._git = git
        self.header: dict[str, Any] | None = None
        self.operations: list[content.Operation] = []

    def take(self, key: object, value: object) -> None:
        """One line.  Raises BadRequest naming what is wrong with it."""
        if not isinstance(key, str) or not isinstance(value, dict):
            raise BadRequest('Each line must be {"key": …, "value": {…}}.')
        if key == "header":
            if self.header is not None:
                raise BadRequest("The commit has two headers.")
            self.header = value
            return
        if self.header is None:
            raise BadRequest("The first line must be the header.")
        if len(self.operations) >= MAX_OPERATIONS:
            raise TooLarge(f"A commit has at most {MAX_OPERATIONS} operations.")
        operation = _READERS.get(key)
        if operation is None:
            raise BadRequest(f"Unknown key {key[:40]!r}: it must be header, {', '.join(_READERS)}.")
        self.operations.append(operation(self, value))

    def file(self, value: dict[str, Any]) -> content.Operation:
        path = clean_path(text(value, "path", required=True))
        data = _decoded(path, value)
        if len(data) > settings.REGULAR_FILE_MAX_BYTES:
            limit = settings.REGULAR_FILE_MAX_BYTES
            raise TooLarge(f"{path} has {len(data)} bytes; files over {limit} bytes go by LFS or Xet.")
        if path == content.CARD:
            _check_card(data)
        return AddBlob(path, self._git.stage_blob(data))

    def large_file(self, value: dict[str, Any]) -> content.Operation:
        path = clean_path(text(value, "path", required=True))
        if path == content.CARD:
            raise BadRequest("README.md must be a text file inside the commit, not a large file.")
        if text(value, "algo") not in {"", "sha256"}:
            raise BadRequest(f"{path}: the hash must be sha256.")
        size = value.get("size")
        if size is not None and (not isinstance(size, int) or isinstance(size, bool) or size < 0):
            raise BadRequest(f"{path}: the size must be a number of bytes.")
        return content.AddLargeFile(path, checked_hex(text(value, "oid", required=True), 64, "oid"), size)

    def deleted_file(self, value: dict[str, Any]) -> content.Operation:
        return DeleteFile(clean_path(text(value, "path", required=True)))

    def deleted_folder(self, value: dict[str, Any]) -> content.Operation:
        return DeleteFolder(clean_path(text(value, "path", required=True).removesuffix("/")))

    def finished(self) -> content.NewCommit:
        if self.header is None:
            raise BadRequest("The commit has no header.")
        return content.NewCommit(
            title=text(self.header, "summary").strip(),
            description=text(self.header, "description"),
            operations=self.operations,
            parent=text(self.header, "parentCommit"),
        )


_READERS = {
    "file": _Draft.file,
    "lfsFile": _Draft.large_file,
    "deletedFile": _Draft.deleted_file,
    "deletedFolder": _Draft.deleted_folder,
}


def _decoded(path: str, value: dict[str, Any]) -> bytes:
    encoding = text(value, "encoding") or "utf-8"
    data = text(value, "content")
    if encoding == "utf-8":
        try:
            return data.encode()
        except UnicodeEncodeError:
            raise BadRequest(f"{path}: the content is not Unicode text.") from None
    if encoding != "base64":
        raise BadRequest(f"{path}: the encoding must be base64 or utf-8, not {encoding[:40]!r}.")
    try:
        return base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError):
        raise BadRequest(f"{path}: the content is not base64.") from None


def _check_card(data: bytes) -> None:
    """A card that cannot be read is refused before anything changes, with lines and reasons."""
    if len(data) > content.CARD_MAX_BYTES:
        raise TooLarge(f"README.md is larger than {content.CARD_MAX_BYTES} bytes.")
    try:
        cards.form_of(cards.read(data))
    except cards.CardError as error:
        raise BadRequest(f"Invalid metadata in README.md: {error.summary}") from None


def _json_lines(lines: Lines) -> Iterator[tuple[object, object]]:
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            found = json.loads(line)
        except (ValueError, RecursionError):
            raise BadRequest(f"Line {number} of the commit is not JSON.") from None
        if not isinstance(found, dict):
            raise BadRequest(f"Line {number} of the commit is not a JSON object.")
        yield found.get("key"), found.get("value")


def _of_one_object(body: bytes) -> Iterator[tuple[object, object]]:
    """The form of huggingface_hub 0.9 to 0.10 as the lines of today."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        raise BadRequest("The commit is not JSON.") from None
    if not isinstance(found, dict):
        raise BadRequest("The commit must be a JSON object.")
    yield "header", {name: found.get(name) for name in ("summary", "description", "parentCommit")}
    for name, key in (("files", "file"), ("lfsFiles", "lfsFile"), ("deletedFiles", "deletedFile")):
        listed = found.get(name) or []
        if not isinstance(listed, list):
            raise InvalidFields({name: "must be a list"})
        yield from ((key, value) for value in listed)


class CommitView(StreamingView):
    """`POST /api/{models|datasets}/{repo_id}/commit/{branch}`"""

    @extend_schema(request=OpenApiTypes.BINARY, responses=OpenApiTypes.OBJECT)
    def post(self, request: Request, revision: str, **_: str) -> Response:
        repo = self.find_repo(Action.FILES_WRITE)
        refuse_pull_request(request)
        branch = writable_branch(revision)
        new = self._read(request, repo)
        sha = content.commit(repo, branch, new, by=self.actor)
        return Response(
            {
                "success": True,
                "commitOid": sha,
                "commitUrl": self.absolute(f"{repo.path}/commit/{sha}"),
                "pullRequestUrl": None,
                "hookOutput": "",
            }
        )

    def _read(self, request: Request, repo: Repo) -> content.NewCommit:
        draft = _Draft(content.open_git(repo))
        whole = (request.content_type or "").split(";")[0].strip() == "application/json"
        # base64 needs four characters for three bytes; the rest of a line is a path and a few words.
        line_bytes = settings.REGULAR_FILE_MAX_BYTES * 4 // 3 + 64 * 1024
        if whole:
            line_bytes = min(settings.COMMIT_MAX_BYTES, 4 * line_bytes)
        lines = Lines(request, line_bytes=line_bytes, total_bytes=settings.COMMIT_MAX_BYTES)
        for key, value in _of_one_object(b"\n".join(lines)) if whole else _json_lines(lines):
            draft.take(key, value)
        return draft.finished()


urlpatterns: list[URLPattern] = [
    api_repo_path("commit/<rest:revision>", CommitView.as_view(), "api_commit"),
]
