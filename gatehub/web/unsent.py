"""A form that was sent after its session had ended: kept until its writer has signed in, and shown to them anew.

The gate's, whose answers may be anybody's who signs in where nobody was known, and the one of the card's editor.
"""

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
MAX_TEXT_BYTES = 512 * 1024
"""Of all that was typed into the editor, in UTF-8."""
MOST_AN_HOUR = 20
"""From one address."""
_KEY = "unsent_answers"
_CARD_KEY = "unsent_card"
_SECONDS = 3600


def keep(request: HttpRequest, repo: Repo, answers: Mapping[str, Any], *, by: str) -> None:
    """In a session of nobody, which signing in takes over.  Not more, nor more often, than a person types.

    `by` is the `public_id` of the person who had opened the form, "" for unknown.
    """
    if not _too_often(request) and len(json.dumps(answers)) <= MAX_BYTES:
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


def fits(typed: Mapping[str, str]) -> bool:
    """Whether what was typed into the editor is short enough to be kept."""
    return sum(len(text.encode()) for text in typed.values()) <= MAX_TEXT_BYTES


def keep_card(request: HttpRequest, path: str, typed: Mapping[str, str], *, by: str) -> bool:
    """As `keep`, the fields of the editor at `path`, which `fits`.  False where too many were kept, or `by` is unknown.

    By its address, and not by its repo: who is not signed in is not told by anything whether there is one.
    """
    if not by or _too_often(request):
        return False
    request.session[_CARD_KEY] = {"path": path, "typed": dict(typed), "by": by, "at": time.time()}
    return True


def take_card(request: HttpRequest, path: str) -> dict[str, str] | None:
    """The fields that were kept for the editor at `path`, once; None for none, and for those of another person."""
    kept = request.session.get(_CARD_KEY)
    if kept is None or kept["path"] != path or not request.user.is_authenticated:
        return None
    del request.session[_CARD_KEY]
    typed: dict[str, str] = kept["typed"]
    return typed if kept["by"] == request.user.public_id and time.time() - kept["at"] < _SECONDS else None


def _too_often(request: HttpRequest) -> bool:
    """Counts this time, too."""
    return limits.count(f"unsent-forms-{client_address(request)}", per_seconds=_SECONDS) > MOST_AN_HOUR
