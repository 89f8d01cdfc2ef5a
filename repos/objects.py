"""The object store: the bytes of large files, by repo and sha-256, behind Django's storage API.

`STORAGES["lfs"]` says where: `LocalObjectStorage` by default, any other Django storage (S3 by django-storages, say)
as well.  Every object is written to a temporary file first, hashed on the way, and handed to the storage when whole.
Nothing here asks who is asking.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import stat
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import IO, Any, BinaryIO, Self, cast

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.files.base import File
from django.core.files.storage import FileSystemStorage, Storage, storages

from accounts.errors import BadRequest, TooLarge
from repos import durable
from repos.durable import Readable
from repos.errors import CorruptUpload

_HEX = re.compile(r"[0-9a-f]+")


def checked_hex(value: str, length: int, name: str) -> str:
    """`value`, if it is `length` lowercase hex digits; else BadRequest.  What passes is safe as part of a path."""
    if len(value) != length or not _HEX.fullmatch(value):
        raise BadRequest(f"{name} must be {length} lowercase hex digits.")
    return value


def key(storage_id: str, sha256: str) -> str:
    """The object's name in the storage: `ab/abcdef.../12/34/1234...`.  Raises BadRequest unless both are hex."""
    return f"{_prefix(storage_id)}/{checked_hex(sha256, 64, 'sha256')[:2]}/{sha256[2:4]}/{sha256}"


def _prefix(storage_id: str) -> str:
    return f"{checked_hex(storage_id, 32, 'storage_id')[:2]}/{storage_id}"


def storage() -> Storage:
    """The storage that is configured as `STORAGES["lfs"]`."""
    return storages["lfs"]


def temp_dir() -> Path:
    """Where objects are written until they are whole: on the same file system as the local store."""
    return Path(settings.GATEHUB_TMP_DIR) / "objects"


class LocalObjectStorage(FileSystemStorage):
    """Objects as files under `location`, by default `GATEHUB_OBJECTS_DIR`: readable by the owner only, never a link.

    A file that is already on this disk (`temporary_file_path`) is moved in by a rename that survives a power cut.
    """

    def __init__(self, location: str | os.PathLike[str] | None = None) -> None:
        self._directory = location
        super().__init__(location, file_permissions_mode=0o600, directory_permissions_mode=0o700, allow_overwrite=True)

    @property
    def base_location(self) -> str:  # A property, so that a changed setting counts at once.
        return os.fspath(self._directory or settings.GATEHUB_OBJECTS_DIR)

    @property
    def location(self) -> str:
        return str(Path(self.base_location).absolute())

    def _save(self, name: str, content: File[Any]) -> str:
        target = Path(self.path(name))
        with durable.clear_errors():
            durable.make_dirs(target.parent)
            if hasattr(content, "temporary_file_path"):
                _move(Path(content.temporary_file_path()), target)
            else:
                with durable.TempFile(temp_dir()) as temp:
                    for piece in content.chunks(durable.PIECE):
                        temp.write(piece)
                    temp.sync()
                    _move(temp.path, target)
            durable.sync_dir(target.parent)
        return name

    def _open(self, name: str, mode: str = "rb") -> File[Any]:
        if mode != "rb":
            raise ValueError("Objects do not change: open them with 'rb'.")
        return File(_open_file(Path(self.path(name))), name)

    def exists(self, name: str) -> bool:
        try:
            return stat.S_ISREG(os.lstat(self.path(name)).st_mode)
        except (FileNotFoundError, NotADirectoryError):
            return False


def _move(source: Path, target: Path) -> None:
    try:
        source.replace(target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        raise ImproperlyConfigured("GATEHUB_TMP_DIR must be on the same file system as GATEHUB_OBJECTS_DIR.") from error


def _open_file(path: Path) -> BinaryIO:
    return os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC), "rb")


class _WholeFile(File):  # type: ignore[type-arg]  # Generic in the stubs only.
    """A checked temporary file, as storages like it: they may read it, or move it away."""

    def __init__(self, file: IO[bytes], path: Path) -> None:
        super().__init__(file, path.name)
        self._path = path

    def temporary_file_path(self) -> str:
        return str(self._path)


