"""Reading history: the log, its length, and which commit last changed a path."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime
from heapq import heappop, heappush
from itertools import islice
from typing import Any

import pygit2
from pygit2.enums import SortMode

from repos.git.objects import CommitInfo

_EPOCH = datetime.fromtimestamp(0, UTC)


def log(repo: pygit2.Repository, commit: str, *, skip: int, limit: int) -> list[CommitInfo]:
    """The commits that lead to `commit`, newest first."""
    # Unsorted is the order of `git log`; SortMode.TIME puts a parent before its child if both are of one second.
    walker = repo.walk(commit, SortMode.NONE)
    return [commit_info(found) for found in islice(walker, skip, skip + limit)]


def log_of(repo: pygit2.Repository, commit: str, path: str, *, skip: int, limit: int, budget: int) -> list[CommitInfo]:
    """The commits that made `path` other than each of their parents has it."""
    folder, _, name = path.rpartition("/")
    walker = islice(repo.walk(commit, SortMode.NONE), budget)
    found = (current for current in walker if _changed_here(current, folder, name))
    return [commit_info(current) for current in islice(found, skip, skip + limit)]


def _changed_here(commit: pygit2.Commit, folder: str, name: str) -> bool:
    here = _entry_key(_folder(commit, folder), name)
    return all(_entry_key(_folder(parent, folder), name) != here for parent in commit.parents) and (
        bool(commit.parents) or here is not None
    )


def count(repo: pygit2.Repository, commit: str, limit: int) -> int:
    """How many commits lead to `commit`, itself included; `limit` if there are at least that many."""
    return sum(1 for _ in islice(repo.walk(commit), limit))


def commit_info(commit: pygit2.Commit) -> CommitInfo:
    """What people see of a commit.  Bytes that are not UTF-8 become U+FFFD: git lets anything in."""
    title, _, message = commit.raw_message.decode("utf-8", "replace").strip().partition("\n")
    return CommitInfo(
        oid=str(commit.id),
        title=title.strip(),
        message=message.strip(),
        date=_date(commit.commit_time),
        author_name=commit.author.raw_name.decode("utf-8", "replace"),
        author_email=commit.author.raw_email.decode("utf-8", "replace"),
        parents=tuple(str(parent) for parent in commit.parent_ids),
    )


def _date(timestamp: int) -> datetime:
    """A commit may bear any 64-bit number as its time; what is no date becomes the epoch."""
    try:
        return datetime.fromtimestamp(timestamp, UTC)
    except (OverflowError, ValueError, OSError):
        return _EPOCH


def last_commits(repo: pygit2.Repository, commit: str, paths: Iterable[str], budget: int) -> dict[str, CommitInfo]:
    """For each path the newest commit that made it what it is at `commit`.

    As `git log -1 -- path`: at a merge, the walk follows a parent that has the path unchanged.  After `budget`
    commits it stops; paths not settled by then, and those that do not exist, are left out.
    """
    waiting: dict[str, dict[str, set[str]]] = {commit: _by_folder(_existing(repo, commit, paths))}
    queue = [(-_commit(repo, commit).commit_time, commit)]
    settled: dict[str, CommitInfo] = {}
    while queue and budget > 0:
        budget -= 1
        current = _commit(repo, heappop(queue)[1])
        folders = waiting.pop(str(current.id))
        for parent in current.parents:
            passed, folders = _same_in(parent, current, folders)
            if passed:
                if str(parent.id) not in waiting:
                    heappush(queue, (-parent.commit_time, str(parent.id)))
                _merge(waiting.setdefault(str(parent.id), {}), passed)
        info = commit_info(current) if folders else None
        settled |= {_join(folder, name): info for folder, names in folders.items() for name in names if info}
    return settled


def _commit(repo: pygit2.Repository, oid: str) -> pygit2.Commit:
    return repo[oid].peel(pygit2.Commit)


def _existing(repo: pygit2.Repository, commit: str, paths: Iterable[str]) -> list[str]:
    tree = _commit(repo, commit).tree
    return [path for path in paths if path and "\0" not in path and path in tree]


def _by_folder(paths: Iterable[str]) -> dict[str, set[str]]:
    folders = defaultdict(set)
    for path in paths:
        folder, _, name = path.rpartition("/")
        folders[folder].add(name)
    return dict(folders)


def _merge(into: dict[str, set[str]], folders: dict[str, set[str]]) -> None:
    for folder, names in folders.items():
        into.setdefault(folder, set()).update(names)


def _same_in(
    parent: pygit2.Commit, commit: pygit2.Commit, folders: dict[str, set[str]]
) -> tuple[dict[str, set[str]], dict[str, set[str]]]:
    """Split the paths in those that `parent` has as `commit` has them, and the rest."""
    same: dict[str, set[str]] = {}
    changed: dict[str, set[str]] = {}
    for folder, names in folders.items():
        here, there = _folder(commit, folder), _folder(parent, folder)
        if here is not None and there is not None and here.id == there.id:
            same[folder] = names
            continue
        unchanged = {name for name in names if _entry_key(here, name) == _entry_key(there, name)}
        if unchanged:
            same[folder] = unchanged
        if unchanged != names:
            changed[folder] = names - unchanged
    return same, changed


def _folder(commit: pygit2.Commit, folder: str) -> pygit2.Tree | None:
    if not folder:
        return commit.tree
    try:
        found = commit.tree[folder]
    except KeyError:
        return None
    return found if isinstance(found, pygit2.Tree) else None


def _entry_key(tree: pygit2.Tree | None, name: str) -> Any:
    """What tells two versions of an entry apart: content and mode."""
    try:
        found: Any = None if tree is None or not name else tree[name]
    except KeyError:
        return None
    return None if found is None else (found.id, found.filemode)


def _join(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder else name
