"""Reading trees: one entry, a listing, some paths.

Names that are not UTF-8 (git takes any bytes) are shown with U+FFFD for each bad byte, and found again by that name.
Symbolic links count as files that hold their target as text; submodules are left out, for their content is elsewhere.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import islice
from threading import Lock
from typing import Any, Literal, NamedTuple

import pygit2
from pygit2.enums import FileMode, ObjectType

from accounts.errors import BadRequest
from repos.errors import EntryNotFound
from repos.git import pointers
from repos.git.objects import Entry
from repos.git.paths import shown

_UNKNOWN_CHARACTER = "\ufffd"
_MAX_ROWS = 100_000  # Some 40 MB.

_Row = Entry | Literal["submodule"] | None  # None: not looked at yet


class _Folders:
    """Folders that were listed, by the tree's sha-1 and the path they were met at; filled as far as somebody looked.

    Trees never change, and whoever lists 50,000 files comes back for the next page: from here a page costs a twentieth
    of what it costs to make.  When it is full, it starts anew.
    """

    def __init__(self) -> None:
        self._rows: dict[tuple[str, str], list[_Row]] = {}
        self._size = 0
        self._lock = Lock()

    def rows(self, tree: pygit2.Tree, prefix: str) -> list[_Row]:
        key = str(tree.id), prefix
        rows = self._rows.get(key)
        if rows is None:
            rows = [None] * len(tree)
            with self._lock:
                if self._size + len(rows) > _MAX_ROWS:
                    self.clear()
                self._size += len(rows) + 1
                self._rows[key] = rows
        return rows

    def clear(self) -> None:
        self._rows.clear()
        self._size = 0


_folders = _Folders()


class _Place(NamedTuple):
    """Where a listing stands in one folder: the next index, and the folder's path with a slash behind, or ""."""

    tree: pygit2.Tree
    next: int
    prefix: str


def entry_at(repo: pygit2.Repository, commit: str, path: str) -> Entry:
    """The file or folder at `path`; "" is the root.  Raises EntryNotFound."""
    found = _object_at(repo, commit, path)
    entry = None if found is None else _entry(repo, found, path)
    if entry is None:
        raise _not_found(commit, path)
    return entry


def entries_at(repo: pygit2.Repository, commit: str, paths: Sequence[str]) -> list[Entry]:
    """The entries among `paths` that exist, in that order."""
    found = ((path, _object_at(repo, commit, path)) for path in paths if path)
    entries = (_entry(repo, item, path) for path, item in found if item is not None)
    return [entry for entry in entries if entry is not None]


def list_tree(
    repo: pygit2.Repository, commit: str, path: str, *, recursive: bool, after: str | None, limit: int | None
) -> list[Entry]:
    """What lies in the folder `path`, in git's own order; see GitRepo.tree."""
    folder = _object_at(repo, commit, path)
    if not isinstance(folder, pygit2.Tree):
        raise _not_found(commit, path)
    prefix = f"{path}/" if path else ""
    start = [_Place(folder, 0, prefix)]
    if after is not None:
        if not after.startswith(prefix):
            raise BadRequest("The cursor does not belong to this folder.")
        start = _places_after(repo, start[0], after.removeprefix(prefix).split("/"), recursive)
    return list(islice(_walk(repo, start, recursive), limit))


def _walk(repo: pygit2.Repository, places: list[_Place], recursive: bool) -> Iterator[Entry]:
    """All entries from `places` on, the innermost folder last.  A stack, because trees may be thousands deep."""
    while places:
        tree, start, prefix = places.pop()
        rows = _folders.rows(tree, prefix)
        for position in range(start, len(rows)):
            row = rows[position]
            if row is None:
                item = tree[position]
                row = rows[position] = _entry(repo, item, prefix + _name(item)) or "submodule"
            if row == "submodule":
                continue
            yield row
            if recursive and row.type == "directory":
                places.append(_Place(tree, position + 1, prefix))
                places.append(_Place(repo[row.oid].peel(pygit2.Tree), 0, row.path + "/"))
                break


