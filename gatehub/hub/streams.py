"""Request bodies that are read as they come: lines of a commit, bytes of an upload.  Never whole in memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.http import HttpRequest
from gunicorn.http.errors import ParseException  # type: ignore[import-untyped]
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.errors import BadRequest, TooLarge
from gatehub.hub.base import HubView

_PIECE = 256 * 1024
_DRAIN_BYTES = 128 * 1024**2
"""What is read of a refused body, so that the caller sees the answer instead of a connection that breaks."""
ENDED_EARLY = "The body of the request ended early. Nothing was changed."


class StreamingView(HubView):
    """A view that reads its body itself.  A body that it did not read to the end is read, or its connection closed."""

    parser_classes: list[Any] = []

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        final = super().finalize_response(request, response, *args, **kwargs)
        if final.status_code >= 400 and not _drained(request._request):
            final["Connection"] = "close"
        return final


def _drained(request: HttpRequest) -> bool:
    """Read on to the end of the body, up to a limit.  False when there is more, or the caller has gone."""
    read = 0
    try:
        source = _source(request)
        while piece := source.read(_PIECE):
            read += len(piece)
            if read > _DRAIN_BYTES:
                return False
    except (OSError, ParseException, BadRequest):
        return False
    return True


def content_length(request: Request) -> int:
    """The announced length of the body.  Raises BadRequest where there is none, or none that can be read."""
    announced = request.META.get("CONTENT_LENGTH") or ""
    if not announced.isascii() or not announced.isdigit():
        raise BadRequest("The request must say how long its body is (Content-Length).")
    return int(announced)


def _source(request: HttpRequest) -> Any:
    """What to read the body from.  Django takes one without Content-Length for empty, chunked ones too.

    A server that marks its input as terminated has undone the chunks, so that it can be read to its end.
    """
    if "chunked" not in request.META.get("HTTP_TRANSFER_ENCODING", "").lower():
        return request
    if not request.META.get("wsgi.input_terminated"):
        raise BadRequest("The request must say how long its body is (Content-Length).")
    return request.META["wsgi.input"]


class Lines:
    """The lines of a body.  Raises TooLarge past the limits, and BadRequest when the body ends before it should."""

    def __init__(self, request: Request, *, line_bytes: int, total_bytes: int) -> None:
        self._source = _source(request._request)
        self._line_bytes = line_bytes
        self._total_bytes = total_bytes
        announced = request.META.get("CONTENT_LENGTH") or ""
        self._announced = int(announced) if announced.isdigit() else None
        if self._announced is not None and self._announced > total_bytes:
            raise TooLarge(f"The body is larger than {total_bytes} bytes.")
        self._read = 0

    def __iter__(self) -> Iterator[bytes]:
        pending = bytearray()
        while piece := self._piece():
            *ended, rest = piece.split(b"\n")
            for line in ended:
                pending += line
                self._check(pending)
                yield bytes(pending)
                pending.clear()
            pending += rest
            self._check(pending)
        if self._announced is not None and self._read < self._announced:
            raise BadRequest(f"The body ended after {self._read} of {self._announced} bytes. Nothing was changed.")
        if pending:
            yield bytes(pending)

    def _piece(self) -> bytes:
        try:
            piece = bytes(self._source.read(_PIECE))
        except (OSError, ParseException) as error:  # The caller has gone, or its chunks are malformed.
            raise BadRequest(ENDED_EARLY) from error
        self._read += len(piece)
        if self._read > self._total_bytes:
            raise TooLarge(f"The body is larger than {self._total_bytes} bytes.")
        return piece

    def _check(self, line: bytearray) -> None:
        if len(line) > self._line_bytes:
            raise TooLarge(f"A line of the body is longer than {self._line_bytes} bytes. Large files go by LFS or Xet.")
