"""Before an upload: is the card valid, and which way does each file go (hub-protocol sections 6.1 and 6.2)."""

from __future__ import annotations

import base64
import binascii
import codecs
from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.urls import path
from django.urls.resolvers import URLPattern
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from access.policy import Action
from accounts.errors import BadRequest, InvalidFields
from gatehub.hub.base import HubView, api_repo_path
from gatehub.hub.bodies import json_object, text
from gatehub.hub.commit import refuse_pull_request, writable_branch
from gatehub.hub.gitfiles import Attributes, Ignored, folders_of
from repos import cards, content
from repos.errors import EntryNotFound, RevisionNotFound
from repos.git import Entry, GitRepo, clean_path
from repos.models import Repo

MAX_FILES = 1000
_BINARY_MAX_BYTES = 100_000
"""A larger file that is not text goes the LFS way, as on the public hub."""
_ALWAYS_REGULAR = frozenset({"README.md", ".gitattributes", ".gitignore"})
_GITATTRIBUTES = ".gitattributes"
_GITATTRIBUTES_MAX_BYTES = 256 * 1024


class ValidateYamlView(HubView):
    """`POST /api/validate-yaml`: a JSON object in every case; 400 when there are errors."""

    @extend_schema(request=OpenApiTypes.OBJECT, responses=OpenApiTypes.OBJECT)
    def post(self, request: Request) -> Response:
        body = json_object(request)
        errors, warnings = cards.validate(text(body, "content"), text(body, "repoType") or "model")
        answer = {
            "errors": [{"message": message} for message in errors],
            "warnings": [{"message": message} for message in warnings],
        }
        if errors:
            raise BadRequest(f"Invalid metadata in README.md: {errors[0]}", extra=answer)
        return Response(answer)


class PreuploadView(HubView):
    """`POST /api/{models|datasets}/{repo_id}/preupload/{branch}`"""

    @extend_schema(request=OpenApiTypes.OBJECT, responses=OpenApiTypes.OBJECT)
    def post(self, request: Request, revision: str, **_: str) -> Response:
        repo = self.find_repo(Action.FILES_WRITE)
        refuse_pull_request(request)
        branch = writable_branch(revision)
        git = content.open_git(repo)
        head = git.head(branch)
        if head is None:
            raise RevisionNotFound(f"There is no branch {branch[:100]!r}.")
        body = json_object(request)
        listed = body.get("files")
        if not isinstance(listed, list) or len(listed) > MAX_FILES:
            raise InvalidFields({"files": f"must be a list of at most {MAX_FILES} files"})
        asked = [_Asked(item) for item in listed]
        attributes = Attributes(_attribute_files(git, head, [one.path for one in asked]))
        ignored = Ignored(text(body, "gitIgnore") or _text_at(git, head, ".gitignore"))
        there = self._content_ids(repo, git.paths_info(head, [one.path for one in asked]))
        return Response(
            {
                "files": [
                    {
                        "path": one.given,
                        "uploadMode": one.mode(attributes),
                        "shouldIgnore": ignored(one.path),
                        "oid": there.get(one.path),
                    }
                    for one in asked
                ]
            }
        )

    def _content_ids(self, repo: Repo, entries: Iterable[Entry]) -> dict[str, str]:
        """What clients compare with their own files: git hashes; sha-256 of large files, for who may read those."""
        readable = self.may(Action.FILES_READ, repo)
        files = [entry for entry in entries if entry.type == "file" and (readable or entry.lfs is None)]
        return {entry.path: entry.etag for entry in files}


class _Asked:
    """One file that a client is about to upload."""

    def __init__(self, item: Any) -> None:
        if not isinstance(item, dict):
            raise InvalidFields({"files": "must be a list of objects"})
        self.given = text(item, "path", required=True)
        self.path = clean_path(self.given)
        size = item.get("size")
        if not isinstance(size, int) or isinstance(size, bool) or size < 0:
            raise BadRequest(f"{self.path}: the size must be a number of bytes.")
        self.size = size
        try:
            self.sample = base64.b64decode(text(item, "sample"), validate=True)
        except (binascii.Error, ValueError):
            raise BadRequest(f"{self.path}: the sample is not base64.") from None

    def mode(self, attributes: Attributes) -> str:
        """`lfs` or `regular`.  Parquet files are always large: datasets deletes its copy after this call."""
        if self.path.endswith(".parquet"):
            return "lfs"
        if self.size > settings.REGULAR_FILE_MAX_BYTES:
            return "lfs"
        if self.path.rpartition("/")[2] in _ALWAYS_REGULAR or self.size == 0:
            return "regular"
        if attributes.is_lfs(self.path):
            return "lfs"
        return "lfs" if self.size > _BINARY_MAX_BYTES and _is_binary(self.sample) else "regular"


def _is_binary(sample: bytes) -> bool:
    if b"\0" in sample:
        return True
    try:
        codecs.getincrementaldecoder("utf-8")().decode(sample)  # The sample may end within a character.
    except UnicodeDecodeError:
        return True
    return False


def _attribute_files(git: GitRepo, commit: str, paths: Iterable[str]) -> dict[str, str]:
    """The `.gitattributes` that speak of these paths, by the folder they are in."""
    folders = {"", *(folder for path_ in paths for folder in folders_of(path_))}
    wanted = {f"{folder}/{_GITATTRIBUTES}".lstrip("/"): folder for folder in folders}
    return {
        wanted[entry.path]: _text_at(git, commit, entry.path)
        for entry in git.paths_info(commit, list(wanted))
        if entry.path in wanted
    }


def _text_at(git: GitRepo, commit: str, path_: str) -> str:
    """A small text file, or nothing where there is none."""
    try:
        entry = git.entry(commit, path_)
    except EntryNotFound:
        return ""
    if entry.type != "file" or entry.lfs is not None or entry.size > _GITATTRIBUTES_MAX_BYTES:
        return ""
    return git.read_blob(entry.oid).decode("utf-8", "replace")


urlpatterns: list[URLPattern] = [
    path("api/validate-yaml", ValidateYamlView.as_view(), name="api_validate_yaml"),
    api_repo_path("preupload/<rest:revision>", PreuploadView.as_view(), "api_preupload"),
]
