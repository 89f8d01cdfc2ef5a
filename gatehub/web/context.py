"""What every template knows, beside the request, who is signed in, and messages."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest


def signup(request: HttpRequest) -> dict[str, bool]:
    """Whether people make accounts by themselves; no page leads them to a closed door."""
    return {"signup_is_open": settings.OPEN_SIGNUP}
