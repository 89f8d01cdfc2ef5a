"""A form that was sent after its session had ended: kept until its writer has signed in, and shown to them anew."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest

from gatehub import limits
from gatehub.authentication import client_address
from repos.models import Repo

MAX_BYTES = 64 * 1024
MOST_AN_HOUR = 20
"""From one address."""
_KEY = "unsent_answers"
_SECONDS = 3600


def keep(request: HttpRequest, repo: Repo, answers: Mapping[str, Any], *, by: str) -> None:
    """In a session of nobody, which signing in takes over.  Not more, nor more often, than a person types.

    `by` is the `public_id` of the person who had opened the form, "" for unknown.
    """
    often = limits.count(f"unsent-forms-{client_address(request)}", per_seconds=_SECONDS) > MOST_AN_HOUR
    if not often and len(json.dumps(answers)) <= MAX_BYTES:
        request.session[_KEY] = {"repo": repo.pk, "answers": dict(answers), "by": by, "at": time.time()}


def take(request: HttpRequest, repo: Repo) -> dict[str, Any] | None:
    """The answers that were kept for this repo, once; None for none, and for those of another person."""
    kept = request.session.get(_KEY)
    if kept is None or kept["repo"] != repo.pk or not request.user.is_authenticated:
        return None
    del request.session[_KEY]
    answers: dict[str, Any] = kept["answers"]
    is_theirs = kept.get("by", "") in {"", request.user.public_id}
    return answers if is_theirs and time.time() - kept["at"] < _SECONDS else None
