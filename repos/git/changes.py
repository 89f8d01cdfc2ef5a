"""What a commit changes, and the tree that comes of it.

Only the folders on the way to a change are read and written: one file more in a repo of 50,000 costs as many small
trees as it lies deep.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pygit2
from pygit2.enums import FileMode, ObjectType

from accounts.errors import BadRequest
from repos.errors import EntryNotFound
from repos.git.paths import clean_path


@dataclass(frozen=True, slots=True)
class AddBlob:
    """Put a staged blob at a path.  `executable` None: as the file that it replaces."""

    path: str
    oid: str
    executable: bool | None = None


@dataclass(frozen=True, slots=True)
class AddPointer:
    """Put a git-lfs pointer at a path.  That the object is stored, and whose it is, the caller has seen to."""

    path: str
    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class DeleteFile:
    """Take a file away."""

    path: str


@dataclass(frozen=True, slots=True)
class DeleteFolder:
    """Take a folder away with all that is in it; a slash behind the path is allowed."""

    path: str


Op = AddBlob | AddPointer | DeleteFile | DeleteFolder


@dataclass(slots=True)
class _File:
    oid: str
    mode: int


class _Folder:
    """A folder of the tree to be: what it was (`base`) and what has changed in it."""

    __slots__ = ("base", "changes")

    def __init__(self, base: pygit2.Tree | None) -> None:
        self.base = base
        self.changes: dict[str, _Folder | _File | None] = {}

    def get(self, name: str) -> _Folder | _File | None:
        """What is called so now.  A folder that is looked at is kept, for it may be changed."""
        if name in self.changes:
            return self.changes[name]
        item = self._in_base(name)
        if isinstance(item, pygit2.Tree):
            return self.changes.setdefault(name, _Folder(item))
        return None if item is None else _File(str(item.id), int(item.filemode))

    def _in_base(self, name: str) -> Any:
        try:
            return None if self.base is None else self.base[name]
        except KeyError:
            return None

    def write(self, repo: pygit2.Repository) -> pygit2.Oid | None:
        """Store the tree; None if nothing is left in it, for git knows no empty folders."""
        if not self.changes and self.base is not None:
            return self.base.id
        builder = repo.TreeBuilder(self.base) if self.base is not None else repo.TreeBuilder()
        for name, change in self.changes.items():
            if isinstance(change, _File):
                builder.insert(name, change.oid, change.mode)
            elif isinstance(change, _Folder) and (oid := change.write(repo)):
                builder.insert(name, oid, FileMode.TREE)
            elif builder.get(name) is not None:
                builder.remove(name)
        return builder.write() if len(builder) else None


def changed_tree(repo: pygit2.Repository, base: pygit2.Tree | None, operations: Sequence[Op]) -> pygit2.Oid:
    """Apply the operations in their order to `base`, store the new trees in `repo`, and give the root's id.

    `base` None is a repo without files.  AddPointer must have become AddBlob by now.  Raises InvalidPath, BadRequest,
    EntryNotFound.
    """
    root = _Folder(base)
    for operation in operations:
        match operation:
            case AddBlob():
                _add(repo, root, operation)
            case DeleteFile(path):
                if not _delete(root, base, clean_path(path), _File):
                    raise EntryNotFound(f"A file with this name doesn't exist: {path}")
            case DeleteFolder(path):
                path = path.removesuffix("/")
                if not _delete(root, base, clean_path(path), _Folder):
                    raise EntryNotFound(f"A folder with this name doesn't exist: {path}")
            case _:
                raise TypeError(f"{operation!r} is no operation on a tree.")
    return root.write(repo) or repo.TreeBuilder().write()


def _add(repo: pygit2.Repository, root: _Folder, operation: AddBlob) -> None:
    path = clean_path(operation.path)
    _check_blob(repo, path, operation.oid)
    *parents, name = path.split("/")
    folder = root
    for depth, parent in enumerate(parents, start=1):
        child = folder.get(parent)
        if isinstance(child, _File):
            file = "/".join(parents[:depth])
            raise BadRequest(f"{path!a} cannot be added: {file!a} is a file. Delete that first.")
        if child is None:
            child = folder.changes[parent] = _Folder(None)
        folder = child
    there = folder.get(name)
    if isinstance(there, _Folder) and there.write(repo) is not None:
        raise BadRequest(f"{path!a} cannot be added: it is a folder. Delete that first.")
    folder.changes[name] = _File(operation.oid, _mode(there, operation.executable))


def _mode(there: _Folder | _File | None, executable: bool | None) -> int:
    if executable is None:
        executable = isinstance(there, _File) and there.mode == FileMode.BLOB_EXECUTABLE
    return FileMode.BLOB_EXECUTABLE if executable else FileMode.BLOB


def _check_blob(repo: pygit2.Repository, path: str, oid: str) -> None:
    try:
        known = len(oid) == 40 and repo.odb.read_header(oid)[0] == ObjectType.BLOB
    except (KeyError, ValueError):
        known = False
    if not known:
        raise BadRequest(f"The content of {path!a} is not stored here.")


def _delete(root: _Folder, base: pygit2.Tree | None, path: str, kind: type[_File] | type[_Folder]) -> bool:
    """Take what lies at `path` away; False if nothing of that kind ever did.

    To delete once more what the same commit has deleted already changes nothing, and is no mistake.
    """
    folder, name = _parent(root, path)
    if folder is not None and isinstance(folder.get(name), kind):
        folder.changes[name] = None
        return True
    folder, name = _parent(_Folder(base), path)
    return folder is not None and isinstance(folder.get(name), kind)


def _parent(root: _Folder, path: str) -> tuple[_Folder | None, str]:
    """The folder that holds `path`, if there is one, and the name in it."""
    *parents, name = path.split("/")
    folder: _Folder | _File | None = root
    for parent in parents:
        folder = folder.get(parent) if isinstance(folder, _Folder) else None
    return (folder if isinstance(folder, _Folder) else None), name
