"""The page where a person approves the sign-in of a device."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse

from access import device
from access.models import DeviceSignIn
from accounts.errors import BadRequest, HubError
from gatehub import limits
from gatehub.errors import TooManyRequests
from gatehub.web.base import FORM, SHOW, caller, in_words, only, person, render_private, signed_in

_GUESSES, _PER_SECONDS = 20, 600


@signed_in
@only(*SHOW, *FORM)
def device_page(request: HttpRequest) -> HttpResponse:
    """`/device?code=…`: GET shows what waits under the code, POST decides."""
    code = (request.POST if request.method == "POST" else request.GET).get("code", "").strip()
    if not code:
        return _page(request)
    try:
        _count_guess(request)
        sign_in = device.find(code)
        if request.method != "POST":
            return _page(request, sign_in=sign_in)
        return _page(request, outcome=_decide(request, sign_in))
    except HubError as error:
        return _page(request, status=error.status, problem=in_words(request, error), code=code[:20])


def _decide(request: HttpRequest, sign_in: DeviceSignIn) -> str:
    match request.POST.get("decision"):
        case "approve":
            device.approve(sign_in, by=caller(request))
            return "approved"
        case "deny":
            device.deny(sign_in, by=caller(request))
            return "denied"
        case _:
            raise BadRequest("Say whether to approve or to deny. Nothing was decided.")


def _count_guess(request: HttpRequest) -> None:
    """A code is one of 25 thousand million and good for 15 minutes; nobody may try many."""
    if limits.count(f"device-guesses-{person(request).pk}", per_seconds=_PER_SECONDS) > _GUESSES:
        raise TooManyRequests("Too many codes were tried. Wait ten minutes and try again.")


def _page(request: HttpRequest, *, status: int = 200, **context: object) -> HttpResponse:
    return render_private(request, "device.html", context, status=status)
