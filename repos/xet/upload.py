"""The area where one upload's xorbs wait until its shards say which files they make.

One area for each grant, so that nobody can name a xorb that somebody else sent; see hub-protocol.md section 6.6,
"Client-side dedup cache".  Xorbs live until the area is swept: a later shard of the same grant may name them again.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from contextlib import ExitStack
from datetime import timedelta
from functools import lru_cache
from pathlib import Path

from django.conf import settings

from accounts.errors import BadRequest, TooLarge
from repos import durable, objects
from repos.durable import Readable
from repos.xet import shard, xorb
from repos.xet.shard import FileInfo, Segment

INDEXES_KEPT = 256  # Of xorbs, while files are rebuilt: 8 KiB each as clients make them, 96 KiB at most.

Indexes = Callable[[str], xorb.Index]


def _root() -> Path:
    return Path(settings.GATEHUB_TMP_DIR) / "xet"


class UploadArea:
    """The files of one grant: the right of one user to upload to one repo, under one `casUrl`."""

    def __init__(self, repo: str, user: str, grant: str) -> None:
        name = hashlib.sha256(f"{repo}\0{user}\0{grant}".encode()).hexdigest()
        self._directory = _root() / name

    def put_xorb(self, xorb_hash: str, stream: Readable, length: int) -> bool:
        """Keep one xorb of `length` bytes.  False if it was here already; the stream is read to its end all the same.

        Raises TooLarge, CorruptUpload for a body that is not `length` bytes, BadRequest for one that is no xorb.
        """
        target = self._xorb_path(xorb_hash)
        if length > xorb.MAX_BYTES:
            raise TooLarge(f"The xorb is larger than {xorb.MAX_BYTES} bytes.")
        self._keep_alive()
        if target.exists():
            durable.copy(stream, _forget, length)
            return False
        # No fsync: a xorb that a power cut took is missed when its shard comes, and the client uploads again.
        with durable.clear_errors(), durable.TempFile(self._directory) as temp:
            durable.copy(stream, temp.write, length)
            xorb.index(temp.path)
            temp.move(target)
        return True

    def rebuild(self, shard_bytes: bytes, storage_id: str) -> list[tuple[str, int]]:
        """Store every file that the shard describes, and return their (sha-256, size), each once, in its order.

        All files are written and checked before the first one appears in the store.  Raises BadRequest for a shard
        that is broken or names what is not here, CorruptUpload when the bytes are not those announced, TooLarge when a
        file has more than `LFS_MAX_OBJECT_BYTES`, StorageFull.
        """
        indexes: Indexes = lru_cache(INDEXES_KEPT)(self._index)
        files = _distinct(shard.parse(shard_bytes))
        for sha256, file in files.items():
            _check_file(sha256, file, indexes)
        self._keep_alive()
        durable.require_room(objects.temp_dir(), sum(file.size for file in files.values()))
        with ExitStack() as stack:
            written = []
            for sha256, file in files.items():
                writer = stack.enter_context(objects.writer(storage_id, max_size=file.size))
                self._write(file, writer, indexes)
                writer.check(sha256=sha256, size=file.size)
                written.append((writer, sha256, file.size))
            for writer, sha256, size in written:
                writer.publish(sha256=sha256, size=size)
        return [(sha256, size) for _, sha256, size in written]

    def discard(self) -> None:
        """Remove the area with all its xorbs."""
        durable.remove_tree(self._directory, objects.temp_dir())

    def _xorb_path(self, xorb_hash: str) -> Path:
        return self._directory / objects.checked_hex(xorb_hash, 64, "The xorb hash")

    def _keep_alive(self) -> None:
        """Make the area, or make it look young to `sweep`."""
        with durable.clear_errors():
            durable.make_dirs(self._directory)
            os.utime(self._directory)

    def _index(self, xorb_hash: str) -> xorb.Index:
        try:
            return xorb.index(self._xorb_path(xorb_hash))
        except FileNotFoundError as error:
            raise BadRequest(f"The shard names xorb {xorb_hash}, which was not uploaded under this grant.") from error

    def _write(self, file: FileInfo, writer: objects.Writer, indexes: Indexes) -> None:
        for segment in file.segments:
            self._write_segment(segment, writer, indexes(segment.xorb_hash))

    def _write_segment(self, segment: Segment, writer: objects.Writer, where: xorb.Index) -> None:
        descriptor = os.open(self._xorb_path(segment.xorb_hash), os.O_RDONLY | os.O_CLOEXEC)
        try:
            for piece in xorb.read_chunks(descriptor, where, segment.first_chunk, segment.end_chunk):
                writer.write(piece)
        finally:
            os.close(descriptor)


def sweep(older_than: timedelta) -> int:
    """Remove the areas in which nothing has happened for longer than `older_than`, and say how many.

    `older_than` must be longer than a grant lives, and than any rebuild may take.
    """
    return durable.remove_old(_root(), older_than)


def _forget(_: bytes) -> None:
    """Take bytes that are not needed, so that the client can finish its request and the connection stays usable."""


def _distinct(files: list[FileInfo]) -> dict[str, FileInfo]:
    """The files by sha-256: one that a shard describes twice is stored once."""
    distinct: dict[str, FileInfo] = {}
    for number, file in enumerate(files):
        if file.sha256 is None:
            raise BadRequest(f"File {number} of the shard has no sha256.")
        if distinct.setdefault(file.sha256, file).size != file.size:
            raise BadRequest(f"The shard describes {file.sha256} twice, with different sizes.")
    return distinct


def _check_file(sha256: str, file: FileInfo, indexes: Indexes) -> None:
    """Raise unless every segment names chunks that are here, with as many bytes as it says."""
    if file.size > settings.LFS_MAX_OBJECT_BYTES:
        raise TooLarge(f"File {sha256} has {file.size} bytes, allowed are {settings.LFS_MAX_OBJECT_BYTES}.")
    for segment in file.segments:
        where = indexes(segment.xorb_hash)
        if not segment.first_chunk < segment.end_chunk <= where.chunks:
            raise BadRequest(
                f"File {sha256}: chunks {segment.first_chunk} to {segment.end_chunk} are not in xorb "
                f"{segment.xorb_hash}, which has {where.chunks}."
            )
        raw_bytes = where.raw_bytes(segment.first_chunk, segment.end_chunk)
        if raw_bytes != segment.raw_bytes:
            raise BadRequest(f"File {sha256}: a segment says {segment.raw_bytes} bytes, its chunks have {raw_bytes}.")
