"""Which bytes a Range header asks for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatehub.hub.ranges import ByteRange, RangeNotSatisfiable, byte_range

SIZE = 100


@pytest.mark.parametrize(
    ("header", "start", "stop"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=0-", 0, 100),
        ("bytes=10-19", 10, 20),
        ("bytes=99-", 99, 100),
        ("bytes=90-1000", 90, 100),
        ("bytes=90-" + "9" * 30, 90, 100),
        ("bytes=-1", 99, 100),
        ("bytes=-1000", 0, 100),
        ("BYTES=5-6", 5, 7),
        ("bytes= 5-6 ", 5, 7),
        ("bytes=5-6, 10-20", 5, 7),
        ("bytes=200-300, 10-20", 10, 21),
        ("bytes=,5-6,", 5, 7),
    ],
)
def test_a_part(header, start, stop):
    assert byte_range(header, SIZE) == ByteRange(start, stop, SIZE)


SENSELESS = [
    *"bytes bytes= bytes=, bytes=- bytes=a-b bytes=5-2 bytes=5 lines=1-2 bytes=1-2-3 bytes=+1-2 bytes=1.5-2".split(),
    *["", "bytes=0-1, x", "bytes=0-1, 9-5", "bytes=१-२", "bytes=0x1-2", "bytes=" + "1" * 31 + "-"],
]


@pytest.mark.parametrize("header", SENSELESS)
def test_what_makes_no_sense_asks_for_the_whole(header):
    assert byte_range(header, SIZE) is None


@pytest.mark.parametrize(
    "header", ["bytes=100-", "bytes=100-200", "bytes=-0", "bytes=500-, -0", "bytes=" + "9" * 30 + "-"]
)
def test_what_is_not_there_is_refused(header):
    with pytest.raises(RangeNotSatisfiable) as refused:
        byte_range(header, SIZE)
    assert refused.value.headers == {"Content-Range": "bytes */100"}


def test_an_empty_file_has_no_part():
    assert byte_range("bytes=-5", 0) is None
    for header in ("bytes=0-", "bytes=0-0", "bytes=-0"):
        with pytest.raises(RangeNotSatisfiable):
            byte_range(header, 0)


@given(st.text(alphabet="bytes=0123456789-, ", max_size=30), st.integers(min_value=0, max_value=10**12))
def test_a_part_is_never_empty_and_never_outside(header, size):
    try:
        part = byte_range(header, size)
    except RangeNotSatisfiable:
        return
    assert part is None or 0 <= part.start < part.stop <= size
