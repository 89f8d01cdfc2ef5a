"""The one place where errors become HTTP.

Machines get `{"error": …}` with `X-Error-Code` and `X-Error-Message` (hub-protocol section 1.5); people get a page.
`{url}` in a message stands for the address of the page that helps, on the host that the caller used.
"""

from __future__ import annotations

import logging
import re
import unicodedata
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, urlsplit

from django.core.exceptions import (
    BadRequest as DjangoBadRequest,
)
from django.core.exceptions import (
    PermissionDenied,
    RequestDataTooBig,
    SuspiciousOperation,
    TooManyFieldsSent,
)
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.http.multipartparser import MultiPartParserError
from django.http.request import RawPostDataException, UnreadablePostError
from django.shortcuts import redirect, render
from django.urls import is_valid_path
from django.utils.html import format_html
from django.utils.http import escape_leading_slashes
from django.utils.safestring import SafeString
from rest_framework import exceptions as drf
from rest_framework.request import Request

from access.errors import GatedRepo
from accounts.errors import BadRequest, HubError, InvalidFields, NotAllowed, NotFound, TooLarge
from gatehub.templatetags.quotes import quoted
from repos.errors import RepoMoved, RepoNotFound
from repos.models import Repo

log = logging.getLogger("gatehub.errors")

_HEADER_MAX_LENGTH = 800
_MACHINE_PREFIXES = ("/api/", "/oauth/", "/cas/", "/lfs/", "/v1/", "/healthz", "/readyz", "/metrics", "/webhooks/")


class MethodNotAllowed(HubError):
    status = 405


class UnsupportedMediaType(HubError):
    status = 415


class TooManyRequests(HubError):
    status = 429


class FormExpired(NotAllowed):
    """The CSRF token of a form does not fit: a sign-in made another one, or the form came from another site."""

    default_message = "This form has expired or came from another site. Nothing was changed."
    _NEXT_STEP = (
        "Go back and send it again. If that leads here once more, go back, copy what you have typed, reload the page "
        "and paste it there."
    )

    def __init__(self, message: str = "", *, next_step: str = "", help_path: str = "") -> None:
        super().__init__(message, next_step=next_step or self._NEXT_STEP, help_path=help_path)


class OthersForm(FormExpired):
    """Somebody else was signed in when the form was opened.  What they typed is shown to nobody else."""

    def __init__(self, what_not: str, *, help_path: str) -> None:
        message = f"Somebody else was signed in when this form was opened. {what_not}"
        super().__init__(message, next_step="Open it anew: {url}", help_path=help_path)


class ServerError(HubError):
    status = 500
    default_message = "Something went wrong on the server. Nothing that you sent was acknowledged."


def api_exception_handler(exception: Exception, context: dict[str, Any]) -> HttpResponse | None:
    """Django REST framework's hook: None lets the framework raise, which Django logs and answers with a 500."""
    request: Request = context["request"]
    return respond_to(request._request, exception)


def respond_to(request: HttpRequest, exception: Exception) -> HttpResponse | None:
    error = _as_hub_error(exception)
    return None if error is None else respond(request, error)


def _throttled(exception: drf.Throttled) -> HubError:
    wait: float | None = getattr(exception, "wait", None)
    headers = {} if wait is None else {"Retry-After": str(int(wait) + 1)}
    return TooManyRequests(str(exception.detail), headers=headers)


def _unreadable(exception: Exception) -> HubError:
    return BadRequest(f"The body of the request cannot be read: {exception}")


_TRANSLATIONS: list[tuple[type[Exception] | tuple[type[Exception], ...], Callable[[Any], HubError]]] = [
    # The first that fits counts, so what is special comes before what is general.
    (HubError, lambda error: error),
    (RequestDataTooBig, lambda _: TooLarge("The body of the request is larger than allowed here.")),
    (TooManyFieldsSent, lambda _: TooLarge("The form has more fields than allowed.")),
    (drf.ValidationError, lambda error: _from_validation(error)),
    ((drf.ParseError, DjangoBadRequest, MultiPartParserError), _unreadable),
    (drf.MethodNotAllowed, lambda error: MethodNotAllowed(str(error.detail))),
    (drf.UnsupportedMediaType, lambda error: UnsupportedMediaType(str(error.detail))),
    (drf.Throttled, _throttled),
    ((drf.PermissionDenied, PermissionDenied), lambda error: NotAllowed(str(error))),
    ((drf.NotFound, Http404), lambda _: NotFound("There is nothing at this address.")),
    ((UnreadablePostError, RawPostDataException), lambda _: BadRequest("The body of the request ended early.")),
    (SuspiciousOperation, lambda _: BadRequest()),
    (Repo.DoesNotExist, lambda _: RepoNotFound()),  # Deleted while the request was under way.
]


def _as_hub_error(exception: Exception) -> HubError | None:
    """The error as one of ours, or None when it is a fault of the server."""
    for kinds, translate in _TRANSLATIONS:
        if isinstance(exception, kinds):
            return translate(exception)
    return None


def _from_validation(exception: drf.ValidationError) -> HubError:
    detail = exception.detail
    if isinstance(detail, dict):
        fields = {}
        for name, problems in detail.items():
            first = problems[0] if isinstance(problems, list) and problems else problems
            fields[str(name)] = str(first)
        return InvalidFields(fields)
    return BadRequest(" ".join(str(problem) for problem in detail))


def for_people(request: HttpRequest) -> bool:
    """Whether the caller is a browser on a page, to be answered with a page."""
    if request.path_info.startswith(_MACHINE_PREFIXES) or _is_git(request):
        return False
    return "text/html" in request.headers.get("Accept", "")


