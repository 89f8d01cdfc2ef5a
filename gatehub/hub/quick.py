"""The short way to a file, for callers with a token."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import Final

from django.core.exceptions import DisallowedHost
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from access import selectors
from accounts.errors import HubError
from gatehub.authentication import client_address, token_in
from gatehub.hub.resolve import answer
from gatehub.middleware import GetResponse
from repos.models import Repo

_FILE: Final = re.compile(r"/(datasets/)?([^/]+)/([^/]+)/resolve/([\s\S]+)")


class QuickFiles:
    """Hands out files to whoever shows a token and may have them, before anybody thinks of sessions, forms and pages.

    What these and the API framework do at each request took three quarters of it, and a snapshot asks for hundreds of
    files.  The rule is the same, asked by the same functions.  Whatever is not admitted here goes the whole way, which
    asks again, and says why it refuses.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        header = request.META.get("HTTP_AUTHORIZATION", "")
        if header and request.method in ("GET", "HEAD") and (asked := _FILE.fullmatch(request.path_info)):
            with suppress(HubError, DisallowedHost):
                response = self._answer(request, header, *asked.groups())
                if response is not None:
                    return response
        return self.get_response(request)

    def _answer(
        self, request: HttpRequest, header: str, datasets: str | None, namespace: str, name: str, rest: str
    ) -> HttpResponseBase | None:
        request.get_host()  # Refuses names that are not this server's.
        type_ = Repo.Type.DATASET if datasets else Repo.Type.MODEL
        repo = selectors.find_files(token_in(header), client_address(request), type_.value, namespace, name)
        return None if repo is None else answer(request, repo, rest)
