"""What the lists of models and datasets are asked for, and the addresses that ask for a little more or less."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from django.db.models.functions import Lower
from django.http import QueryDict

from gatehub.web import facets
from repos.models import RepoQuerySet

MOST_TAGS = 10
_LONGEST = 200
GATES = {"": "Gated or not", "yes": "Gated", "no": "Not gated"}
SORTS: dict[str, tuple[str, list[Any]]] = {
    "modified": ("Last updated", ["-last_modified", "-pk"]),
    "created": ("Newest", ["-created_at", "-pk"]),
    "downloads": ("Most downloads", ["-downloads", "-pk"]),
    "name": ("Name", [Lower("name"), "pk"]),
}
_FIRST_SORT = "modified"


@dataclass(frozen=True, slots=True)
class RepoSearch:
    """One search.  What an address says that means nothing, is left out, as if it had not been said."""

    search: str = ""
    author: str = ""
    gated: str = ""
    sort: str = _FIRST_SORT
    tags: tuple[str, ...] = ()

    @classmethod
    def asked_by(cls, query: QueryDict) -> RepoSearch:
        """`search`, `author`, `gated` (`yes`, `no`), `sort`, `filter` (a tag, repeatable)."""
        gated, sort = query.get("gated", ""), query.get("sort", "")
        tags = dict.fromkeys(tag for tag in map(_words, query.getlist("filter")) if tag)
        return cls(
            search=_words(query.get("search", "")),
            author=_words(query.get("author", "")),
            gated=gated if gated in GATES else "",
            sort=sort if sort in SORTS else _FIRST_SORT,
            tags=tuple(tags)[:MOST_TAGS],
        )

    def among(self, repos: RepoQuerySet) -> RepoQuerySet:
        """Those that match, in order."""
        if self.search:
            repos = repos.containing(self.search)
        if self.author:
            repos = repos.by_author(self.author)
        if self.gated:
            repos = repos.gated_or_not(self.gated == "yes")
        for tag in self.tags:
            repos = repos.tagged(tag)
        return repos.order_by(*SORTS[self.sort][1])

    @property
    def query(self) -> str:
        """The address's query that asks for this, from the first page on."""
        named = {"search": self.search, "author": self.author, "gated": self.gated}
        named["sort"] = "" if self.sort == _FIRST_SORT else self.sort
        pairs = [(name, value) for name, value in named.items() if value]
        return urlencode(pairs + [("filter", tag) for tag in self.tags])

    @property
    def narrows(self) -> bool:
        """Whether there is anything to take away."""
        return self != RepoSearch(sort=self.sort)

    def turned(self, tag: str) -> RepoSearch:
        """With the tag if it was without, and without if it was with."""
        had = tag in self.tags
        return replace(self, tags=tuple(other for other in self.tags if other != tag) if had else (*self.tags, tag))

    def chips(self) -> list[tuple[str, RepoSearch]]:
        """All that narrows it, in words, each with the search that is without it."""
        chips = []
        if self.search:
            chips.append((f"Name: {self.search}", replace(self, search="")))
        if self.author:
            chips.append((f"Owner: {self.author}", replace(self, author="")))
        if self.gated:
            chips.append((GATES[self.gated], replace(self, gated="")))
        return chips + [(facets.in_words(tag), self.turned(tag)) for tag in self.tags]


def _words(text: str) -> str:
    return " ".join(text.replace("\0", "").split())[:_LONGEST]
