"""Git LFS: batch, basic and multipart uploads, verification, downloads for git-lfs (hub-protocol section 6.5).

Sources: git-lfs docs/api/batch.md, docs/api/basic-transfers.md.
"""

from __future__ import annotations

import math
from typing import Any

from django.conf import settings
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.urls import path
from django.urls.resolvers import URLPattern
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from access.policy import Action
from accounts.errors import BadRequest, InvalidFields, NotFound, TooLarge
from gatehub.hub import grants
from gatehub.hub.base import HubView, NotOffered, web_repo_paths
from gatehub.hub.bodies import json_object, text
from gatehub.hub.grants import Grant
from gatehub.hub.serving import serve_object
from gatehub.hub.streams import StreamingView, content_length
from repos import content, multipart, objects
from repos.models import LfsObject, Repo
from repos.objects import checked_hex

LFS_TYPE = "application/vnd.git-lfs+json"
MAX_OBJECTS = 1000
_ACTIONS = {"upload": Action.FILES_WRITE, "download": Action.FILES_READ}


class LfsView(HubView):
    """An address below `{repo_id}.git/info/lfs`."""

    def lfs_repo(self, action: Action) -> Repo:
        self.kwargs["name"] = self.kwargs["name"].removesuffix(".git")
        return self.find_repo(action)


def _answer(body: dict[str, Any], status: int = 200) -> Response:
    return Response(body, status=status, content_type=LFS_TYPE)


def _wanted(body: dict[str, Any]) -> list[tuple[str, int]]:
    """The objects of a batch, as hash and size."""
    listed = body.get("objects")
    if not isinstance(listed, list) or len(listed) > MAX_OBJECTS:
        raise InvalidFields({"objects": f"must be a list of at most {MAX_OBJECTS} objects"})
    found = []
    for item in listed:
        if not isinstance(item, dict):
            raise InvalidFields({"objects": "must be a list of objects"})
        size = item.get("size")
        if not isinstance(size, int) or isinstance(size, bool) or size < 0:
            raise InvalidFields({"size": "must be a number of bytes"})
        found.append((checked_hex(text(item, "oid", required=True), 64, "oid"), size))
    return found


def _transfers(body: dict[str, Any]) -> list[str]:
    offered = body.get("transfers")
    if offered is None:
        return ["basic"]
    if not isinstance(offered, list):
        raise InvalidFields({"transfers": "must be a list"})
    return [name for name in offered if isinstance(name, str)]


