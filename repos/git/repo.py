"""One bare git repository, as the rest of GateHub sees it."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from threading import Lock
from typing import Self

import pygit2

from accounts.errors import BadRequest
from repos.errors import ConcurrentCommit, RepoNotFound
from repos.git import changes, diffs, history, revisions, staging, tree
from repos.git.handles import HandlePool
from repos.git.objects import Author, Changes, CommitInfo, Entry, Ref
from repos.git.pointers import pointer_text

MAX_OPEN = 256  # Repos kept open per process.
MAX_ENTRIES = 256  # Files and folders remembered per repo.
CHUNK_BYTES = 64 * 1024

# What `git` itself must know of the repo: pushed objects and refs are on disk before they count, and are well-formed.
_CONFIG = {"core.fsync": "all", "receive.fsckObjects": "true", "core.logAllRefUpdates": "false"}

_open: OrderedDict[Path, GitRepo] = OrderedDict()
_open_lock = Lock()


class GitRepo:
    """May be shared by threads; kept per process by `open`.

    `commit` arguments are whole shas as `resolve_revision` gives them.  Nothing here asks who is asking.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._identity = _identity(path)
        self._handles = HandlePool(path)
        self._ref_folders = revisions.RefFolders(path)
        self._witnesses = revisions.Witnesses()
        self._counts: dict[tuple[str, int], int] = {}
        self._entries: dict[tuple[str, str], Entry] = {}

    @classmethod
    def create(cls, path: Path, *, author: Author, files: Mapping[str, bytes]) -> Self:
        """Make a bare repo whose `main` has one commit with `files`.  It appears under its name only when whole.

        Raises FileExistsError if there is something at `path`.
        """
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists():
            raise FileExistsError(path)
        new = path.with_name(f".{path.name}-{secrets.token_hex(4)}")
        try:
            handle = pygit2.init_repository(str(new), bare=True, initial_head="main")
            for name, value in _CONFIG.items():
                handle.config[name] = value
            _first_commit(handle, author, files)
            staging.sync_tree(new)
            new.rename(path)
        except BaseException:
            shutil.rmtree(new, ignore_errors=True)
            raise
        staging.sync(path.parent)
        return cls(path)

    @classmethod
    def open(cls, path: Path) -> GitRepo:
        """The repo at `path`, with what this process has read of it before.  Raises RepoNotFound."""
        with _open_lock:
            repo = _open.pop(path, None)
            if repo is None or repo._identity != _identity(path):  # Deleted, and maybe made anew.
                repo = GitRepo(path)
            _open[path] = repo
            if len(_open) > MAX_OPEN:
                _open.popitem(last=False)
        return repo

    # Revisions

    def head(self, branch: str = "main") -> str | None:
        """The commit at a branch, None if there is no such branch."""
        with self._handles.take() as handle:
            return revisions.ref_target(handle, revisions.branch_ref(branch))

    def resolve_revision(self, revision: str) -> str:
        """The commit sha that a branch, tag, `refs/heads/…`, `refs/tags/…` or (abbreviated) sha stands for.

        Raises RevisionNotFound, also for a commit that no branch and no tag leads to (any more).
        """
        with self._handles.take() as handle:
            return revisions.resolve(handle, revision, self._witnesses)

    def split(self, rest: str) -> tuple[str, str]:
        """Split a percent-decoded `REVISION/PATH` where either may have slashes; see revisions.split."""
        with self._handles.take() as handle:
            return revisions.split(handle, rest, self._ref_folders)

    def branches(self) -> list[Ref]:
        """All branches, `main` first."""
        with self._handles.take() as handle:
            return revisions.branches(handle)

    def tags(self) -> list[Ref]:
        """All tags that stand for a commit."""
        with self._handles.take() as handle:
            return revisions.tags(handle)

    def create_branch(self, name: str, start: str) -> Ref:
        """Raises RefExists, RevisionNotFound (no such commit), InvalidRevision (no such name possible)."""
        with self._handles.take() as handle:
            return revisions.create_branch(handle, name, start)

    def delete_branch(self, name: str) -> None:
        """Raises RevisionNotFound.  That `main` stays is for the caller to see to."""
        with self._handles.take() as handle:
            revisions.delete_branch(handle, name)

    def create_tag(self, name: str, commit: str, message: str | None, author: Author) -> Ref:
        """With a message the tag is an annotated one.  Raises as `create_branch`."""
        with self._handles.take() as handle:
            return revisions.create_tag(handle, name, commit, message, author)

    def delete_tag(self, name: str) -> None:
        """Raises RevisionNotFound."""
        with self._handles.take() as handle:
            revisions.delete_tag(handle, name)

    # Reading

    def entry(self, commit: str, path: str) -> Entry:
        """The file or folder at `path`, "" for the root folder.  Raises EntryNotFound, which names the commit."""
        key = commit, path
        found = self._entries.get(key)
        if found is None:
            with self._handles.take() as handle:
                found = tree.entry_at(handle, commit, path)
            if len(self._entries) >= MAX_ENTRIES:
                self._entries.clear()
            self._entries[key] = found  # A commit never changes.
        return found

    def tree(
        self,
        commit: str,
        path: str = "",
        *,
        recursive: bool = False,
        after: str | None = None,
        limit: int | None = None,
    ) -> list[Entry]:
        """What lies in a folder, in git's own order (bytes; a folder comes as if its name ended in a slash).

        `recursive` gives folders too, each before what is in it.  The next page begins `after` the path that the last
        one ended with; it costs what is on it, not what came before.  Raises EntryNotFound if `path` is no folder.
        """
        with self._handles.take() as handle:
            return tree.list_tree(handle, commit, path, recursive=recursive, after=after, limit=limit)

    def paths_info(self, commit: str, paths: Sequence[str]) -> list[Entry]:
        """Those of the files and folders that exist.  A slash behind a path is allowed."""
        with self._handles.take() as handle:
            return tree.entries_at(handle, commit, [path.rstrip("/") for path in paths])

    def last_commits(self, commit: str, paths: Iterable[str], *, budget: int = 1000) -> dict[str, CommitInfo]:
        """For each path the newest commit that changed it; left out if it is not among the last `budget` commits."""
        with self._handles.take() as handle:
            return history.last_commits(handle, commit, paths, budget)

    def commits(self, commit: str, *, skip: int = 0, limit: int = 50) -> list[CommitInfo]:
        """The log, newest first."""
        with self._handles.take() as handle:
            return history.log(handle, commit, skip=skip, limit=limit)

    def commits_of(
        self, commit: str, path: str, *, skip: int = 0, limit: int = 50, budget: int = 5000
    ) -> list[CommitInfo]:
        """Those of the log that changed the file or folder at `path`, newest first, as far as `budget` commits back."""
        with self._handles.take() as handle:
            return history.log_of(handle, commit, path, skip=skip, limit=limit, budget=budget)

    def changes_of(self, commit: str, *, limit: int = 200) -> Changes:
        """What one commit changed, compared with its first parent."""
        with self._handles.take() as handle:
            return diffs.changes_of(handle, commit, limit)

    def count(self, commit: str, *, limit: int = 10_000) -> int:
        """How many commits lead to `commit`, itself included; `limit` if there are at least that many."""
        key = commit, limit
        if key not in self._counts:
            if len(self._counts) >= 1000:
                self._counts.clear()
            with self._handles.take() as handle:
                self._counts[key] = history.count(handle, commit, limit)
        return self._counts[key]

    def blob_size(self, oid: str) -> int:
        """The size in bytes of a stored blob (of an LFS pointer: of the pointer).  Raises EntryNotFound."""
        with self._handles.take() as handle:
            return tree.blob_size(handle, oid)

    def read_blob(self, oid: str) -> bytes:
        """A blob's bytes.  Raises EntryNotFound."""
        with self._handles.take() as handle:
            return tree.blob(handle, oid).data

    def iter_blob(self, oid: str, *, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        """A blob's bytes from `start` to before `stop`, in chunks.  Raises EntryNotFound at once.

        The blob is in memory once, however many chunks there are: git stores it compressed as a whole.
        """
        with self._handles.take() as handle:
            view = memoryview(tree.blob(handle, oid))[start:stop]
        return (bytes(view[at : at + CHUNK_BYTES]) for at in range(0, len(view), CHUNK_BYTES))

    # Writing

    def stage_blob(self, data: bytes) -> str:
        """Keep a file's bytes for a commit that follows in this process; gives the blob's sha-1."""
        return staging.stage_blob(self.path, data)

    def commit(
        self,
        branch: str,
        operations: Sequence[changes.Op],
        *,
        title: str,
        description: str = "",
        author: Author,
        expected_head: str,
    ) -> str:
        """Add one commit to a branch, whole or not at all, and give its sha.  A later operation wins over an earlier.

        `expected_head` is the commit at the branch as the caller knows it.  All objects are safely on disk before the
        branch moves.  A commit that changes no file is made all the same, as on the Hub.  Raises ConcurrentCommit,
        RevisionNotFound, BadRequest or InvalidPath (naming the path), EntryNotFound for deleting what is not there.
        """
        ref = revisions.branch_ref(branch)
        head = self.head(branch)
        if head is None:
            raise revisions.not_found(branch)
        if head != expected_head:
            raise ConcurrentCommit
        message = _message(title, description)
        blobs = [self._as_blob(operation) for operation in operations]
        with staging.workspace(self.path) as work:
            base = work.handle[head].peel(pygit2.Tree)
            new_tree = changes.changed_tree(work.handle, base, blobs)
            new = _create_commit(work.handle, author, message, new_tree, [head])
            work.publish(operation.oid for operation in blobs if isinstance(operation, changes.AddBlob))
        self._move(ref, expected=head, new=new)
        return new

    def squash(self, branch: str, message: str, author: Author) -> str:
        """Replace a branch's history by one commit with the same files.  Raises RevisionNotFound, ConcurrentCommit."""
        head = self.head(branch)
        if head is None:
            raise revisions.not_found(branch)
        with self._handles.take() as handle:
            tree_id = handle[head].peel(pygit2.Tree).id
            new = _create_commit(handle, author, _message(message, ""), tree_id, [])
        self._move(revisions.branch_ref(branch), expected=head, new=new)
        return new

    def sweep(self, *, older_than: float) -> int:
        """Remove what killed processes and uploads without a commit left, if older (seconds); see staging.sweep."""
        return staging.sweep(self.path, older_than)

    def collect_garbage(self) -> None:
        """Let git pack loose objects and join small packs, where there are many; nothing that is younger than two weeks
        or that a ref leads to is dropped.  Look-ups in a repo of many commits stay quick by it.
        """
        # Neither the user's configuration nor the machine's counts, as for libgit2.
        env = {"PATH": os.environ.get("PATH", os.defpath), "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull}
        command = ["git", "-c", "gc.autoDetach=false", "gc", "--auto", "--quiet"]
        subprocess.run(command, cwd=self.path, env=env, check=True, capture_output=True)

    def _as_blob(self, operation: changes.Op) -> changes.Op:
        """A pointer is a blob like any other, once it is written."""
        if not isinstance(operation, changes.AddPointer):
            return operation
        try:
            text = pointer_text(operation.sha256, operation.size)
        except ValueError as error:
            raise BadRequest(f"{operation.path!a}: {error}") from error
        return changes.AddBlob(operation.path, self.stage_blob(text))

    def _move(self, ref: str, *, expected: str, new: str) -> None:
        with self._handles.take() as handle:
            revisions.move(handle, ref, expected=expected, new=new)


def _identity(path: Path) -> tuple[int, int]:
    try:
        status = path.stat()
    except (FileNotFoundError, NotADirectoryError) as error:
        raise RepoNotFound from error
    return status.st_dev, status.st_ino


def _first_commit(handle: pygit2.Repository, author: Author, files: Mapping[str, bytes]) -> None:
    added = [changes.AddBlob(path, str(handle.create_blob(data))) for path, data in files.items()]
    tree_id = changes.changed_tree(handle, None, added)
    first = _create_commit(handle, author, "initial commit\n", tree_id, [])
    handle.create_reference_direct("refs/heads/main", pygit2.Oid(hex=first), False)


def _create_commit(
    handle: pygit2.Repository, author: Author, message: str, tree_id: pygit2.Oid, parents: Sequence[str]
) -> str:
    signature = author.signature()
    return str(handle.create_commit(None, signature, signature, message, tree_id, list(parents)))


def _message(title: str, description: str) -> str:
    """A commit message: title, empty line, description."""
    title, description = revisions.clean_message(title).strip(), revisions.clean_message(description).strip()
    if not title:
        raise BadRequest("A commit needs a title.")
    return f"{title}\n\n{description}\n" if description else f"{title}\n"
