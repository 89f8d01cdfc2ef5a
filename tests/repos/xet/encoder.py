"""What a Xet client makes of files, written for the tests from hub-protocol.md section 6.6 alone."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable, Sequence

import lz4.frame  # type: ignore[import-untyped]

TAG = b"HFRepoMetaData\0" + bytes.fromhex("556967456a7b815783a5bdd95ccdd14aa9")
STORED, LZ4, GROUPED_LZ4 = 0, 1, 2

SegmentTuple = tuple[str, int, int, int]  # Xorb hash, raw bytes, first chunk, end chunk.


def sha256_of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def chunk(raw: bytes, scheme: int) -> bytes:
    data = raw if scheme == STORED else lz4.frame.compress(_group(raw) if scheme == GROUPED_LZ4 else raw)
    return header(len(data), scheme, len(raw)) + data


def header(stored: int, scheme: int, raw: int, version: int = 0) -> bytes:
    return bytes([version]) + stored.to_bytes(3, "little") + bytes([scheme]) + raw.to_bytes(3, "little")


def _group(raw: bytes) -> bytes:
    return b"".join(raw[offset::4] for offset in range(4))


def xorb(chunks: Iterable[tuple[bytes, int]]) -> bytes:
    """From raw chunks with their schemes."""
    return b"".join(chunk(raw, scheme) for raw, scheme in chunks)


def shard(files: Iterable[bytes], *, footer: bytes = b"") -> bytes:
    """From what `file_records` made."""
    end = b"\xff" * 32 + bytes(16)
    return TAG + struct.pack("<QQ", 2, len(footer)) + b"".join(files) + end + footer


def file_records(sha256: str | None, segments: Sequence[SegmentTuple], *, verification: bool = True) -> bytes:
    flags = (1 << 31 if verification else 0) | (1 << 30 if sha256 is not None else 0)
    records = [bytes(range(32)) + struct.pack("<II8x", flags, len(segments))]
    for xorb_hash, raw_bytes, first, end in segments:
        records.append(stored_hash(xorb_hash) + struct.pack("<IIII", 0, raw_bytes, first, end))
    if verification:
        records.extend(b"verification".ljust(48) for _ in segments)
    if sha256 is not None:
        records.append(stored_hash(sha256) + bytes(16))
    return b"".join(records)


def stored_hash(text: str) -> bytes:
    """A hash as shards keep it: every eight bytes reversed."""
    data = bytes.fromhex(text)
    return b"".join(data[start : start + 8][::-1] for start in range(0, 32, 8))
