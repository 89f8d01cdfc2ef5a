"""What is known of a repo, for the side of its page: what its card says, with links where they lead somewhere."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable
from dataclasses import dataclass, field
from urllib.parse import quote, urlencode, urlsplit

from django.urls import reverse

from access import selectors
from access.moments import Clock, Moment
from accounts.actor import Actor
from gatehub.caches import kept
from repos import content
from repos.cards import metadata
from repos.errors import RepoNotFound
from repos.models import Repo

MOST = 12
"""How many of one kind are shown."""
MOST_FILES = 10_000
"""A repo with more is said to have more than so many, and their sizes are not added up."""
_SIZE_SECONDS = 7 * 24 * 3600
_SHOWN_ELSEWHERE = ("license:", "language:", "dataset:", "base_model:", "task_categories:")
_RELATIONS = {
    "adapter": "Adapter for",
    "finetune": "Finetuned from",
    "merge": "Merge of",
    "quantized": "Quantized from",
}


@dataclass(frozen=True, slots=True)
class Link:
    """A word of the card; `url` is "" where it leads nowhere."""

    text: str
    url: str = ""


@dataclass(frozen=True, slots=True)
class Size:
    """The files at the head of main.  `bytes` is None for very many files."""

    files: int
    bytes: int | None


@dataclass(frozen=True, slots=True)
class Facts:
    license: Link | None
    tasks: list[Link]
    library: Link | None
    languages: list[Link]
    more_languages: int
    base_words: str
    base_models: list[Link]
    datasets: list[Link]
    size: Size | None
    updated: Moment
    tags: list[Link] = field(default_factory=list)
    more_tags: list[Link] = field(default_factory=list)


def facts_of(repo: Repo, actor: Actor) -> Facts:
    data = repo.card_data
    is_model = repo.type == Repo.Type.MODEL
    bases = metadata.base_models_of(data)[:MOST] if is_model else []
    datasets = metadata.datasets_of(data)[:MOST] if is_model else []
    here = selectors.visible_ids(
        actor, [(Repo.Type.MODEL, name) for name in bases] + [(Repo.Type.DATASET, name) for name in datasets]
    )
    task, library, languages = metadata.pipeline_tag(data), metadata.library_name(data), metadata.languages_of(data)
    tasks = [task] if task else [] if is_model else metadata.task_categories_of(data)
    shown = {task, library, *languages}
    tags = [
        tag for tag in metadata.tags_of(data, repo.type) if tag not in shown and not tag.startswith(_SHOWN_ELSEWHERE)
    ]
    links = [_filtered(repo, tag) for tag in tags]
    return Facts(
        license=_license(repo),
        tasks=[_filtered(repo, name, "" if is_model else "task_categories:") for name in tasks[:MOST]],
        library=_filtered(repo, library) if library else None,
        languages=[_filtered(repo, code) for code in languages[:MOST]],
        more_languages=max(0, len(languages) - MOST),
        base_words=_RELATIONS.get(metadata.base_relation_of(data) or "", "Base model"),
        base_models=[_linked(Repo.Type.MODEL, name, here) for name in bases],
        datasets=[_linked(Repo.Type.DATASET, name, here) for name in datasets],
        size=None if repo.disabled else _size(repo),
        updated=Clock().moment(repo.last_modified),
        tags=links[:MOST],
        more_tags=links[MOST:],
    )


def _filtered(repo: Repo, tag: str, prefix: str = "") -> Link:
    """The list of the repos that have the tag."""
    return Link(tag, f"{reverse(f'{repo.type}s')}?{urlencode({'filter': prefix + tag})}")


def _linked(type_: str, name: str, here: Iterable[tuple[str, str]]) -> Link:
    """A repo, if the visitor may know that there is such a one here."""
    prefix = "/" if type_ == Repo.Type.MODEL else "/datasets/"
    return Link(name, prefix + quote(name) if (type_, name.lower()) in here else "")


def _license(repo: Repo) -> Link | None:
    """Its name, and the text that the card names; without one, the repos of the same licence."""
    name = metadata.license_of(repo.card_data)
    if name is None:
        return None
    said = metadata.license_link(repo.card_data)
    if said:
        try:
            scheme = urlsplit(said).scheme
        except ValueError:  # Such as `https://[your-org]/LICENSE`.
            return Link(name)
        if scheme in ("http", "https"):
            return Link(name, said)
        path = posixpath.normpath(said)
        return Link(name, "" if path.startswith(("/", "..")) else f"{repo.path}/blob/main/{quote(path)}")
    return Link(name, _filtered(repo, f"license:{metadata.license_id(repo.card_data)}").url)


def _size(repo: Repo) -> Size | None:
    key = f"size:{repo.storage_id}:{repo.head_sha}"
    known: tuple[int, int | None] | None = kept.get(key)
    if known is not None:
        return Size(*known)
    size = _added_up(repo) if repo.head_sha else None
    if size is not None:
        kept.set(key, (size.files, size.bytes), _SIZE_SECONDS)
    return size


def _added_up(repo: Repo) -> Size | None:
    try:
        entries = content.open_git(repo).tree(repo.head_sha, recursive=True, limit=MOST_FILES + 1)
    except RepoNotFound:
        return None
    files = [entry for entry in entries if entry.type == "file"]
    return Size(len(files), None if len(entries) > MOST_FILES else sum(entry.size for entry in files))
