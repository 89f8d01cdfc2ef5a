"""What happens around every view: the request's id, and the rendering of refusals."""

from __future__ import annotations

import codecs
import re
import uuid
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from accounts.errors import BadRequest
from gatehub import errors

GetResponse = Callable[[HttpRequest], HttpResponseBase]

_TRACE_ID = re.compile(r"[A-Za-z0-9=_.;-]{8,100}", re.ASCII)


def request_id(trace_id: str) -> str:
    """The client's own trace id, or a new one where it has none, or none that we would repeat."""
    return trace_id if _TRACE_ID.fullmatch(trace_id) else uuid.uuid4().hex


class RequestId:
    """Every answer carries `X-Request-Id`: the client's own trace id, or a new one.  First in the chain.

    As the last to see the answer, it also takes the body off a HEAD.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        request.id = request_id(request.headers.get("X-Amzn-Trace-Id", ""))  # type: ignore[attr-defined]
        if request.path_info.startswith("//"):  # huggingface_hub 0.9 with a slash at the end of HF_ENDPOINT.
            request.path_info = "/" + request.path_info.lstrip("/")
            request.path = "/" + request.path.lstrip("/")
        response = self.get_response(request)
        response["X-Request-Id"] = request.id  # type: ignore[attr-defined]
        if request.method == "HEAD" and isinstance(response, HttpResponse):
            response.content = b""  # Its length is in the header; gunicorn warns of a body at each HEAD.
        return response


class PrivatePages:
    """Every page is for the one who asked: for their eyes are its menu, its forms, and what of it they may see.

    So no shared cache keeps it, and a browser asks again before it shows it anew, unless the view says otherwise.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if response.get("Content-Type", "").startswith("text/html"):
            response.setdefault("Cache-Control", "private, no-cache")
        return response


class Refusals:
    """Turns every error of a view outside the API framework into its answer.  Last in the chain.

    As the last before anything is parsed, it also refuses forms that are not in UTF-8.  Django would take Python's word
    for what an encoding is, and fail with "hex".
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.encoding is not None and codecs.lookup(request.encoding).name != "utf-8":
            request.encoding = "utf-8"  # It would be that of the query, too.
            if request.content_type in ("application/x-www-form-urlencoded", "multipart/form-data"):
                return errors.respond(request, BadRequest("A form must be in UTF-8. Nothing of it was read."))
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        return errors.respond_to(request, exception)
