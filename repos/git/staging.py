"""New objects on their way into a repo.

What is uploaded waits in `staging/`, beside the object store, and is published when a commit names it: nothing lies in
the object store that is not safely on disk.  That matters because git never writes an object twice.  A file that a
power cut left empty in the store would count as "already there" for every later upload of the same bytes.

Publishing many small files one by one costs two waits for the disk each (1,000 files: 870 ms here; git, which does not
wait, 260 ms).  So many objects go into one pack, for which the disk is waited for three times (330 ms in all); a few
are moved as they are, since each pack makes every look-up in the repo a little slower.
"""

from __future__ import annotations

import os
import secrets
import shutil
import time
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from hashlib import sha1
from itertools import count
from pathlib import Path
from tempfile import mkdtemp
from threading import Lock

import pygit2

from repos.git.handles import open_handle

PACK_FROM = 16  # objects

# A folder of its own per process: what an earlier one left, maybe broken, is not taken for stored.
_STARTED = secrets.token_hex(8)
_numbers = count()
_publishing = [Lock() for _ in range(64)]  # for all repos; which one is a repo's, its path says


def _blobs(path: Path) -> Path:
    return path / "staging" / f"{_STARTED}-{os.getpid()}"


def stage_blob(path: Path, data: bytes) -> str:
    """Keep a file's bytes for a commit of this process; gives the blob's sha-1.

    Written here rather than by libgit2, in git's format for loose objects (gitformat-loose), because hashlib and zlib
    let other threads run meanwhile.
    """
    header = b"blob %d\0" % len(data)
    digest = sha1(header, usedforsecurity=False)
    digest.update(data)
    deflate = zlib.compressobj(1)
    parts = (deflate.compress(header), deflate.compress(data), deflate.flush())
    _write(_loose(_blobs(path), digest.hexdigest()), parts)
    return digest.hexdigest()


def _write(target: Path, parts: Iterable[bytes]) -> None:
    """Write a file so that it is whole as soon as it has its name."""
    temporary = target.with_name(f"tmp-{next(_numbers)}")
    try:
        file = temporary.open("xb")
    except FileNotFoundError:
        target.parent.mkdir(parents=True, exist_ok=True)
        file = temporary.open("xb")
    try:
        with file:
            file.writelines(parts)
        temporary.rename(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


@contextmanager
def workspace(path: Path) -> Iterator[Workspace]:
    """A place where one commit's objects are made; all of it is gone afterwards."""
    blobs = _blobs(path)
    blobs.mkdir(parents=True, exist_ok=True)
    folder = Path(mkdtemp(prefix="commit-", dir=blobs))
    try:
        yield Workspace(path, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class Workspace:
    """`handle` reads the repo and the staged blobs, and writes to a folder of its own (git calls it a quarantine)."""

    def __init__(self, path: Path, folder: Path) -> None:
        self._objects = path / "objects"
        self._blobs = _blobs(path)
        self._folder = folder
        odb = pygit2.Odb(str(folder))
        odb.add_disk_alternate(str(self._blobs))
        odb.add_disk_alternate(str(self._objects))
        self.handle = open_handle(path)
        self.handle.set_odb(odb)

    def publish(self, blobs: Iterable[str]) -> None:
        """Bring what was made here, and those of `blobs` that are staged, into the repo, safely on disk."""
        made = {file.parent.name + file.name: file for file in self._folder.glob("??/*")}
        # One at a time: two commits of this process may have the same bytes staged, and the first takes them along.
        with _publishing[hash(self._objects) % len(_publishing)]:
            staged = {oid: file for oid in blobs if (file := _loose(self._blobs, oid)).exists()}
            files = made | staged
            if len(files) < PACK_FROM:
                self._move(files)
            else:
                self._pack(files)

    def _move(self, files: dict[str, Path]) -> None:
        folders = {self._objects}
        try:
            for oid, file in files.items():
                target = _loose(self._objects, oid)
                target.parent.mkdir(exist_ok=True)
                sync(file)
                folders.add(target.parent)
                file.replace(target)
        finally:  # Also on the way out of a failure: from now on others count on what has been moved.
            for folder in folders:
                sync(folder)

    def _pack(self, files: dict[str, Path]) -> None:
        builder = pygit2.PackBuilder(self.handle)
        builder.set_threads(1)
        for oid in files:
            builder.add(pygit2.Oid(hex=oid))
        builder.write(self._objects / "pack")  # libgit2 syncs it: `fsyncObjectFiles` in config/gitconfig
        for file in files.values():
            file.unlink(missing_ok=True)


def _loose(folder: Path, oid: str) -> Path:
    return folder / oid[:2] / oid[2:]


def sync_tree(path: Path) -> None:
    """Wait until a folder and all that is in it is on disk."""
    for item in (*path.rglob("*"), path):
        sync(item)


def sync(path: Path) -> None:
    """Wait until a file, or the list of names in a folder, is on disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sweep(path: Path, older_than: float) -> int:
    """Remove what uploads without a commit, and processes that were killed, left behind; gives the number of files.

    `older_than` is in seconds, and should be longer than any request takes.
    """
    limit = time.time() - older_than
    leftovers = [*(path / "staging").rglob("*"), *path.glob("*.lock"), *(path / "refs").rglob("*.lock")]
    leftovers += [*(path / "objects").glob("tmp_*"), *(path / "objects" / "pack").glob("pack_git2_*")]
    # In reverse order: what is in a folder before the folder.
    return sum(_remove(file, limit) for file in sorted(leftovers, reverse=True))


def _remove(file: Path, limit: float) -> bool:
    """Remove a file or an empty folder older than `limit`; whether it was a file."""
    try:
        if file.lstat().st_mtime >= limit:
            return False
        if file.is_dir():
            file.rmdir()
            return False
        file.unlink()
    except OSError:  # Gone meanwhile, or a folder that is not empty.
        return False
    return True
