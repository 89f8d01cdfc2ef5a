"""A decision about several requests that was refused: what was ticked and typed, for the page that says why.

It is kept in the session, not in the address: a reason may be too long for one, and is nobody else's to read.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from django.http import HttpRequest

from repos.models import Repo

MOST_TICKED = 100
LONGEST = 2_000
"""Of a reason that is too long, so much is kept to be shortened."""
_KEY = "refused_decision"
_SECONDS = 600


@dataclass(frozen=True, slots=True)
class Refused:
    """`ticked` are ids of requests; `everything`, whether all that match were to be decided about."""

    ticked: frozenset[str] = frozenset()
    reason: str = ""
    everything: bool = False


def keep(request: HttpRequest, repo: Repo) -> None:
    """What the form of the decision said."""
    said = request.POST
    request.session[_KEY] = {
        "repo": repo.pk,
        "ticked": [key[:40] for key in said.getlist("request")[:MOST_TICKED]],
        "reason": said.get("reason", "")[:LONGEST],
        "everything": said.get("scope") == "all",
        "at": time.time(),
    }


def take(request: HttpRequest, repo: Repo) -> Refused:
    """What was kept for this repo, once."""
    kept = request.session.get(_KEY)
    if kept is None or kept["repo"] != repo.pk:
        return Refused()
    del request.session[_KEY]
    if time.time() - kept["at"] > _SECONDS:
        return Refused()
    return Refused(frozenset(kept["ticked"]), kept["reason"], kept["everything"])
