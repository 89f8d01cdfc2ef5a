"""The admin site.  Its pages know who acts, and have a Content-Security-Policy of their own (docs/adr)."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from csp.constants import UNSAFE_EVAL, UNSAFE_INLINE
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from unfold.sites import UnfoldAdminSite

from accounts.actor import Entrance
from gatehub.authentication import actor_of

View = Callable[..., HttpResponseBase]
_CSP = {"script-src": [UNSAFE_EVAL], "style-src": [UNSAFE_INLINE]}
"""Unfold's Alpine evaluates what stands in attributes, and its colours are a style element."""


class StaffSite(UnfoldAdminSite):  # type: ignore[misc]
    def admin_view(self, view: View, cacheable: bool = False) -> View:
        guarded = super().admin_view(view, cacheable)

        @wraps(guarded)
        def entered(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            request.actor = actor_of(request, Entrance.ADMIN)  # type: ignore[attr-defined]
            response: HttpResponseBase = guarded(request, *args, **kwargs)
            # What a view asked for stays beside it, such as the frame of a mail.
            response._csp_update = {**_CSP, **getattr(response, "_csp_update", {})}  # type: ignore[attr-defined]
            return response

        return entered
