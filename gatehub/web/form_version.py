"""Which version of its form a gate shows, and where it comes from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Q

from repos import content
from repos.errors import RevisionNotFound
from repos.models import Repo


@dataclass(frozen=True, slots=True)
class FormVersion:
    """The version in force, counted from the oldest.  `commit` is empty where no branch leads to it any more.

    A form that a later card brings back is the version of before; `made_at` is when it was there for the first time.
    """

    number: int
    of: int
    commit: str
    made_at: datetime


def form_in_force(repo: Repo) -> FormVersion | None:
    """None for a repo whose cards could never be read."""
    form = repo.gate_form
    if form is None:
        return None
    counted = repo.gate_forms.aggregate(of=Count("pk"), number=Count("pk", filter=Q(pk__lte=form.pk)))
    return FormVersion(**counted, commit=_reachable(repo, form.commit_sha), made_at=form.created_at)


def _reachable(repo: Repo, sha: str) -> str:
    try:
        return content.open_git(repo).resolve_revision(sha)
    except RevisionNotFound:
        return ""