def header_text(message: str) -> str:
    """The message as one ASCII line: headers carry nothing else, and a HEAD has no body to say more."""
    plain = unicodedata.normalize("NFKD", message).encode("ascii", "replace").decode()
    line = " ".join("".join(char if char.isprintable() else " " for char in plain).split())
    return line[:_HEADER_MAX_LENGTH]


def respond(request: HttpRequest, error: HubError) -> HttpResponse:
    """The answer to a refused request."""
    if isinstance(error, RepoMoved):
        return _moved(request, error)
    message = _with_address(request, error, error.message)
    next_step = _with_address(request, error, error.next_step)
    status = error.status
    response: HttpResponse
    if for_people(request):
        if isinstance(error, RepoNotFound):
            status = 404  # A hidden repo and a missing one are the same page, signed in or not.
        cause, step = (error.user_message, "") if error.user_message else (error.message, error.next_step)
        cause, linked = _parts(cause)
        context = {
            "error": error,
            "message": cause if linked else in_html(request, cause, error.help_path),
            "next_step": in_html(request, step or linked, error.help_path),
            "status": status,
        }
        response = render(request, "error.html", context, status=status)
    else:
        response = _for_machines(request, error, f"{message} {next_step}".strip(), status)
    response["X-Error-Message"] = header_text(message)
    if error.code:
        response["X-Error-Code"] = error.code
    if status == 401:
        scheme = "Basic" if _is_git(request) else "Bearer"  # git asks for a password on Basic alone.
        response["WWW-Authenticate"] = f'{scheme} realm="GateHub"'
    for name, value in error.headers.items():
        response[name] = value
    if isinstance(error, GatedRepo | RepoNotFound):
        response["Cache-Control"] = "no-store"
    return response


def _is_git(request: HttpRequest) -> bool:
    path = request.path_info
    return ".git/" in path or path.endswith(("/info/refs", "/git-upload-pack", "/git-receive-pack"))


def _for_machines(request: HttpRequest, error: HubError, text: str, status: int) -> HttpResponse:
    if "/info/lfs/" in request.path_info:  # git-lfs shows `message`.
        body = {**error.extra, "error": text, "message": text}
        return JsonResponse(body, status=status, content_type="application/vnd.git-lfs+json")
    if _is_git(request):  # git shows plain text.
        return HttpResponse(f"{text}\n", status=status, content_type="text/plain; charset=utf-8")
    return JsonResponse({**error.extra, "error": text}, status=status)


def _with_address(request: HttpRequest, error: HubError, text: str) -> str:
    return text.replace("{url}", request.build_absolute_uri(error.help_path or "/")) if "{url}" in text else text


_LINKED = re.compile(r"(?P<rest>(?:.*[.!?] )?)(?P<words>[^:]+): \{url\}", re.DOTALL)


def _linked(text: str) -> re.Match[str] | None:
    """The last sentence of a text, if it leads somewhere, and what is before it."""
    return _LINKED.fullmatch(text) if text.endswith(": {url}") else None  # Texts without end are not searched.


def _parts(text: str) -> tuple[str, str]:
    """What a text says before its last sentence, and that sentence, if it leads somewhere."""
    found = _linked(text)
    return (found["rest"].strip(), f"{found['words']}: {{url}}") if found and found["rest"] else (text, "")


def in_html(request: HttpRequest, text: str, help_path: str) -> SafeString:
    """What an error says, for pages.  "See who they are: {url}" is a link of these words, not an address to read."""
    found = _linked(text)
    path = help_path or "/"
    if found:
        return format_html('{}<a href="{}">{}</a>.', quoted(found["rest"]), path, quoted(found["words"]))
    before, here, after = text.partition("{url}")
    link = format_html('<a href="{}">{}</a>', path, request.build_absolute_uri(path)) if here else ""
    return format_html("{}{}{}", quoted(before), link, quoted(after))


def _moved(request: HttpRequest, error: RepoMoved) -> HttpResponse:
    """307 to the same address under the new id.  Relative, because clients follow that form alone on resolve."""
    address = request.get_full_path()
    target = address.replace(f"/{error.old_id}", f"/{error.new_id}", 1)
    if target == address:  # The old id came in a body; a redirect would go round in circles.
        return respond(request, RepoNotFound(error.message))
    response = JsonResponse({"error": error.message}, status=error.status)
    parts = urlsplit(target)
    response["Location"] = f"{parts.path}?{parts.query}" if parts.query else parts.path
    response["X-Error-Message"] = header_text(error.message)
    return response


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    return respond(request, FormExpired())


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """No address of ours.  People who typed a slash at its end are sent to the one without; clients are told."""
    path = request.path_info.rstrip("/")
    slashed = path not in ("", request.path_info) and "/." not in path and request.method in ("GET", "HEAD")
    if slashed and for_people(request) and is_valid_path(path):
        query = request.META.get("QUERY_STRING", "")
        return redirect(escape_leading_slashes(quote(path)) + (f"?{query}" if query else ""))
    return respond(request, NotFound("There is nothing at this address."))


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return respond(request, _as_hub_error(exception) or BadRequest())


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    return respond(request, NotAllowed())


def too_many_requests(request: HttpRequest) -> HttpResponse:
    """django-allauth looks for it beside Django's own handlers."""
    message = "There were too many attempts from here within a short time."
    return respond(request, TooManyRequests(message, next_step="Wait a few minutes, then try again."))


def server_error(request: HttpRequest) -> HttpResponse:
    return respond(request, ServerError())
