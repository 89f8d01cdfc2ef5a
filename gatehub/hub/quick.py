"""The short way to a file, for callers with a token."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from io import BytesIO
from typing import TYPE_CHECKING, Any, Final

from django.conf import settings
from django.core.handlers.exception import response_for_exception
from django.core.handlers.wsgi import WSGIRequest, get_path_info
from django.db import close_old_connections
from django.http import HttpResponse
from django.http.request import split_domain_port, validate_host
from django.http.response import HttpResponseBase
from django.middleware.clickjacking import XFrameOptionsMiddleware
from django.middleware.security import SecurityMiddleware

from access import selectors
from access.selectors import RepoFiles
from accounts.errors import HubError
from gatehub.authentication import address_in, token_in
from gatehub.hub.downloads import tally
from gatehub.hub.resolve import File, find_file, serve_file
from gatehub.hub.serving import PIECE, file_headers
from gatehub.middleware import request_id
from repos import content
from repos.models import Repo

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

_FILE: Final = re.compile(r"/(datasets/)?([^/]+)/([^/]+)/resolve/([\s\S]+)")
_ASKS_FOR_MORE: Final = frozenset(
    {"HTTP_RANGE", "HTTP_IF_RANGE", "HTTP_IF_MATCH", "HTTP_IF_NONE_MATCH", "HTTP_IF_MODIFIED_SINCE",
     "HTTP_IF_UNMODIFIED_SINCE", "HTTP_SEC_FETCH_DEST"}
)  # fmt: skip
"""With one of these, the answer may be another than the whole file."""
_OK: Final = "200 OK"

Headers = dict[str, str]


class QuickFiles:
    """Hands out files to whoever shows a token and may have them, before Django is called.

    What it, its middleware and the API framework do around each request took most of it, and a snapshot asks for
    hundreds of files.  The rule is the same, asked by the same functions, and so are the headers.  Whatever is not
    admitted here goes the whole way, which asks again, and says why it refuses.
    """

    def __init__(self, application: WSGIApplication) -> None:
        self._application = application
        self._around = lru_cache(64)(_headers_around)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        header = environ.get("HTTP_AUTHORIZATION", "")
        if header and environ["REQUEST_METHOD"] in ("GET", "HEAD"):
            path = get_path_info(environ)
            if path.startswith("//"):  # As `gatehub.middleware.RequestId`.
                path = "/" + path.lstrip("/")
            asked = _FILE.fullmatch(path)
            around = self._headers_of_all(environ) if asked else None
            if asked and around is not None:
                body = self._answer(environ, start_response, around, header, *asked.groups())
                if body is not None:
                    return body
        return self._application(environ, start_response)

    def _headers_of_all(self, environ: WSGIEnvironment) -> Headers | None:
        """What is on every answer; None where another is due, such as that this host is no name of the server."""
        host = environ.get("HTTP_HOST", "")
        if not _is_ours(host, tuple(settings.ALLOWED_HOSTS)):
            return None
        return self._around(host, environ["wsgi.url_scheme"], environ.get("HTTP_X_FORWARDED_PROTO"))

    def _answer(
        self,
        environ: WSGIEnvironment,
        start_response: StartResponse,
        around: Headers,
        header: str,
        datasets: str | None,
        namespace: str,
        name: str,
        rest: str,
    ) -> Iterable[bytes] | None:
        around = around | {"X-Request-Id": request_id(environ.get("HTTP_X_AMZN_TRACE_ID", ""))}
        body: Iterable[bytes] | None = None
        try:
            type_ = Repo.Type.DATASET if datasets else Repo.Type.MODEL
            found = selectors.find_files(token_in(header), address_in(environ), type_.value, namespace, name)
            if found is not None:
                file = find_file(found.id, content.open_storage(found.storage_id), rest)
                body = _plainly(environ, start_response, around, found, file)
                if body is None:
                    response = serve_file(WSGIRequest(environ), found.repo, file)
                    body = _sent(environ, start_response, around, response)
        except HubError:
            body = None
        except Exception as error:  # noqa: BLE001 - Django's handler logs it.
            # Not the whole way: while the database is away, that would wait for it once more.
            response = response_for_exception(WSGIRequest(environ), error)
            body = _sent(environ, start_response, around, response)
        if body is None or isinstance(body, list):
            close_old_connections()  # Else it is done when the body is out.
        return body


def _plainly(
    environ: WSGIEnvironment, start_response: StartResponse, around: Headers, found: RepoFiles, file: File
) -> Iterable[bytes] | None:
    """The answer to most requests: the headers of a file, or all of a small one; None where more is asked for."""
    if environ.get("QUERY_STRING") or not _ASKS_FOR_MORE.isdisjoint(environ):
        return None
    entry = file.entry
    body: list[bytes] | _ThenWrite = []  # Of a list, granian knows that it is all.
    if environ["REQUEST_METHOD"] == "GET":
        if entry.lfs is not None or entry.size > PIECE:
            return None
        body = [file.git.read_blob(entry.oid)]
        if tally.count(found.id):
            body = _ThenWrite(body)
    headers = around | file_headers(entry, file.commit, attachment=False) | {"Content-Length": str(entry.size)}
    start_response(_OK, list(headers.items()))
    return body


class _ThenWrite:
    """A body after which the downloads so far are written down: that may wait for somebody who holds a repo's row."""

    def __init__(self, body: list[bytes]) -> None:
        self._body = body

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._body)

    def close(self) -> None:
        tally.write()
        close_old_connections()


def _sent(
    environ: WSGIEnvironment, start_response: StartResponse, around: Headers, response: HttpResponseBase
) -> Iterable[bytes]:
    """As Django's own handler sends what its views give: files by the server's means, where it has some."""
    for name, value in around.items():
        response.setdefault(name, value)
    if environ["REQUEST_METHOD"] == "HEAD" and isinstance(response, HttpResponse):
        response.content = b""  # As `gatehub.middleware.RequestId`.
    start_response(f"{response.status_code} {response.reason_phrase}", list(response.items()))
    file = getattr(response, "file_to_stream", None)
    if file is None or "wsgi.file_wrapper" not in environ:
        return response
    file.close = response.close  # The server closes the file, and by that the response.
    wrapped: Iterable[bytes] = environ["wsgi.file_wrapper"](file, response.block_size)  # type: ignore[attr-defined]
    return wrapped


@lru_cache(256)
def _is_ours(host: str, allowed: tuple[str, ...]) -> bool:
    """Whether `HttpRequest.get_host` would take it for a name of this server."""
    domain, _ = split_domain_port(host)
    return bool(domain) and validate_host(domain, allowed)


def _headers_around(host: str, scheme: str, forwarded: str | None) -> Headers | None:
    """What Django's middleware puts on every answer to a request by such a scheme; None where it answers itself."""
    environ: dict[str, Any] = {"REQUEST_METHOD": "GET", "wsgi.url_scheme": scheme, "wsgi.input": BytesIO()}
    environ |= {"HTTP_HOST": host, "SERVER_NAME": "", "SERVER_PORT": ""}
    if forwarded is not None:
        environ["HTTP_X_FORWARDED_PROTO"] = forwarded
    inner = HttpResponse()
    del inner["Content-Type"]
    answer = SecurityMiddleware(XFrameOptionsMiddleware(lambda _: inner))(WSGIRequest(environ))
    return dict(answer.items()) if answer is inner else None
