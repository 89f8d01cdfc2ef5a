"""What pages of the audit trail ask about repos, which are a layer above: `repos` puts its answers here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(slots=True)
class KnownRepos:
    keys: Callable[[str], list[int]] = lambda repo_id: []
    """Of the repos with that id, whatever its case: a model, a dataset, both or none."""
    name: Callable[[int], str] = lambda key: ""
    """The id of the repo with that key, "" if it is deleted."""


known_repos = KnownRepos()
