"""What a commit changed: files, and the lines of those that are short texts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Final

import pygit2
from pygit2.enums import DeltaStatus, DiffFind, FileMode

from repos.git import pointers
from repos.git.objects import Changes, Entry, FileChange, Kind, Line

MAX_BLOB: Final = 256 * 1024
"""Of a larger file no lines are compared: comparing takes more than linear time."""
MAX_LINES: Final = 2_000
"""For all files of a commit together."""
MAX_LINE: Final = 2_000
_MOST_FOR_RENAMES: Final = 1_000

_KINDS: Final[dict[int, Kind]] = {
    DeltaStatus.ADDED: "added",
    DeltaStatus.DELETED: "deleted",
    DeltaStatus.RENAMED: "renamed",
}


def changes_of(repo: pygit2.Repository, commit: str, limit: int) -> Changes:
    """What `commit` changed, compared with its first parent; the first `limit` files, in the order of their paths."""
    found = repo[commit].peel(pygit2.Commit)
    parents = found.parents[:1]
    diff = found.tree.diff_to_tree(parents[0].tree, swap=True) if parents else found.tree.diff_to_tree(swap=True)
    total = len(diff)
    if total <= _MOST_FOR_RENAMES:
        diff.find_similar(flags=DiffFind.FIND_RENAMES | DiffFind.FIND_EXACT_MATCH_ONLY)
        total = len(diff)
    left = MAX_LINES
    files = []
    for delta in islice(diff.deltas, limit):
        change = _change(repo, delta, left)
        left -= len(change.lines or ())
        files.append(change)
    return Changes(total, files)


def _change(repo: pygit2.Repository, delta: pygit2.DiffDelta, lines_left: int) -> FileChange:
    kind = _KINDS.get(delta.status, "changed")
    before = None if kind == "added" else _side(repo, delta.old_file)
    after = None if kind == "deleted" else _side(repo, delta.new_file)
    lines = None if kind == "renamed" else _lines(repo, before, after, lines_left)
    added = sum(line.sign == "+" for line in lines or ())
    removed = sum(line.sign == "-" for line in lines or ())
    return FileChange(kind, _path(delta.new_file), _path(delta.old_file), before, after, lines, added, removed)


def _path(file: pygit2.DiffFile) -> str:
    return file.raw_path.decode("utf-8", "replace")


def _side(repo: pygit2.Repository, file: pygit2.DiffFile) -> Entry | None:
    """The file before or after; None for what is no file, such as a submodule."""
    if file.mode == FileMode.COMMIT:
        return None
    size = repo.odb.read_header(file.id)[1]
    lfs = None
    if pointers.SMALLEST <= size <= pointers.LARGEST and file.mode != FileMode.LINK:
        lfs = pointers.parse_pointer(repo.odb.read(file.id)[1])
    return Entry("file", _path(file), str(file.id), lfs.size if lfs else size, lfs)


def _lines(
    repo: pygit2.Repository, before: Entry | None, after: Entry | None, lines_left: int
) -> tuple[Line, ...] | None:
    """The changed lines and those around them; None where they are not shown: large, binary, too many."""
    sides = [side for side in (before, after) if side is not None]
    if lines_left <= 0 or not sides or any(side.lfs or side.size > MAX_BLOB for side in sides):
        return None
    old, new = (None if side is None else repo[side.oid].peel(pygit2.Blob) for side in (before, after))
    if any(blob is not None and b"\0" in blob.data for blob in (old, new)):
        return None
    patch = pygit2.Patch.create_from(old, new)
    lines = tuple(islice(_of(patch.hunks), lines_left + 1))
    return None if len(lines) > lines_left else lines


def _of(hunks: Iterable[pygit2.DiffHunk]) -> Iterator[Line]:
    for number, hunk in enumerate(hunks):
        if number:
            yield Line("…", 0, 0, "")
        for line in hunk.lines:
            if line.origin in " +-":
                text = line.raw_content.decode("utf-8", "replace").rstrip("\r\n")[:MAX_LINE]
                yield Line(line.origin, max(line.old_lineno, 0), max(line.new_lineno, 0), text)
