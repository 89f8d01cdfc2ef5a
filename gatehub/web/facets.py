"""What a list of repos can be narrowed by: the tags that occur most among those it lists.

They are looked up anew for whoever asks, among what that person may see: nothing of a private repo is kept for others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Count
from django.db.models.fields.json import KT

from repos.models import Repo, RepoTag

OFFERED = 10
_TAGS = 1_000
_PREFIXES = {"Task": "task_categories:", "License": "license:", "Language": "language:"}
_TITLES = ("Task", "Library", "License", "Language", "Tags")


@dataclass(frozen=True, slots=True)
class Option:
    """One answer: what people read, the tag that stands for it, and how many repos have it."""

    words: str
    tag: str
    count: int


@dataclass(frozen=True, slots=True)
class Facet:
    """A question such as the license, and the answers that occur most, those first."""

    title: str
    options: list[Option]


def in_words(tag: str) -> str:
    """A tag with the title of the facet that it answers in place of its prefix."""
    for title, prefix in _PREFIXES.items():
        if tag.startswith(prefix):
            return f"{title}: {tag.removeprefix(prefix)}"
    return tag


def facets_of(pks: Sequence[int]) -> list[Facet]:
    """The facets of these repos, those left out that nothing answers.  Two queries, however many repos."""
    rows = RepoTag.objects.filter(repo__in=pks).values_list("tag").annotate(count=Count("pk"))
    counts = dict(rows.order_by("-count", "tag")[:_TAGS])
    kinds = _kinds(pks, counts)
    facets = []
    for title in _TITLES:
        options = [
            Option(tag.removeprefix(_PREFIXES.get(title, "")), tag, count)
            for tag, count in counts.items()
            if kinds.get(tag) == title
        ]
        if options:
            facets.append(Facet(title, options[:OFFERED]))
    return facets


def _kinds(pks: Sequence[int], counts: dict[str, int]) -> dict[str, str]:
    """Tag -> title of the facet that it answers; tags that answer none are not in it.

    Tasks and libraries look like any other tag, and are known by the entry of the card that they come from.
    """
    said = Repo.objects.filter(pk__in=pks).order_by().distinct()
    pairs = list(said.values_list(KT("card_data__pipeline_tag"), KT("card_data__library_name")))
    tasks, libraries = {task for task, _ in pairs}, {library for _, library in pairs}
    kinds = {}
    for tag in counts:
        prefixed = next((title for title, prefix in _PREFIXES.items() if tag.startswith(prefix)), None)
        if prefixed:
            kinds[tag] = prefixed
        elif tag in tasks:
            kinds[tag] = "Task"
        elif tag in libraries:
            kinds[tag] = "Library"
        elif ":" not in tag and f"language:{tag}" not in counts:  # A language is there twice.
            kinds[tag] = "Tags"
    return kinds
