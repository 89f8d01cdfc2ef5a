"""What a report tells of each request, and in which order."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Exists, OuterRef, QuerySet

from access.models import AccessRequest
from accounts.cells import safe_cell
from repos.models import GateForm

OWN = ("user", "fullname", "email", "status", "time", "reviewedAt", "reviewer", "reason", "form")
OF_REPO = ("type", "repo")
"""First, where a report is about several repos."""

MOST_ANSWERS = 1_000
"""Questions with a column of their own.  PostgreSQL has at most 1,664 in a query."""
_MORE = "more answers"
_FORMS_AT_ONCE = 20


@dataclass(frozen=True, slots=True)
class Layout:
    """`answers` are labels with their columns, those of the oldest form version first.

    `more` is the column for what was answered to other questions, "" where all have columns of their own.
    """

    format: str
    across_repos: bool
    answers: tuple[tuple[str, str], ...] = ()
    more: str = ""

    @property
    def labels(self) -> list[str]:
        return [label for label, _ in self.answers]

    def header(self) -> list[str]:
        names = [*own(self.across_repos), *(column for _, column in self.answers)]
        return [*names, self.more] if self.more else names


def own(across_repos: bool) -> tuple[str, ...]:
    """The columns that do not depend on what was asked."""
    return (*OF_REPO, *OWN) if across_repos else OWN


def layout_of(format: str, requests: QuerySet[AccessRequest], *, across_repos: bool) -> Layout:  # noqa: A002
    """With the questions of all form versions that were answered by these requests."""
    if format == "json":  # As on the Hub, without answers.
        return Layout(format, across_repos)
    # The repo says nothing new, but spares the database to look for one repo's requests among another's.
    answered = requests.order_by().filter(form=OuterRef("pk"), repo=OuterRef("repo"))
    versions = GateForm.objects.using(requests.db).filter(Exists(answered)).order_by("created_at", "pk")
    columns: dict[str, str] = {}
    taken = set(own(across_repos))
    for fields in versions.values_list("spec__fields", flat=True).iterator(_FORMS_AT_ONCE):
        for label in (field["label"] for field in fields or []):
            if label in columns:
                continue
            if len(columns) == MOST_ANSWERS:
                return Layout(format, across_repos, tuple(columns.items()), _column(_MORE, taken))
            columns[label] = _column(label, taken)
    return Layout(format, across_repos, tuple(columns.items()))


def _column(label: str, taken: set[str]) -> str:
    """The label, or what tells it from another column that a spreadsheet would show under the same name."""
    name = label
    while safe_cell(name) in taken:
        name = f"answer: {name}"
    taken.add(safe_cell(name))
    return name
