"""Reading xorbs: as any encoder may make them, and as none should."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import lz4.frame  # type: ignore[import-untyped]
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.errors import BadRequest
from repos.xet import xorb
from tests.repos.xet.encoder import GROUPED_LZ4, LZ4, STORED, chunk, header
from tests.repos.xet.encoder import xorb as encode

SCHEMES = st.sampled_from([STORED, LZ4, GROUPED_LZ4])
CHUNKS = st.lists(st.tuples(st.binary(min_size=1, max_size=300), SCHEMES), min_size=1, max_size=8)
SHARED_FOLDER = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
BIGGEST = xorb.MAX_CHUNK_BYTES

Write = Callable[[bytes], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(data: bytes) -> Path:
        path = tmp_path / "xorb"
        path.write_bytes(data)
        return path

    return write


def read(path: Path, first: int = 0, end: int | None = None) -> list[bytes]:
    where = xorb.index(path)
    descriptor = os.open(path, os.O_RDONLY)
    try:
        return [bytes(raw) for raw in xorb.read_chunks(descriptor, where, first, where.chunks if end is None else end)]
    finally:
        os.close(descriptor)


@SHARED_FOLDER
@given(chunks=CHUNKS, data=st.data())
def test_any_range_of_chunks_comes_back(write: Write, chunks: list[tuple[bytes, int]], data: st.DataObject) -> None:
    path = write(encode(chunks))
    first = data.draw(st.integers(0, len(chunks)))
    end = data.draw(st.integers(first, len(chunks)))
    where = xorb.index(path)
    expected = [raw for raw, _ in chunks[first:end]]
    assert where.chunks == len(chunks)
    assert where.raw_bytes(first, end) == sum(map(len, expected))
    assert read(path, first, end) == expected


@pytest.mark.parametrize("scheme", [STORED, LZ4, GROUPED_LZ4])
@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, BIGGEST - 1, BIGGEST])
def test_sizes_at_the_edges(write: Write, scheme: int, size: int) -> None:
    raw = os.urandom(size)
    assert read(write(chunk(raw, scheme))) == [raw]


def test_a_footer_is_left_alone(write: Write) -> None:
    assert read(write(chunk(b"abc", LZ4) + b"XETBLOB\1" + os.urandom(100))) == [b"abc"]


def test_as_many_chunks_as_allowed_and_one_more(write: Write) -> None:
    one = chunk(b"x", STORED)
    assert xorb.index(write(one * xorb.MAX_CHUNKS)).chunks == xorb.MAX_CHUNKS
    with pytest.raises(BadRequest, match="more than 8192 chunks"):
        xorb.index(write(one * (xorb.MAX_CHUNKS + 1)))


GOOD = chunk(b"good", LZ4)


@pytest.mark.parametrize(
    ("data", "cause"),
    [
        (b"", "no chunks"),
        (b"XETBLOB\1", "no chunks"),
        (GOOD + b"\0", "ends within the chunk header"),
        (GOOD + GOOD[:-1], "beyond the end"),
        (GOOD + header(4, STORED, 4, version=1) + b"abcd", "version 1"),
        (GOOD + header(4, 3, 4) + b"abcd", "compression scheme 3"),
        (header(4, STORED, 0) + b"abcd", "0 bytes"),
        (header(0, STORED, 0), "0 bytes"),
        (header(0, LZ4, 5), "0 stored bytes"),
        (header(4, STORED, 5) + b"abcd", "4 stored bytes for 5"),
        (header(4, LZ4, BIGGEST + 1) + b"abcd", "131073 bytes"),
        (header(2**24 - 1, LZ4, BIGGEST) + bytes(2**24 - 1), "16777215 stored bytes"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_no_xorb_is_refused_with_its_cause(write: Write, data: bytes, cause: str) -> None:
    with pytest.raises(BadRequest, match=cause):
        xorb.index(write(data))


def packed(raw: bytes, claimed: int, scheme: int = LZ4) -> bytes:
    data = lz4.frame.compress(raw, store_size=False)
    return header(len(data), scheme, claimed) + data


FRAME = lz4.frame.compress(b"good")


@pytest.mark.parametrize("scheme", [LZ4, GROUPED_LZ4])
@pytest.mark.parametrize(
    ("data", "claimed"),
    [
        pytest.param(os.urandom(100), 100, id="no frame"),
        pytest.param(FRAME[:-4], 4, id="frame without its end"),
        pytest.param(FRAME + b"more", 4, id="something after the frame"),
        pytest.param(FRAME + FRAME, 8, id="two frames"),
        pytest.param(FRAME, 3, id="more than claimed"),
        pytest.param(FRAME, 5, id="less than claimed"),
    ],
)
def test_chunks_that_do_not_unpack_to_what_they_claim(scheme: int, data: bytes, claimed: int) -> None:
    with pytest.raises(BadRequest, match=r"LZ4 frame|does not unpack"):
        xorb.decode(header(len(data), scheme, claimed) + data)


def test_a_bomb_is_stopped_at_the_size_it_claims(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[int] = []

    class Watched(lz4.frame.LZ4FrameDecompressor):  # type: ignore[misc]
        def decompress(self, data: bytes, max_length: int = -1) -> bytes:
            out: bytes = super().decompress(data, max_length=max_length)
            made.append(len(out))
            return out

    monkeypatch.setattr(lz4.frame, "LZ4FrameDecompressor", Watched)
    bomb = packed(bytes(50_000_000), BIGGEST)
    assert len(bomb) < xorb.MAX_STORED_BYTES
    with pytest.raises(BadRequest, match="does not unpack to the 131072 bytes"):
        xorb.decode(bomb)
    assert made == [BIGGEST + 1]


@SHARED_FOLDER
@given(st.binary(max_size=200) | st.builds(lambda chunks, junk: encode(chunks) + junk, CHUNKS, st.binary(max_size=40)))
def test_any_bytes_are_read_or_refused(write: Write, data: bytes) -> None:
    try:
        chunks = read(write(data))
    except BadRequest:
        return
    assert chunks


@SHARED_FOLDER
@given(chunks=CHUNKS, data=st.data())
def test_a_flipped_byte_is_read_or_refused(write: Write, chunks: list[tuple[bytes, int]], data: st.DataObject) -> None:
    body = bytearray(encode(chunks))
    position = data.draw(st.integers(0, len(body) - 1))
    body[position] ^= data.draw(st.integers(1, 255))
    try:
        read(write(bytes(body)))
    except BadRequest:
        return
