"""Listing and removing objects, and sweeping up after crashes."""

from __future__ import annotations

import io
import os
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from repos import objects
from tests.repos.objects.conftest import OTHER_REPO, REPO, sha256_of

Files = Callable[[], list[Path]]
CONTENTS = [b"one", b"two", b"three"]


@pytest.fixture
def stored(store: Path) -> list[str]:
    """Three objects in each of the two repos."""
    for repo in (REPO, OTHER_REPO):
        for data in CONTENTS:
            objects.ingest(repo, io.BytesIO(data), sha256=sha256_of(data), size=len(data))
    return [sha256_of(data) for data in CONTENTS]


def grow_old(path: Path) -> None:
    os.utime(path, times=(time.time() - 7200,) * 2)


def test_listing(stored: list[str]) -> None:
    assert sorted(objects.iter_objects(REPO)) == sorted(stored)
    assert list(objects.iter_objects("ef" * 16)) == []


def test_listing_passes_over_what_is_no_object(stored: list[str]) -> None:
    path = objects.local_path(REPO, stored[0])
    assert path is not None
    (path.parent / "notes.txt").write_text("left here by a person")
    assert sorted(objects.iter_objects(REPO)) == sorted(stored)


def test_removing_one(stored: list[str]) -> None:
    objects.delete(REPO, stored[0])
    objects.delete(REPO, stored[0])  # Again: nothing to do.
    assert not objects.exists(REPO, stored[0])
    assert sorted(objects.iter_objects(REPO)) == sorted(stored[1:])
    assert objects.exists(OTHER_REPO, stored[0])


def test_removing_all_of_one_repo(stored: list[str], files: Files) -> None:
    objects.delete_all(REPO)
    objects.delete_all(REPO)
    assert list(objects.iter_objects(REPO)) == []
    assert sorted(objects.iter_objects(OTHER_REPO)) == sorted(stored)
    assert len(files()) == 3
    objects.ingest(REPO, io.BytesIO(b"one"), sha256=stored[0], size=3)
    assert list(objects.iter_objects(REPO)) == [stored[0]]


def test_a_removed_object_can_be_read_to_its_end_by_those_who_have_it_open(stored: list[str]) -> None:
    with objects.open(REPO, sha256_of(b"three")) as file:
        objects.delete_all(REPO)
        assert file.read() == b"three"


def test_sweeping_takes_what_a_crash_left_and_nothing_else(stored: list[str], store: Path, files: Files) -> None:
    crashed = objects.writer(REPO)
    crashed.write(b"half of it")
    half_removed = objects.temp_dir() / "half-removed.gone"
    (half_removed / "ab").mkdir(parents=True)
    (half_removed / "ab" / "object").write_text("x")
    for path in [*objects.temp_dir().iterdir(), *store.glob("objects/**/*")]:
        grow_old(path)
    with objects.writer(REPO) as running:
        running.write(b"still going")
        assert objects.sweep(timedelta(hours=1)) == 2
        running.publish(sha256=sha256_of(b"still going"), size=11)
    assert sorted(objects.iter_objects(REPO)) == sorted([*stored, sha256_of(b"still going")])
    assert list(objects.temp_dir().iterdir()) == []
    crashed.__exit__(None, None, None)


def test_sweeping_where_nothing_was_ever_written() -> None:
    assert objects.sweep(timedelta(0)) == 0
