"""Files that appear when whole and then stay: private modes, temporary names, fsync before and after the rename."""

from __future__ import annotations

import errno
import os
import secrets
import shutil
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Protocol, Self

from accounts.errors import HubError
from repos.errors import CorruptUpload

PIECE = 1 << 20  # What is read from a stream at once, in bytes.


class StorageFull(HubError):
    """The disk has no room left.  Not a 503: Hub clients would repeat that at once, against the same full disk."""

    status = 507
    default_message = "The server's storage is full. Nothing was stored."


class Readable(Protocol):
    """A stream of bytes, as a request body is."""

    def read(self, size: int, /) -> bytes: ...


@contextmanager
def clear_errors() -> Iterator[None]:
    """Turn "no space left" and "over quota" into StorageFull; every other OSError stays what it is."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StorageFull from error
        raise


def require_room(directory: Path, needed: int) -> None:
    """Raise StorageFull unless `needed` bytes are free now where `directory` lies: sooner said than half written."""
    make_dirs(directory)
    if shutil.disk_usage(directory).free < needed:
        raise StorageFull(f"The server's storage has no room for another {needed} bytes. Nothing was stored.")


def make_dirs(path: Path) -> None:
    """Make a directory and its parents, for the owner only, each one safe from a power cut in its parent."""
    if path.is_dir():
        return
    make_dirs(path.parent)
    with suppress(FileExistsError):  # Somebody was quicker.
        path.mkdir(mode=0o700)
    sync_dir(path.parent)


def sync_dir(path: Path) -> None:
    """Write a directory's entries to disk: without this a renamed file may be gone after a power cut."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def copy(stream: Readable, write: Callable[[bytes], object], length: int) -> None:
    """Hand exactly `length` bytes of `stream` to `write`, in pieces of at most 1 MiB.

    Reads at most one byte more than `length`, to see whether there is more.  Raises CorruptUpload when the stream
    ends early or does not end.
    """
    left = length
    while left:
        piece = stream.read(min(PIECE, left))
        if not piece:
            raise CorruptUpload(f"The upload ended after {length - left} of {length} bytes. Nothing was stored.")
        if len(piece) > left:
            break
        write(piece)
        left -= len(piece)
    if left or stream.read(1):
        raise CorruptUpload(f"The upload has more than the announced {length} bytes. Nothing was stored.")


class TempFile:
    """A new private file in `directory`, for use as a context manager.

    `move` gives it its real place; leaving the block without that removes it.
    """

    def __init__(self, directory: Path) -> None:
        make_dirs(directory)
        self.path = directory / f"{secrets.token_hex(16)}.part"
        self._descriptor: int | None = os.open(
            self.path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
        self.path.unlink(missing_ok=True)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Write all of `data`.  Raises StorageFull."""
        if self._descriptor is None:
            raise ValueError("write to a closed file")
        view = memoryview(data)
        with clear_errors():
            while view:
                view = view[os.write(self._descriptor, view) :]

    def sync(self) -> None:
        """Bring what was written to the disk."""
        if self._descriptor is not None:
            with clear_errors():
                os.fsync(self._descriptor)

    def close(self) -> None:
        """Give the descriptor back; the file stays."""
        if self._descriptor is not None:
            descriptor, self._descriptor = self._descriptor, None
            os.close(descriptor)

    def move(self, target: Path) -> None:
        """Give the file its real place, instead of what may be there: readers see the old one or the new one, whole."""
        self.close()
        self.path.replace(target)


def remove_tree(path: Path, trash: Path) -> None:
    """Remove a directory: gone for everybody at once, by a rename into `trash`, and then file by file."""
    make_dirs(trash)
    doomed = trash / f"{secrets.token_hex(16)}.gone"
    with suppress(FileNotFoundError):
        path.replace(doomed)
        shutil.rmtree(doomed)


def old_entries(directory: Path, older_than: timedelta) -> Iterator[Path]:
    """The entries of a directory, which need not exist, that were last changed longer ago than `older_than`."""
    limit = time.time() - older_than.total_seconds()
    with suppress(FileNotFoundError):
        for entry in directory.iterdir():
            with suppress(FileNotFoundError):  # Finished, or swept, by somebody else.
                if entry.lstat().st_mtime < limit:
                    yield entry


def remove_old(directory: Path, older_than: timedelta) -> int:
    """Remove the entries that `old_entries` finds, and say how many."""
    count = 0
    for entry in old_entries(directory, older_than):
        with suppress(FileNotFoundError):  # Another sweep is at it.
            if stat.S_ISDIR(entry.lstat().st_mode):
                shutil.rmtree(entry)
            else:
                entry.unlink()
            count += 1
    return count
