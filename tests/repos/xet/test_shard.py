"""Reading shards: as any encoder may make them, and as none should."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.errors import BadRequest, TooLarge
from repos.xet import shard
from tests.repos.xet import encoder
from tests.repos.xet.encoder import SegmentTuple, file_records

HASHES = st.binary(min_size=32, max_size=32).map(bytes.hex)
U32 = st.integers(0, 2**32 - 1)
SEGMENTS = st.lists(st.tuples(HASHES, U32, U32, U32), max_size=5)
FILES = st.lists(st.tuples(st.none() | HASHES, SEGMENTS, st.booleans()), max_size=5)
HASH = "0123456789abcdef" * 4


@given(FILES, st.binary(max_size=300))
def test_all_that_is_said_is_understood(
    files: list[tuple[str | None, list[SegmentTuple], bool]], footer: bytes
) -> None:
    body = encoder.shard([file_records(sha256, segs, verification=more) for sha256, segs, more in files], footer=footer)
    parsed = shard.parse(body)
    assert [file.sha256 for file in parsed] == [sha256 for sha256, _, _ in files]
    for file, (_, segments, _) in zip(parsed, files, strict=True):
        assert list(file.segments) == [
            shard.Segment(xorb_hash, first, end, raw) for xorb_hash, raw, first, end in segments
        ]
        assert file.size == sum(raw for _, raw, _, _ in segments)


def test_hashes_are_stored_in_groups_of_eight_bytes_reversed() -> None:
    stored = bytes.fromhex("07060504030201000f0e0d0c0b0a090817161514131211101f1e1d1c1b1a1918")
    assert shard.hash_hex(stored) == bytes(range(32)).hex()


def test_a_shard_of_no_files() -> None:
    assert shard.parse(encoder.shard([])) == []


def test_a_shard_that_is_cut_off_anywhere_is_refused() -> None:
    body = encoder.shard([file_records(HASH, [(HASH, 5, 0, 1)] * 2), file_records(HASH, [], verification=False)])
    for length in range(len(body) - 16):
        with pytest.raises(BadRequest):
            shard.parse(body[:length])


@pytest.mark.parametrize(
    ("body", "cause"),
    [
        (b"", "cut off"),
        (b"<html>".ljust(500), "not a shard"),
        (encoder.TAG + struct.pack("<QQ", 3, 0) + b"\xff" * 48, "version 3"),
        (encoder.TAG + struct.pack("<QQ", 2, 0) + bytes(32) + struct.pack("<II8x", 0, 2**32 - 1), "cut off"),
        (encoder.TAG + struct.pack("<QQ", 2, 0) + bytes(32) + struct.pack("<II8x", 2**32 - 1, 2**32 - 1), "cut off"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_no_shard_is_refused_with_its_cause(body: bytes, cause: str) -> None:
    with pytest.raises(BadRequest, match=cause):
        shard.parse(body)


def test_more_bytes_or_files_than_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    body = encoder.shard([file_records(HASH, [])] * 3)
    monkeypatch.setattr(shard, "MAX_FILES", 3)
    assert len(shard.parse(body)) == 3
    monkeypatch.setattr(shard, "MAX_FILES", 2)
    with pytest.raises(TooLarge, match="more than 2 files"):
        shard.parse(body)
    monkeypatch.setattr(shard, "MAX_BYTES", len(body) - 1)
    with pytest.raises(TooLarge, match="bytes"):
        shard.parse(body)


@given(st.binary(max_size=400), st.booleans())
def test_any_bytes_are_read_or_refused(data: bytes, headed: bool) -> None:
    try:
        files = shard.parse(encoder.TAG + struct.pack("<QQ", 2, 0) + data if headed else data)
    except BadRequest:
        return
    for file in files:
        assert file.size == sum(segment.raw_bytes for segment in file.segments)
