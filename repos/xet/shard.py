"""A shard: which chunks of which xorbs, in which order, make which files.

A header of 48 bytes, then records of 48 bytes each: for every file one record about it, its segments, as many
verification records where bit 31 of its flags says so, and one with its sha-256 where bit 30 does.  A record of which
the first 32 bytes are all 0xFF ends the files; what follows (xorbs, look-up tables, a footer) is not needed here.
Source: hub-protocol.md section 6.6, step 3.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from accounts.errors import BadRequest, TooLarge

MAX_BYTES = 64 << 20
MAX_FILES = 100_000  # Clients send a few hundred at a time; each costs a temporary file.

HEADER = struct.Struct("<32sQQ")  # Tag, version, size of the footer.
RECORD = 48
FILE = struct.Struct("<32sII8x")  # Hash, flags, number of segments.
SEGMENT = struct.Struct("<32sIIII")  # Xorb hash, flags, raw bytes, first chunk, end chunk.
SHA256 = struct.Struct("<32s16x")

TAG = b"HFRepoMetaData\0" + bytes.fromhex("556967456a7b815783a5bdd95ccdd14aa9")  # As all clients send it.
VERSION = 2
WITH_VERIFICATION, WITH_SHA256 = 1 << 31, 1 << 30
END_OF_FILES = b"\xff" * 32


class Segment(NamedTuple):
    """The chunks `first_chunk` to `end_chunk` (exclusive) of one xorb (64 hex digits), together `raw_bytes` long."""

    xorb_hash: str
    first_chunk: int
    end_chunk: int
    raw_bytes: int


@dataclass(frozen=True, slots=True)
class FileInfo:
    """One file: its sha-256 in hex (None where the shard does not say it) and the records of its segments.

    The segments are made when they are asked for: as objects they would take ten times the shard's own size.
    """

    sha256: str | None
    records: memoryview

    @property
    def segments(self) -> Iterator[Segment]:
        for xorb_hash, _, raw_bytes, first_chunk, end_chunk in SEGMENT.iter_unpack(self.records):
            yield Segment(hash_hex(xorb_hash), first_chunk, end_chunk, raw_bytes)

    @property
    def size(self) -> int:
        """In bytes, as the segments say."""
        return sum(segment[2] for segment in SEGMENT.iter_unpack(self.records))


def hash_hex(stored: bytes) -> str:
    """A hash as people write it: shards keep it as four little-endian 64-bit numbers."""
    return "{:016x}{:016x}{:016x}{:016x}".format(*struct.unpack("<4Q", stored))


def parse(shard: bytes) -> list[FileInfo]:
    """The files of a shard, in its order.

    Raises TooLarge for more than 64 MiB or 100,000 files, BadRequest for anything that is not a whole shard.
    """
    if len(shard) > MAX_BYTES:
        raise TooLarge(f"The shard is larger than {MAX_BYTES} bytes.")
    if len(shard) < HEADER.size:
        raise BadRequest("The shard is cut off.")
    tag, version, _ = HEADER.unpack_from(shard)
    if tag != TAG:
        raise BadRequest("This is not a shard.")
    if version != VERSION:
        raise BadRequest(f"The shard has version {version}, known is version {VERSION}.")
    files: list[FileInfo] = []
    position = HEADER.size
    while True:
        if len(files) > MAX_FILES:
            raise TooLarge(f"The shard names more than {MAX_FILES} files.")
        found = _file(shard, position)
        if found is None:
            return files
        file, position = found
        files.append(file)


def _file(shard: bytes, position: int) -> tuple[FileInfo, int] | None:
    """The file whose records begin at `position`, and where the next one's do; None at the end of the files."""
    _require(shard, position + RECORD)
    file_hash, flags, count = FILE.unpack_from(shard, position)
    if file_hash == END_OF_FILES:
        return None
    start = position + RECORD
    end = start + count * RECORD
    after = end + (count * RECORD if flags & WITH_VERIFICATION else 0)
    _require(shard, after)
    sha256 = None
    if flags & WITH_SHA256:
        _require(shard, after + RECORD)
        sha256 = hash_hex(SHA256.unpack_from(shard, after)[0])
        after += RECORD
    return FileInfo(sha256, memoryview(shard)[start:end]), after


def _require(shard: bytes, end: int) -> None:
    if end > len(shard):
        raise BadRequest("The shard is cut off.")
