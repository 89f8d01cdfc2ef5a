"""Branches, tags, and what a revision stands for.

A revision is the name of a branch or a tag, `refs/heads/NAME`, `refs/tags/NAME`, or a commit sha, whole or its first
5 to 39 digits.  git's own expressions (`main~1`, `main@{1}`, `main:path`) are not revisions.  A commit counts only
while a branch or tag leads to it: after a squash or the deletion of a branch, what was there may lie in the object
store for weeks, and must not be served.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path

import pygit2
from pygit2.enums import ObjectType

from repos.errors import ConcurrentCommit, InvalidRevision, RefExists, RevisionNotFound
from repos.git.objects import Author, Ref
from repos.git.paths import shown

HEADS, TAGS = "refs/heads/", "refs/tags/"
MAX_NAME_BYTES = 250  # NAME_MAX less ".lock", which git appends while it writes
STALE_LOCK_SECONDS = 60
_MAX_PREFIX_WALK = 10_000
_MAX_REMEMBERED = 10_000

_SHA = re.compile(r"[0-9a-fA-F]{40}")
_ABBREVIATION = re.compile(r"[0-9a-fA-F]{5,39}")
_UNUSABLE = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
_OTHER_REF = re.compile(r"(refs/(?:pr|convert)/[^/]+)(?:/(.*))?", re.DOTALL)


class Witnesses:
    """Which ref was seen to lead to which commit, so that a commit need be searched for in the history once only.

    An answer is good as long as that ref stands where it stood then; when it has moved, the search starts again.
    """

    def __init__(self) -> None:
        self._seen: dict[str, tuple[str, str]] = {}

    def reachable(self, repo: pygit2.Repository, sha: str) -> bool:
        """Whether a branch or tag leads to the commit `sha`."""
        ref, target = self._seen.get(sha, ("", ""))
        now = ref_target(repo, ref) if ref else None
        if now is None or (now != target and not _leads_to(repo, now, sha)):
            ref, now = _find_witness(repo, sha)
        if now is None:
            self._seen.pop(sha, None)
            return False
        if len(self._seen) >= _MAX_REMEMBERED:
            self._seen.clear()
        self._seen[sha] = ref, now
        return True


def _find_witness(repo: pygit2.Repository, sha: str) -> tuple[str, str | None]:
    """A ref that leads to `sha`, and the commit it stands at, or None.

    One pass over the history answers for all refs at once; only then it is asked which one it was.
    """
    refs = [*branches(repo), *tags(repo)]
    at_target = next((ref for ref in refs if ref.target == sha), None)
    if at_target:
        return at_target.ref, at_target.target
    targets = list(dict.fromkeys(ref.target for ref in refs))
    if not targets or str(repo.merge_base_many([sha, *targets])) != sha:
        return "", None
    found = next((ref for ref in refs if _leads_to(repo, ref.target, sha)), None)
    return (found.ref, found.target) if found else ("", None)


def _leads_to(repo: pygit2.Repository, target: str, sha: str) -> bool:
    return target == sha or repo.descendant_of(target, sha)


def resolve(repo: pygit2.Repository, revision: str, witnesses: Witnesses) -> str:
    """The commit sha that `revision` stands for: a branch before a tag, either before an abbreviated sha.

    Raises RevisionNotFound.
    """
    if _SHA.fullmatch(revision):  # Git lets a branch have such a name; it must not hide the commit.
        sha: str | None = revision.lower()
    else:
        sha = _by_name(repo, revision)
        if sha:
            return sha
        sha = _expand(repo, revision.lower()) if _ABBREVIATION.fullmatch(revision) else None
    if sha and _is_commit(repo, sha) and witnesses.reachable(repo, sha):
        return sha
    raise not_found(revision)


def _by_name(repo: pygit2.Repository, revision: str) -> str | None:
    if revision.startswith("refs/"):
        return ref_target(repo, revision) if revision.startswith((HEADS, TAGS)) else None
    return ref_target(repo, HEADS + revision) or ref_target(repo, TAGS + revision)


def _expand(repo: pygit2.Repository, prefix: str) -> str | None:
    """The whole sha of the one commit that begins so.  Files and folders that begin alike do not count."""
    try:
        return str(repo.expand_id(prefix))
    except pygit2.AmbiguousError:
        pass
    except KeyError:
        return None
    walker = repo.walk(None)
    for ref in (*branches(repo), *tags(repo)):
        walker.push(ref.target)
    found = [sha for commit in islice(walker, _MAX_PREFIX_WALK) if (sha := str(commit.id)).startswith(prefix)]
    return found[0] if len(found) == 1 else None


def _is_commit(repo: pygit2.Repository, sha: str) -> bool:
    return isinstance(repo.get(sha), pygit2.Commit)


def ref_target(repo: pygit2.Repository, ref: str) -> str | None:
    """The commit at a ref, given by its whole name; None if there is no such ref, or none can be called so."""
    if not _usable(ref):
        return None
    try:
        return str(repo.lookup_reference(ref).peel(pygit2.Commit).id)
    except (KeyError, pygit2.GitError):  # Not there, or a tag on something that is no commit.
        return None


def _usable(ref: str) -> bool:
    """Whether libgit2 can be asked for it: a string ends at NUL there, and slashes too many are left out."""
    return not _UNUSABLE.search(ref) and "//" not in ref and len(ref) <= MAX_NAME_BYTES + len(HEADS)


class RefFolders:
    """Which names have refs below them, as `dev` has where there is a branch `dev/x`.

    Asking so is what makes `split` cheap: a ref that is not there costs libgit2 8 us, and a path has many beginnings.
    """

    def __init__(self, path: Path) -> None:
        self._path = str(path)
        self._file = f"{path}/packed-refs"
        self._packed: tuple[object, frozenset[str]] = None, frozenset()

    def __contains__(self, ref: str) -> bool:
        return os.path.isdir(f"{self._path}/{ref}") or ref in self._packed_folders()  # noqa: PTH112 (a third of the time)

    def _packed_folders(self) -> frozenset[str]:
        try:
            status = os.stat(self._file)  # noqa: PTH116 (likewise)
        except FileNotFoundError:
            return frozenset()
        state = status.st_mtime_ns, status.st_size, status.st_ino
        if self._packed[0] != state:
            names = (line[41:] for line in Path(self._file).read_text(errors="replace").splitlines())
            self._packed = state, frozenset("/".join(name.split("/")[:3]) for name in names if name.count("/") > 2)
        return self._packed[1]


def split(repo: pygit2.Repository, rest: str, folders: RefFolders) -> tuple[str, str]:
    """Split `REVISION/PATH`, percent-decoded, where either may have slashes: the longest known name first.

    A leading sha is taken as such; a first segment that is no known name is the revision, for `resolve` to refuse.
    """
    first, _, path = rest.partition("/")
    if _SHA.fullmatch(first) or _UNUSABLE.search(first):
        return first, path
    for prefix in (HEADS, TAGS):
        if rest.startswith(prefix):
            name, path = _known_name(repo, folders, (prefix,), rest.removeprefix(prefix))
            return prefix + name, path
    if other := _OTHER_REF.fullmatch(rest):
        return other[1], other[2] or ""
    return _known_name(repo, folders, (HEADS, TAGS), rest)


def _known_name(repo: pygit2.Repository, folders: RefFolders, prefixes: tuple[str, ...], rest: str) -> tuple[str, str]:
    """The longest beginning of `rest` that is a branch or tag, and what follows; else the first segment."""
    first, _, path = rest.partition("/")
    best = first
    for prefix in prefixes:
        if prefix + first not in folders:  # Then no name goes on behind the first slash.
            continue
        # A ref cannot lie below another one, so the first that is found is the only one of its kind.
        name, tail = next(((n, t) for n, t in _beginnings(rest) if ref_target(repo, prefix + n)), ("", ""))
        if len(name) > len(best):
            best, path = name, tail
    return best, path


def _beginnings(rest: str) -> Iterator[tuple[str, str]]:
    """`a/b/c` as ("a", "b/c"), ("a/b", "c"), ("a/b/c", ""), as far as a ref may be long."""
    end = -1
    while end < len(rest) and end <= MAX_NAME_BYTES:
        end = rest.find("/", end + 1)
        end = len(rest) if end < 0 else end
        yield rest[:end], rest[end + 1 :]


def branches(repo: pygit2.Repository) -> list[Ref]:
    """All branches, `main` first, then by name."""
    return sorted(_refs(repo, HEADS), key=lambda ref: (ref.name != "main", ref.name))


def tags(repo: pygit2.Repository) -> list[Ref]:
    """All tags on commits, by name."""
    return sorted(_refs(repo, TAGS), key=lambda ref: ref.name)


def _refs(repo: pygit2.Repository, prefix: str) -> Iterator[Ref]:
    """Refs whose names are not UTF-8 are left out: no request could name them."""
    for raw in repo.raw_listall_references():
        ref = raw.decode("utf-8", "ignore")
        target = ref_target(repo, ref) if ref.startswith(prefix) and ref.encode() == raw else None
        if target:
            yield Ref(ref.removeprefix(prefix), ref, target)


def branch_ref(name: str) -> str:
    """The whole name of a branch given as `NAME` or `refs/heads/NAME`."""
    return name if name.startswith(HEADS) else HEADS + name


def check_new_name(name: str) -> None:
    """Raises InvalidRevision for names that git refuses, or that would be taken for something else."""
    problem = _name_problem(name)
    if problem:
        raise InvalidRevision(f"{shown(name)} cannot be the name of a branch or tag: {problem}.")


def _name_problem(name: str) -> str:
    if not name:
        return "it is empty"
    if _UNUSABLE.search(name):
        return "control characters are not allowed"
    if len(name.encode()) > MAX_NAME_BYTES:
        return f"it is longer than {MAX_NAME_BYTES} bytes"
    if name.startswith("-"):
        return "it looks like an option"
    if name.startswith("refs/"):
        return "it starts with 'refs/'"
    if name in ("HEAD", "@"):
        return "it is a word of git's own"
    if _SHA.fullmatch(name):
        return "it looks like a commit sha"
    return "" if pygit2.reference_is_valid_name(HEADS + name) else "git does not allow it"


def create_branch(repo: pygit2.Repository, name: str, start: str) -> Ref:
    """Let a new branch start at the commit `start`.  Raises RefExists, InvalidRevision, RevisionNotFound."""
    target = _check_new_ref(repo, HEADS, name, start)
    with _as_conflict(name):
        repo.create_reference_direct(HEADS + name, target, False)
    return Ref(name, HEADS + name, str(target))


def create_tag(repo: pygit2.Repository, name: str, commit: str, message: str | None, author: Author) -> Ref:
    """Tag a commit; with a message the tag is an annotated one.  Raises as `create_branch`."""
    target = _check_new_ref(repo, TAGS, name, commit)
    with _as_conflict(name):
        if message:
            repo.create_tag(name, target, ObjectType.COMMIT, author.signature(), clean_message(message))
        else:
            repo.create_reference_direct(TAGS + name, target, False)
    return Ref(name, TAGS + name, str(target))


def _check_new_ref(repo: pygit2.Repository, prefix: str, name: str, commit: str) -> pygit2.Oid:
    """The id of the commit that a new ref is to stand at, if it may be made."""
    check_new_name(name)
    target = _commit_id(repo, commit)
    new = (prefix + name).encode()
    for ref in repo.raw_listall_references():
        # Refs are files on disk: `dev` cannot be both a branch and the folder of `dev/x`.
        if ref == new or ref.startswith(new + b"/") or new.startswith(ref + b"/"):
            known = ref.decode("utf-8", "replace").removeprefix(prefix)
            raise RefExists(f"{shown(name)} cannot be created: {shown(known)} exists.")
    return target


@contextmanager
def _as_conflict(name: str) -> Iterator[None]:
    """Somebody else made or holds the ref in this very moment."""
    try:
        yield
    except (pygit2.AlreadyExistsError, OSError) as error:
        raise RefExists(f"{shown(name)} is being created by somebody else.") from error


def delete_branch(repo: pygit2.Repository, name: str) -> None:
    """Raises RevisionNotFound if there is none."""
    _delete(repo, branch_ref(name))


def delete_tag(repo: pygit2.Repository, name: str) -> None:
    """Raises RevisionNotFound if there is none."""
    _delete(repo, name if name.startswith(TAGS) else TAGS + name)


def _delete(repo: pygit2.Repository, ref: str) -> None:
    if not _usable(ref):
        raise not_found(ref)
    try:
        repo.lookup_reference(ref).delete()
    except (KeyError, ValueError) as error:
        raise not_found(ref) from error


def move(repo: pygit2.Repository, ref: str, *, expected: str, new: str) -> None:
    """Move a ref from the commit `expected` to `new`: compare and set, under git's own lock on the ref.

    Raises ConcurrentCommit, and leaves the ref where it is, if it stands elsewhere or is being moved.
    """
    _drop_stale_lock(Path(repo.path) / f"{ref}.lock")
    try:
        found = repo.lookup_reference(ref)
        if str(found.target) == expected:
            found.set_target(new)  # libgit2 compares with found.target once more, with the lock in hand.
            return
    except (KeyError, pygit2.GitError, OSError) as error:
        raise ConcurrentCommit from error
    raise ConcurrentCommit


def _drop_stale_lock(lock: Path) -> None:
    """Whoever is killed while it moves a ref leaves the ref locked for good.  Moving takes milliseconds."""
    with suppress(FileNotFoundError):
        if time.time() - lock.stat().st_mtime > STALE_LOCK_SECONDS:
            lock.unlink()


def clean_message(text: str) -> str:
    """A message as git can hold it: without NUL, at which libgit2 would end it, and without lone surrogates."""
    return text.replace("\0", "").encode("utf-8", "replace").decode()


def _commit_id(repo: pygit2.Repository, sha: str) -> pygit2.Oid:
    found = repo.get(sha) if _SHA.fullmatch(sha) else None
    if not isinstance(found, pygit2.Commit):
        raise not_found(sha)
    return found.id


def not_found(revision: str) -> RevisionNotFound:
    return RevisionNotFound(f"There is no branch, tag or commit {shown(revision)}.")
