"""Which version of its form a gate shows, and where it comes from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Q, QuerySet

from accounts.compiled import rows
from repos import content
from repos.errors import RevisionNotFound
from repos.models import GateForm, Repo


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
    number, of = next(iter(rows(_numbers, repo=repo.pk, form=form.pk)), (0, 0))  # It may be gone by now.
    return FormVersion(number, of, commit=_reachable(repo, form.commit_sha), made_at=form.created_at)


def _numbers(repo: int, form: int) -> QuerySet[GateForm, Any]:
    """How many versions there are up to this one, and at all."""
    versions = GateForm.objects.filter(repo=repo).order_by().values("repo")  # All as one group.
    counted = versions.annotate(number=Count("pk", filter=Q(pk__lte=form)), of=Count("pk"))
    return counted.values_list("number", "of")


def _reachable(repo: Repo, sha: str) -> str:
    try:
        return content.open_git(repo).resolve_revision(sha)
    except RevisionNotFound:
        return ""
