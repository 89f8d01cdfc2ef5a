"""The parts of LFS multipart uploads: kept one by one, joined and hashed on completion.

Clients put the parts one after another and may repeat one after a broken connection, so the same bytes always get the
same etag.  The etag guards against mix-ups; that the whole is what was announced is checked by its sha-256.
"""

from __future__ import annotations

import hashlib
import re
import zlib
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path

from django.conf import settings

from accounts.errors import BadRequest
from repos import durable, objects
from repos.durable import Readable
from repos.errors import CorruptUpload

MAX_PARTS = 10_000
DONE = "done"

_ETAG = re.compile(r"[0-9a-f]{8}-[0-9a-f]{1,16}")


def put_part(upload_id: str, number: int, stream: Readable, length: int) -> str:
    """Keep one part, 1 to 10,000, of `length` bytes, in the stead of an earlier one; its etag, without quotes.

    Raises BadRequest, CorruptUpload when the body is not `length` bytes, StorageFull.
    """
    if not 1 <= number <= MAX_PARTS:
        raise BadRequest(f"Part numbers are 1 to {MAX_PARTS}, not {number}.")
    directory = _directory(upload_id)
    checksum = 0
    # No fsync: a part that a power cut took is missed on completion, and the client begins again.
    with durable.clear_errors(), durable.TempFile(directory) as temp:

        def take(piece: bytes) -> None:
            nonlocal checksum
            temp.write(piece)
            checksum = zlib.crc32(piece, checksum)

        durable.copy(stream, take, length)
        target = _part_path(directory, number, f"{checksum:08x}-{length:x}")
        temp.move(target)
    for other in directory.glob(f"{number:05}.*"):
        if other != target:
            other.unlink(missing_ok=True)
    return target.suffix.removeprefix(".")


def complete(upload_id: str, storage_id: str, parts: Iterable[tuple[int, str]], sha256: str, size: int) -> None:
    """Join the parts, given as (number, etag) in their order, to one object, and forget them.

    May be called again with the same outcome: the answer may have been lost on its way.  Raises BadRequest for parts
    that are missing, out of order or not those that were put, CorruptUpload when the whole is not as announced; the
    parts stay then.
    """
    objects.checked_hex(sha256, 64, "sha256")
    directory = _directory(upload_id)
    if _is_done(directory, storage_id, sha256, size):
        return
    paths = _parts(directory, parts)
    total = sum(path.stat().st_size for path in paths)
    if total != size:
        raise CorruptUpload(f"The parts have {total} bytes, announced were {size}. Nothing was stored.")
    durable.require_room(objects.temp_dir(), size)
    with objects.writer(storage_id, max_size=size) as writer:
        for path in paths:
            with path.open("rb") as part:
                while piece := part.read(durable.PIECE):
                    writer.write(piece)
        writer.publish(sha256=sha256, size=size)
    (directory / DONE).touch()
    for path in paths:
        path.unlink(missing_ok=True)


def discard(upload_id: str) -> None:
    """Remove an upload with all its parts."""
    durable.remove_tree(_directory(upload_id), objects.temp_dir())


def sweep(older_than: timedelta) -> int:
    """Remove the uploads in which nothing has happened for longer than `older_than`, and say how many."""
    return durable.remove_old(_root(), older_than)


def _root() -> Path:
    return Path(settings.GATEHUB_TMP_DIR) / "multipart"


def _directory(upload_id: str) -> Path:
    return _root() / hashlib.sha256(upload_id.encode()).hexdigest()


def _is_done(directory: Path, storage_id: str, sha256: str, size: int) -> bool:
    """Whether these parts were joined to this object before.  That the object exists would not prove it."""
    if not (directory / DONE).exists() or not objects.exists(storage_id, sha256):
        return False
    return objects.size(storage_id, sha256) == size


def _part_path(directory: Path, number: int, etag: str) -> Path:
    return directory / f"{number:05}.{etag}"


def _parts(directory: Path, parts: Iterable[tuple[int, str]]) -> list[Path]:
    """The files of the parts.  Raises BadRequest unless they are numbered 1, 2, 3, ... and all here."""
    paths = []
    for expected, (number, quoted) in enumerate(parts, start=1):
        if number != expected:
            raise BadRequest(f"Part {expected} is missing or out of order: found part {number}.")
        etag = quoted.strip('"')
        path = _part_path(directory, number, etag)
        if not _ETAG.fullmatch(etag) or not path.is_file():
            raise BadRequest(f"Part {number} with that etag was not uploaded.")
        paths.append(path)
    if not paths:
        raise BadRequest("There are no parts.")
    return paths