@extend_schema(exclude=True)
class BatchView(LfsView):
    """`POST …/info/lfs/objects/batch`.  An object counts as there only if this very repo holds it."""

    def post(self, request: Request, **_: str) -> Response:
        body = json_object(request)
        operation = text(body, "operation", required=True)
        action = _ACTIONS.get(operation)
        if action is None:
            raise InvalidFields({"operation": "must be upload or download"})
        repo = self.lfs_repo(action)
        if text(body, "hash_algo") not in {"", "sha256"}:
            raise InvalidFields({"hash_algo": "must be sha256"})
        wanted = _wanted(body)
        held = dict(
            LfsObject.objects.filter(repo=repo, sha256__in=[oid for oid, _ in wanted]).values_list("sha256", "size")
        )
        if operation == "download":
            listed = [self._download(repo, oid, size, held) for oid, size in wanted]
            return _answer({"transfer": "basic", "objects": listed, "hash_algo": "sha256"})
        transfer = self._transfer(body, wanted)
        extra = grants.extra_seconds(sum(size for _, size in wanted))
        listed = [self._upload(repo, oid, size, held, transfer, extra) for oid, size in wanted]
        return _answer({"transfer": transfer, "objects": listed, "hash_algo": "sha256"})

    def _transfer(self, body: dict[str, Any], wanted: list[tuple[str, int]]) -> str:
        """Parts where the client knows them and a file is large.  Never Xet: its older clients speak another form."""
        large = any(size >= settings.LFS_MULTIPART_FROM_BYTES for _, size in wanted)
        return "multipart" if large and "multipart" in _transfers(body) else "basic"

    def _upload(
        self, repo: Repo, oid: str, size: int, held: dict[str, int], transfer: str, extra_seconds: int
    ) -> dict[str, Any]:
        answer: dict[str, Any] = {"oid": oid, "size": size}
        if size > settings.LFS_MAX_OBJECT_BYTES:
            limit = settings.LFS_MAX_OBJECT_BYTES
            return answer | {"error": {"code": 422, "message": f"The file is larger than {limit} bytes."}}
        if oid in held and objects.exists(repo.storage_id, oid):
            if held[oid] != size:
                return answer | {"error": {"code": 422, "message": f"The object has {held[oid]} bytes, not {size}."}}
            return answer  # Without the key `actions`: clients stumble over null.
        signed = grants.sign_upload(repo, self.actor, oid=oid, size=size, extra_seconds=extra_seconds)
        upload: dict[str, Any] = {"href": self.absolute(f"/lfs/put/{signed}"), "header": {}}
        if transfer == "multipart" and size >= settings.LFS_MULTIPART_FROM_BYTES:
            upload = self._parts(signed, size)
        upload["expires_in"] = settings.UPLOAD_URL_SECONDS + extra_seconds
        verify = self.absolute(f"{repo.path}.git/info/lfs/verify")
        return answer | {"actions": {"upload": upload, "verify": {"href": verify, "header": {}}}}

    def _parts(self, signed: str, size: int) -> dict[str, Any]:
        chunk = max(settings.LFS_PART_BYTES, math.ceil(size / multipart.MAX_PARTS))
        header = {"chunk_size": str(chunk)}
        for number in range(1, math.ceil(size / chunk) + 1):
            header[f"{number:05d}"] = self.absolute(f"/lfs/part/{number}/{signed}")
        return {"href": self.absolute(f"/lfs/complete/{signed}"), "header": header}

    def _download(self, repo: Repo, oid: str, size: int, held: dict[str, int]) -> dict[str, Any]:
        if oid not in held:
            return {"oid": oid, "size": size, "error": {"code": 404, "message": "This repository has no such object."}}
        # No signed address, which would outlive a revocation: git-lfs sends the caller's own credentials there.  They
        # are not echoed as a header, for where git is told to send them itself (http.extraHeader, as CI jobs do) it
        # would send them twice, which no server takes.
        href = self.absolute(f"{repo.path}.git/info/lfs/objects/{oid}")
        return {"oid": oid, "size": held[oid], "actions": {"download": {"href": href, "header": {}}}}


@extend_schema(exclude=True)
class ObjectView(LfsView):
    """`GET …/info/lfs/objects/{sha256}`: where git-lfs downloads from."""

    def get(self, request: Request, oid: str, **_: str) -> HttpResponseBase:
        repo = self.lfs_repo(Action.FILES_READ)
        held = LfsObject.objects.filter(repo=repo, sha256=oid).first()
        if held is None:
            raise NotFound("This repository has no such object.")
        return serve_object(request._request, repo, held.sha256, held.size)


@extend_schema(exclude=True)
class VerifyView(LfsView):
    """`POST …/info/lfs/verify`: was the object stored, with that size?"""

    def post(self, request: Request, **_: str) -> Response:
        repo = self.lfs_repo(Action.FILES_WRITE)
        [(oid, size)] = _wanted({"objects": [json_object(request)]})
        held = LfsObject.objects.filter(repo=repo, sha256=oid).first()
        if held is None or not objects.exists(repo.storage_id, oid):
            raise NotFound("The object was not uploaded.")
        if held.size != size:
            raise BadRequest(f"The object has {held.size} bytes, not {size}.")
        return _answer({})


