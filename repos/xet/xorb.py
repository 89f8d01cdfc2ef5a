"""A xorb: up to 64 MiB of chunks, one after the other, each with a header of eight bytes.

The header: version 0 (1 byte), stored size (3, little endian), scheme (1), raw size (3, little endian).  A footer that
begins with `XETBLOB` may follow the last chunk.  Source: hub-protocol.md section 6.6, step 3.
"""

from __future__ import annotations

import os
import struct
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import lz4.frame  # type: ignore[import-untyped]

from accounts.errors import BadRequest

MAX_BYTES = 72 << 20  # 64 MiB of chunks, their headers, a footer.
MAX_CHUNKS = 8192
MAX_CHUNK_BYTES = 128 << 10  # Raw.
MAX_STORED_BYTES = 2 * MAX_CHUNK_BYTES  # What does not shrink is stored as it is, so nothing honest comes near.

HEADER = struct.Struct("<II")  # Version and stored size, scheme and raw size: a byte and three bytes each.
FOOTER = b"XETBLOB"

STORED, LZ4, GROUPED_LZ4 = 0, 1, 2


@dataclass(frozen=True, slots=True)
class Index:
    """Where the chunks of one xorb are: chunk i is stored in `starts[i]:starts[i + 1]`, raw in `ends[i]:ends[i + 1]`.

    `starts` counts bytes of the file, headers included; `ends` counts raw bytes, from 0.
    """

    starts: array[int]
    ends: array[int]

    @property
    def chunks(self) -> int:
        return len(self.starts) - 1

    def raw_bytes(self, first: int, end: int) -> int:
        """The raw size of the chunks `first` to `end` (exclusive)."""
        return self.ends[end] - self.ends[first]


def index(path: Path) -> Index:
    """Walk over the chunk headers of a xorb, reading nothing else.

    Raises BadRequest unless the file is made of well-formed headers with as many bytes behind each as it says.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return _index(descriptor, os.fstat(descriptor).st_size)
    finally:
        os.close(descriptor)


def _index(descriptor: int, total: int) -> Index:
    starts, ends = array("I", [0]), array("Q", [0])
    position = 0
    while position < total:
        header = os.pread(descriptor, HEADER.size, position)
        if header.startswith(FOOTER):
            break
        stored, raw = _sizes(header, position)
        position += HEADER.size + stored
        if position > total:
            raise BadRequest(f"Xorb chunk {len(starts) - 1} goes beyond the end of the xorb.")
        if len(starts) > MAX_CHUNKS:
            raise BadRequest(f"The xorb has more than {MAX_CHUNKS} chunks.")
        starts.append(position)
        ends.append(ends[-1] + raw)
    if len(starts) == 1:
        raise BadRequest("The xorb has no chunks.")
    return Index(starts, ends)


def _sizes(header: bytes, position: int) -> tuple[int, int]:
    """Stored and raw size that a chunk header says, if it makes sense."""
    if len(header) < HEADER.size:
        raise BadRequest(f"The xorb ends within the chunk header at byte {position}.")
    low, high = HEADER.unpack(header)
    version, stored, scheme, raw = low & 0xFF, low >> 8, high & 0xFF, high >> 8
    if version != 0:
        raise BadRequest(f"The xorb chunk at byte {position} has version {version}, known is version 0.")
    if scheme not in (STORED, LZ4, GROUPED_LZ4):
        raise BadRequest(f"The xorb chunk at byte {position} has compression scheme {scheme}, known are 0, 1 and 2.")
    if not 0 < raw <= MAX_CHUNK_BYTES:
        raise BadRequest(f"The xorb chunk at byte {position} has {raw} bytes, allowed are 1 to {MAX_CHUNK_BYTES}.")
    if not 0 < stored <= MAX_STORED_BYTES or (scheme == STORED and stored != raw):
        raise BadRequest(f"The xorb chunk at byte {position} says {stored} stored bytes for {raw} bytes.")
    return stored, raw


def read_chunks(descriptor: int, where: Index, first: int, end: int) -> Iterator[bytes | bytearray | memoryview]:
    """The raw bytes of the chunks `first` to `end` (exclusive), one chunk at a time."""
    for number in range(first, end):
        start = where.starts[number]
        yield decode(os.pread(descriptor, where.starts[number + 1] - start, start))


def decode(chunk: bytes) -> bytes | bytearray | memoryview:
    """The raw bytes of one chunk, header and all.  Raises BadRequest when they are not as many as the header says."""
    stored, raw = _sizes(chunk[: HEADER.size], 0)
    data = memoryview(chunk)[HEADER.size :]
    if len(data) != stored:
        raise BadRequest("A xorb chunk is cut off.")
    scheme = chunk[4]
    if scheme == STORED:
        return data
    unpacked = _decompress(data, raw)
    return unpacked if scheme == LZ4 else _ungroup(unpacked)


def _decompress(data: memoryview, size: int) -> bytes:
    """One LZ4 frame of exactly `size` bytes.  Never makes more than one byte too many of it."""
    try:
        frame = lz4.frame.LZ4FrameDecompressor()
        unpacked: bytes = frame.decompress(data, max_length=size + 1)
    except (RuntimeError, ValueError) as error:
        raise BadRequest(f"A xorb chunk is not an LZ4 frame: {error}") from error
    if len(unpacked) != size or not frame.eof or frame.unused_data:
        raise BadRequest(f"A xorb chunk does not unpack to the {size} bytes that its header says.")
    return unpacked


def _ungroup(grouped: bytes) -> bytearray:
    """Undo the grouping by four: first all bytes at 0, 4, 8, ..., then those at 1, 5, 9, ..., and so on."""
    raw = bytearray(len(grouped))
    start = 0
    for offset in range(4):
        end = start + len(range(offset, len(raw), 4))
        raw[offset::4] = grouped[start:end]
        start = end
    return raw
