"""Writing one object piece by piece."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from accounts.errors import TooLarge
from repos import objects
from repos.errors import CorruptUpload
from tests.repos.objects.conftest import REPO, sha256_of

Files = Callable[[], list[Path]]


def test_size_and_hash_are_known_as_it_goes() -> None:
    with objects.writer(REPO) as writer:
        writer.write(b"a")
        assert (writer.size, writer.sha256) == (1, sha256_of(b"a"))
        writer.write(memoryview(b"bc"))
        writer.write(bytearray(b"d"))
        assert (writer.size, writer.sha256) == (4, sha256_of(b"abcd"))
        writer.publish(sha256=writer.sha256, size=writer.size)
    assert objects.exists(REPO, sha256_of(b"abcd"))


def test_it_appears_only_when_published() -> None:
    with objects.writer(REPO) as writer:
        writer.write(b"abc")
        writer.check(sha256=sha256_of(b"abc"), size=3)
        assert not objects.exists(REPO, sha256_of(b"abc"))
        writer.publish(sha256=sha256_of(b"abc"), size=3)
        assert objects.exists(REPO, sha256_of(b"abc"))


def test_leaving_without_publishing_leaves_nothing(files: Files) -> None:
    with objects.writer(REPO) as writer:
        writer.write(b"abc")
        assert len(files()) == 1
    assert files() == []


def test_an_error_on_the_way_leaves_nothing(files: Files) -> None:
    def break_off() -> None:
        with objects.writer(REPO) as writer:
            writer.write(b"abc")
            raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        break_off()
    assert files() == []


def test_more_than_the_limit_is_refused_before_it_is_written(files: Files) -> None:
    with objects.writer(REPO, max_size=5) as writer:
        writer.write(b"12345")
        with pytest.raises(TooLarge, match="5 bytes"):
            writer.write(b"6")
        assert files()[0].stat().st_size == 5


def test_what_was_checked_takes_no_more_bytes() -> None:
    with objects.writer(REPO) as writer:
        writer.check(sha256=sha256_of(b""), size=0)
        with pytest.raises(ValueError, match="closed"):
            writer.write(b"x")


def test_the_announced_size_counts_even_where_the_hash_is_right(files: Files) -> None:
    with objects.writer(REPO) as writer:
        writer.write(b"abc")
        with pytest.raises(CorruptUpload, match="3 bytes, announced were 4"):
            writer.publish(sha256=sha256_of(b"abc"), size=4)
    assert files() == []
