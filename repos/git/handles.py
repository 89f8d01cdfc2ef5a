"""libgit2 handles: how they are set up, kept and shared.

A handle costs some 250 us to open and keeps what it has read, so handles are kept.  libgit2 wants an object to be used
by one thread at a time, so a thread takes one from its repo's pool and puts it back.  A kept handle sees what others
(another worker, `git http-backend`, `git gc`) have written: refs are read from disk each time, and a missing object
makes libgit2 look for new packs first.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pygit2
from pygit2.enums import ConfigLevel, ObjectType, RepositoryOpenFlag

MAX_IDLE = 4  # Handles kept per repo; more threads than that open their own while it lasts.


def _configure_libgit2() -> None:
    """Settings of the whole process."""
    # Neither the machine's configuration nor the user's may change what the hub does.
    for level in (ConfigLevel.PROGRAMDATA, ConfigLevel.XDG, ConfigLevel.GLOBAL):
        pygit2.settings.search_path[level] = ""
    pygit2.settings.search_path[ConfigLevel.SYSTEM] = str(Path(__file__).parent / "config")
    # A folder of 50,000 files is a tree of 2 MiB: kept, a look-up in it takes 13 us instead of 16 ms.
    pygit2.settings.cache_object_limit(ObjectType.TREE, 8 * 1024**2)
    pygit2.settings.cache_object_limit(ObjectType.BLOB, 1024)  # LFS pointers
    pygit2.settings.cache_max_size(64 * 1024**2)
    pygit2.settings.mwindow_file_limit = 256  # Open packs; the usual limit of a process is 1,024 files.


_configure_libgit2()


def open_handle(path: Path) -> pygit2.Repository:
    """A new handle on the bare repo at exactly that path."""
    return pygit2.Repository(str(path), RepositoryOpenFlag.BARE | RepositoryOpenFlag.NO_SEARCH)


class HandlePool:
    """The handles of one repo in this process.  May be shared by threads; what `take` gives may not."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._idle: list[pygit2.Repository] = []  # list.pop and list.append are atomic

    @contextmanager
    def take(self) -> Iterator[pygit2.Repository]:
        """A handle for the time of one operation."""
        try:
            handle = self._idle.pop()
        except IndexError:
            handle = open_handle(self._path)
        try:
            yield handle
        finally:
            if len(self._idle) < MAX_IDLE:
                self._idle.append(handle)