def _places_after(repo: pygit2.Repository, place: _Place, segments: list[str], recursive: bool) -> list[_Place]:
    """Where a listing goes on behind the entry that `segments` name; where it would be, if it is not there."""
    places: list[_Place] = []
    for name in segments:
        tree, prefix = place.tree, place.prefix
        index = _index(tree, name)
        if index is None:
            return [*places, _Place(tree, _bisect(tree, _encoded(name)), prefix)]
        places.append(_Place(tree, index + 1, prefix))
        item = tree[index]
        if not (recursive and isinstance(item, pygit2.Tree)):
            return places
        place = _Place(item, 0, f"{prefix}{name}/")
    return [*places, place]


def _object_at(repo: pygit2.Repository, commit: str, path: str) -> Any:
    """The pygit2 object at `path`, with its name and mode, or None."""
    root = repo[commit].peel(pygit2.Tree)
    if not path:
        return root
    if "\0" in path or path.endswith("/"):  # To libgit2 the path would end before, and name another thing.
        return None
    try:
        return root[path]
    except (KeyError, TypeError):  # TypeError: it cannot be encoded.
        return _object_by_shown_name(root, path) if _UNKNOWN_CHARACTER in path else None


def _object_by_shown_name(tree: pygit2.Tree, path: str) -> Any:
    item: Any = tree
    for name in path.split("/"):
        index = _index(item, name) if isinstance(item, pygit2.Tree) else None
        if index is None:
            return None
        item = item[index]
    return item


def _index(tree: pygit2.Tree, name: str) -> int | None:
    """The position of the file or folder `name`.  Of several that look alike (U+FFFD) the last."""
    raw = _encoded(name)
    for key in (raw, raw + b"/"):
        index = _bisect(tree, key)
        if index < len(tree) and _sort_key(tree[index]) == key:
            return index
    if _UNKNOWN_CHARACTER not in name:
        return None
    return next((index for index in reversed(range(len(tree))) if _name(tree[index]) == name), None)


def _bisect(tree: pygit2.Tree, key: bytes) -> int:
    return bisect_left(range(len(tree)), key, key=lambda index: _sort_key(tree[index]))


def _sort_key(item: Any) -> bytes:
    """git orders a folder as if its name ended in a slash."""
    raw: bytes = item.raw_name
    return raw + b"/" if item.type == ObjectType.TREE else raw


def _name(item: Any) -> str:
    raw: bytes = item.raw_name
    return raw.decode("utf-8", "replace")


def _encoded(name: str) -> bytes:
    return name.encode("utf-8", "replace")


def _entry(repo: pygit2.Repository, item: Any, path: str) -> Entry | None:
    """None for what is neither file nor folder: submodules."""
    oid = str(item.id)
    if item.type == ObjectType.TREE:
        return Entry("directory", path, oid, 0)
    if item.type != ObjectType.BLOB:
        return None
    size = repo.odb.read_header(item.id)[1]
    lfs = None
    if pointers.SMALLEST <= size <= pointers.LARGEST and item.filemode != FileMode.LINK:
        lfs = pointers.parse_pointer(repo.odb.read(item.id)[1])
    return Entry("file", path, oid, lfs.size if lfs else size, lfs)


def blob(repo: pygit2.Repository, oid: str) -> pygit2.Blob:
    """The blob with that sha-1, all of it in memory.  Raises EntryNotFound."""
    try:
        found = repo[oid]
    except (KeyError, ValueError):
        found = None
    if not isinstance(found, pygit2.Blob):
        raise EntryNotFound(f"There is no file with the id {oid!a}.")
    return found


def blob_size(repo: pygit2.Repository, oid: str) -> int:
    """The size of a blob, without reading it.  Raises EntryNotFound."""
    try:
        kind, size = repo.odb.read_header(oid)
    except (KeyError, ValueError):
        kind, size = ObjectType.INVALID, 0
    if kind != ObjectType.BLOB:
        raise EntryNotFound(f"There is no file with the id {oid!a}.")
    return size


def _not_found(commit: str, path: str) -> EntryNotFound:
    return EntryNotFound(f"There is no {shown(path)} at commit {commit[:7]}.", commit=commit)
