"""git-lfs pointer files."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repos.git import LfsPointer, parse_pointer, pointer_text
from repos.git.pointers import LARGEST, SMALLEST

SHA256 = "4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393"
# The example of git-lfs docs/spec.md.
SPEC = f"version https://git-lfs.github.com/spec/v1\noid sha256:{SHA256}\nsize 12345\n".encode()


def test_the_example_of_the_specification_is_a_pointer():
    assert parse_pointer(SPEC) == LfsPointer(sha256=SHA256, size=12345, pointer_size=len(SPEC))


def test_a_pointer_is_written_as_git_lfs_writes_it():
    assert pointer_text(SHA256, 12345) == SPEC


@given(size=st.integers(0, 10**19 - 1), digest=st.binary(min_size=32, max_size=32))
def test_what_is_written_is_read_again(size, digest):
    text = pointer_text(digest.hex(), size)
    assert SMALLEST <= len(text) <= LARGEST
    assert parse_pointer(text) == LfsPointer(digest.hex(), size, len(text))


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"hello",
        SPEC[:-1],
        SPEC + b"\n",
        SPEC + b"x" * 2000,
        SPEC.replace(b"\n", b"\r\n"),
        SPEC.replace(b"v1", b"v2"),
        SPEC.replace(b"sha256", b"sha512"),
        SPEC.replace(b"4d7a", b"4D7A"),
        SPEC.replace(b"size 12345", b"size 012345"),
        SPEC.replace(b"size 12345", b"size -12345"),
        SPEC.replace(b"size 12345", b"size 12345678901234567890"),
        SPEC.replace(b"size", b"ext-0-foo sha256:00\nsize"),
    ],
)
def test_anything_else_is_a_plain_file(text):
    assert parse_pointer(text) is None


@pytest.mark.parametrize(("sha256", "size"), [("abc", 1), (SHA256.upper(), 1), (SHA256, -1), (SHA256 + "\n", 1)])
def test_a_pointer_that_could_not_be_read_is_not_written(sha256, size):
    with pytest.raises(ValueError, match="No LFS object"):
        pointer_text(sha256, size)