@extend_schema(exclude=True)
class LocksView(LfsView):
    """`…/info/lfs/locks…`: git-lfs goes on without locks after a 404."""

    def _refuse(self, request: Request, **_: str) -> Response:
        self.lfs_repo(Action.CARD_VIEW)
        raise NotOffered("File locking is not offered here.")

    get = post = _refuse


@extend_schema(exclude=True)
class PutView(StreamingView):
    """`PUT /lfs/put/{signed}`: the bytes of one object.  The address is the credential."""

    authentication_classes = ()

    def put(self, request: Request, signed: str) -> HttpResponse:
        grant = grants.open_upload(request._request, signed)
        oid, size = grant.about["oid"], grant.about["size"]
        if content_length(request) != size:
            raise BadRequest(f"The file must have {size} bytes, as announced. Nothing was stored.")
        objects.ingest(grant.repo.storage_id, request._request, sha256=oid, size=size)
        content.record_object(grant.repo, oid, size)
        return HttpResponse(status=200)


def _upload_id(grant: Grant) -> str:
    """The parts of one person's upload of one object to one repo belong together, over several addresses."""
    return f"{grant.repo.storage_id}/{grant.actor.user_id}/{grant.about['oid']}"


@extend_schema(exclude=True)
class PartView(StreamingView):
    """`PUT /lfs/part/{number}/{signed}`: one part of an object."""

    authentication_classes = ()

    def put(self, request: Request, number: int, signed: str) -> HttpResponse:
        grant = grants.open_upload(request._request, signed)
        length = content_length(request)
        size = grant.about["size"]
        chunk = max(settings.LFS_PART_BYTES, math.ceil(size / multipart.MAX_PARTS))
        if length > chunk:
            raise TooLarge(f"A part has at most {chunk} bytes.")
        if number > math.ceil(size / chunk):
            raise BadRequest(f"There is no part {number} of a file of {size} bytes.")
        etag = multipart.put_part(_upload_id(grant), number, request._request, length)
        return HttpResponse(status=200, headers={"ETag": f'"{etag}"'})


@extend_schema(exclude=True)
class CompleteView(HubView):
    """`POST /lfs/complete/{signed}`: all parts are there."""

    authentication_classes = ()

    def post(self, request: Request, signed: str) -> Response:
        grant = grants.open_upload(request._request, signed)
        oid, size = grant.about["oid"], grant.about["size"]
        body = json_object(request)
        if text(body, "oid") not in {"", oid}:
            raise BadRequest("This address belongs to another object.")
        multipart.complete(_upload_id(grant), grant.repo.storage_id, _parts(body), oid, size)
        content.record_object(grant.repo, oid, size)
        return _answer({})


def _parts(body: dict[str, Any]) -> list[tuple[int, str]]:
    listed = body.get("parts")
    if not isinstance(listed, list) or len(listed) > multipart.MAX_PARTS:
        raise InvalidFields({"parts": "must be a list of parts"})
    parts = []
    for part in listed:
        number = part.get("partNumber") if isinstance(part, dict) else None
        if not isinstance(number, int) or isinstance(number, bool):
            raise InvalidFields({"parts": 'must be a list of {"partNumber": …, "etag": …}'})
        parts.append((number, text(part, "etag").strip('"')))
    return parts


urlpatterns: list[URLPattern] = [
    path("lfs/put/<segment:signed>", PutView.as_view()),
    path("lfs/part/<int:number>/<segment:signed>", PartView.as_view()),
    path("lfs/complete/<segment:signed>", CompleteView.as_view()),
    *web_repo_paths("info/lfs/objects/batch", BatchView.as_view()),
    *web_repo_paths("info/lfs/objects/<segment:oid>", ObjectView.as_view()),
    *web_repo_paths("info/lfs/verify", VerifyView.as_view()),
    *web_repo_paths("info/lfs/locks", LocksView.as_view()),
    *web_repo_paths("info/lfs/locks/<rest:rest>", LocksView.as_view()),
]