class Writer:
    """One object on its way in: `write` the bytes, then `publish` them.  To be used as a context manager.

    Leaving the block without `publish` removes what was written.
    """

    def __init__(self, storage_id: str, *, max_size: int | None = None) -> None:
        self._storage_id = checked_hex(storage_id, 32, "storage_id")
        self._max_size = max_size
        self._hash = hashlib.sha256()
        self.size = 0
        with durable.clear_errors():
            self._temp = durable.TempFile(temp_dir())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._temp.__exit__()

    @property
    def sha256(self) -> str:
        """Of all that was written so far, in hex."""
        return self._hash.hexdigest()

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Take more bytes.  Raises TooLarge instead of passing `max_size`, and StorageFull."""
        if self._max_size is not None and self.size + len(data) > self._max_size:
            raise TooLarge(f"The file is larger than {self._max_size} bytes. Nothing was stored.")
        self._temp.write(data)
        self._hash.update(data)
        self.size += len(data)

    def check(self, *, sha256: str, size: int) -> None:
        """Close the file, safe on the disk.  Raises CorruptUpload unless hash and size are those announced."""
        if self.size != size:
            raise CorruptUpload(f"The upload has {self.size} bytes, announced were {size}. Nothing was stored.")
        if self.sha256 != checked_hex(sha256, 64, "sha256"):
            raise CorruptUpload(f"The upload's sha256 is {self.sha256}, announced was {sha256}. Nothing was stored.")
        self._temp.sync()
        self._temp.close()

    def publish(self, *, sha256: str, size: int) -> None:
        """Check, and let the object appear under its hash.  One that is there already stays as it is.

        When this returns, the object survives a power cut (local storage).  Raises CorruptUpload as `check` does.
        """
        self.check(sha256=sha256, size=size)
        name = key(self._storage_id, sha256)
        store = storage()
        if store.exists(name):
            if store.size(name) == size:
                return
            store.delete(name)  # Damaged from outside; here is the right one.
        with _WholeFile(self._temp.path.open("rb"), self._temp.path) as content:
            saved = store.save(name, content)
        if saved != name:  # A storage that never overwrites made up a name: somebody else published just now.
            store.delete(saved)


def writer(storage_id: str, *, max_size: int | None = None) -> Writer:
    """A Writer for a new object of one repo, of at most `max_size` bytes."""
    return Writer(storage_id, max_size=max_size)


def ingest(storage_id: str, stream: Readable, *, sha256: str, size: int) -> None:
    """Store one object from a stream.

    Reads at most `size` + 1 bytes, in pieces of 1 MiB.  Raises CorruptUpload, and stores nothing, when the stream is
    shorter, longer or other than announced.
    """
    checked_hex(sha256, 64, "sha256")
    with writer(storage_id, max_size=size) as new:
        durable.copy(stream, new.write, size)
        new.publish(sha256=sha256, size=size)


def exists(storage_id: str, sha256: str) -> bool:
    """Whether the repo's store holds the object."""
    return storage().exists(key(storage_id, sha256))


def size(storage_id: str, sha256: str) -> int:
    """In bytes.  Raises FileNotFoundError."""
    return storage().size(key(storage_id, sha256))


def open(storage_id: str, sha256: str) -> BinaryIO:  # noqa: A001 - read as objects.open.
    """The object's bytes, seekable, to be closed by the caller.  Raises FileNotFoundError."""
    return cast("BinaryIO", storage().open(key(storage_id, sha256), "rb"))


def local_path(storage_id: str, sha256: str) -> Path | None:
    """The file that holds the object, for sendfile and X-Accel-Redirect; None where the storage has no files."""
    name, store = key(storage_id, sha256), storage()
    # Not by asking for `path`: Django's storage in memory has one too.
    return Path(store.path(name)) if isinstance(store, FileSystemStorage) else None


def delete(storage_id: str, sha256: str) -> None:
    """Remove one object, if it is there."""
    storage().delete(key(storage_id, sha256))


def delete_all(storage_id: str) -> None:
    """Remove all objects of a repo."""
    store = storage()
    if isinstance(store, LocalObjectStorage):
        durable.remove_tree(Path(store.path(_prefix(storage_id))), temp_dir())
        return
    for sha256 in list(iter_objects(storage_id)):
        store.delete(key(storage_id, sha256))


def iter_objects(storage_id: str) -> Iterator[str]:
    """The sha-256 of every object in the repo's store, in no order."""
    store, prefix = storage(), _prefix(storage_id)
    for outer in _listdir(store, prefix)[0]:
        for inner in _listdir(store, f"{prefix}/{outer}")[0]:
            for name in _listdir(store, f"{prefix}/{outer}/{inner}")[1]:
                if len(name) == 64 and _HEX.fullmatch(name):
                    yield name


def _listdir(store: Storage, path: str) -> tuple[list[str], list[str]]:
    with suppress(FileNotFoundError):
        return store.listdir(path)
    return [], []


def sweep(older_than: timedelta) -> int:
    """Remove what a crash left unfinished longer ago than `older_than`; the number of files removed.

    `older_than` must be longer than any upload may take, a day, say: an unfinished file looks like an abandoned one.
    """
    return durable.remove_old(temp_dir(), older_than)
