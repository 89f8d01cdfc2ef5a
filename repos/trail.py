"""Answers about repos for the pages of the audit trail (`accounts.known_repos`)."""

from __future__ import annotations

from repos.models import Repo


def keys(repo_id: str) -> list[int]:
    namespace, _, name = repo_id.replace("\0", "").removeprefix("datasets/").partition("/")
    found = Repo.objects.filter(namespace__name__iexact=namespace, name__iexact=name)
    return list(found.values_list("pk", flat=True))


def name(key: int) -> str:
    repo = Repo.objects.select_related("namespace").filter(pk=key).first()
    return "" if repo is None else f"{repo.type} {repo.repo_id}"
