"""The Xet write service: how clients from 1.20 on upload large files (hub-protocol section 6.6).

Every grant has a `casUrl` of its own, so that each upload is complete in itself; see docs/adr/0002.
"""

from __future__ import annotations

import json
import secrets
import time
from functools import cached_property
from typing import Any

from django.conf import settings
from django.db import transaction
from django.http import HttpResponse
from django.urls import path
from django.urls.resolvers import URLPattern
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from access.errors import InvalidCredentials
from access.policy import Action
from accounts.errors import NotFound, TooLarge
from gatehub.authentication import token_in
from gatehub.hub import grants
from gatehub.hub.base import HubView, NotOffered, api_repo_path
from gatehub.hub.commit import refuse_pull_request
from gatehub.hub.grants import Grant
from gatehub.hub.streams import StreamingView, content_length
from repos import content
from repos.xet import upload

SHARD_MAX_BYTES = 64 * 1024**2


class WriteTokenView(HubView):
    """`GET /api/{models|datasets}/{repo_id}/xet-write-token/{revision}`: in JSON, and in headers for 0.36."""

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: Request, **_: str) -> Response:
        repo = self.find_repo(Action.FILES_WRITE)
        refuse_pull_request(request)
        token = grants.sign_xet(repo, self.actor)
        expires = int(time.time()) + settings.UPLOAD_URL_SECONDS
        cas_url = self.absolute(f"/cas/s/{secrets.token_urlsafe(16)}")
        response = Response({"casUrl": cas_url, "accessToken": token, "exp": expires})
        response["X-Xet-Cas-Url"] = cas_url
        response["X-Xet-Access-Token"] = token
        response["X-Xet-Token-Expiration"] = str(expires)
        response["Cache-Control"] = "no-store"
        return response


@extend_schema(exclude=True)
class CasView(StreamingView):
    """An address below a `casUrl`.  The area is of the grant's repo and person, so another's token finds another."""

    authentication_classes = ()

    @cached_property
    def grant(self) -> Grant:
        header = self.request.headers.get("Authorization", "")
        if not header:
            raise InvalidCredentials
        return grants.open_xet(self.request._request, token_in(header))

    @property
    def area(self) -> upload.UploadArea:
        return upload.UploadArea(self.grant.repo.storage_id, str(self.grant.actor.user_id), self.kwargs["session"])


class ChunkView(CasView):
    """Whether a chunk is here already: never, since nothing is shared between grants."""

    def get(self, request: Request, **_: str) -> Response:
        self.grant  # noqa: B018 - refuses what is no token of ours.
        raise NotFound("This chunk is not known.")


class GrantView(CasView):
    """Uploads straight to an object store are not offered: the client sends the xorb here instead."""

    def post(self, request: Request, **_: str) -> Response:
        self.grant  # noqa: B018 - as above.
        raise NotOffered("Direct uploads are not offered here.")


class XorbView(CasView):
    """`POST …/xorbs/default/{hash}`: up to 64 MiB of compressed chunks."""

    def post(self, request: Request, xorb_hash: str, **_: str) -> Response:
        inserted = self.area.put_xorb(xorb_hash, request._request, content_length(request))
        return Response({"was_inserted": inserted})


class ShardView(CasView):
    """`POST …/shards`: which chunks make which file.  The files exist when this answers."""

    def _store(self, request: Request) -> None:
        grant = self.grant  # Before anything of the body is looked at.
        length = content_length(request)
        if length > SHARD_MAX_BYTES:
            raise TooLarge(f"A shard has at most {SHARD_MAX_BYTES} bytes.")
        stored = self.area.rebuild(request._request.read(length), grant.repo.storage_id)
        with transaction.atomic():
            for sha256, size in stored:
                content.record_object(grant.repo, sha256, size)

    def post(self, request: Request, **_: Any) -> Response:
        self._store(request)
        return Response({"result": 1})


class ShardV2View(ShardView):
    """The form of hf_xet 1.8: lines of JSON, the last one the result."""

    def post(self, request: Request, **_: Any) -> HttpResponse:  # type: ignore[override]
        self._store(request)
        return HttpResponse(json.dumps({"type": "result", "result": 1}) + "\n", content_type="application/x-ndjson")


_chunk, _grant, _xorb, _shard = ChunkView.as_view(), GrantView.as_view(), XorbView.as_view(), ShardView.as_view()
_HASH = "<segment:xorb_hash>"

urlpatterns: list[URLPattern] = [
    api_repo_path("xet-write-token/<rest:revision>", WriteTokenView.as_view(), "api_xet_write_token"),
    *[
        path(f"cas/s/<segment:session>/{route}", view)
        for route, view in (
            # hf_xet 1.5 to 1.8, then 1.1.
            (f"v1/chunks/<segment:prefix>/{_HASH}", _chunk),
            (f"chunk/<segment:prefix>/{_HASH}", _chunk),
            (f"v1/xorb-grants/<segment:prefix>/{_HASH}", _grant),
            (f"v1/xorbs/<segment:prefix>/{_HASH}", _xorb),
            (f"xorb/<segment:prefix>/{_HASH}", _xorb),
            ("v2/shards", ShardV2View.as_view()),
            ("v1/shards", _shard),
            ("shards", _shard),
            (f"shard/<segment:prefix>/{_HASH}", _shard),
        )
    ],
]
