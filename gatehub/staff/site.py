"""The admin site.  Its pages know who acts, and have a Content-Security-Policy of their own (docs/adr)."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from csp.constants import UNSAFE_EVAL
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from unfold.sites import UnfoldAdminSite

from accounts.actor import Entrance
from gatehub.authentication import actor_of
from gatehub.staff import entry

View = Callable[..., HttpResponseBase]
Response = TypeVar("Response", bound=HttpResponseBase)
_CSP = {"script-src": [UNSAFE_EVAL]}
"""Unfold's Alpine evaluates what stands in attributes.  Its styles are kept out of the pages: see the templates."""


class StaffSite(UnfoldAdminSite):  # type: ignore[misc]
    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        # Unfold would write its colours into a style element; ours are in staff-tokens.css.
        return {**super().each_context(request), "colors": {}, "lacks_second_factor": entry.lacks_factor(request)}

    def has_permission(self, request: HttpRequest) -> bool:
        return entry.may_enter(request)

    def login(self, request: HttpRequest, extra_context: Any = None) -> HttpResponseBase:
        """Whoever may not enter is sent here by each page of the admin."""
        return entry.where_to(request)

    def admin_view(self, view: View, cacheable: bool = False) -> View:
        guarded = super().admin_view(view, cacheable)

        @wraps(guarded)
        def entered(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            request.actor = actor_of(request, Entrance.ADMIN)  # type: ignore[attr-defined]
            response: HttpResponseBase = guarded(request, *args, **kwargs)
            return _with_csp(response)

        return entered


def _with_csp(response: Response) -> Response:
    # What a view asked for stays beside it, such as the frame of a mail.
    response._csp_update = {**_CSP, **getattr(response, "_csp_update", {})}  # type: ignore[attr-defined]
    return response
