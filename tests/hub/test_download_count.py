"""Counting downloads of olu/m."""

from __future__ import annotations

import pytest
from django.db import DatabaseError

from accounts.models import User
from gatehub.hub import downloads
from repos.models import Repo
from tests.support.cast import MakeRepo, text_of

FILE = "/olu/m/resolve/main/big.bin"


@pytest.fixture
def repo(olu: User, make_repo: MakeRepo) -> Repo:
    return make_repo("olu/m", by=olu, files={"a.txt": b"a"}, large={"big.bin": b"x" * 1000})


@pytest.fixture(autouse=True)
def tally(monkeypatch: pytest.MonkeyPatch) -> downloads.Tally:
    """A new one, that writes at once."""
    monkeypatch.setattr(downloads, "WRITE_SECONDS", 0.0)
    fresh = downloads.Tally()
    monkeypatch.setattr("gatehub.hub.resolve.tally", fresh)
    return fresh


def count(repo: Repo) -> int:
    repo.refresh_from_db()
    return repo.downloads


@pytest.mark.parametrize(
    ("method", "headers", "counted"),
    [
        ("get", {}, 1),
        ("get", {"Sec-Fetch-Dest": "document"}, 1),
        # A browser shows it on a page: nobody has downloaded a repo by reading its card.
        ("get", {"Sec-Fetch-Dest": "image"}, 0),
        ("get", {"Sec-Fetch-Dest": "video"}, 0),
        ("get", {"Range": "bytes=0-"}, 1),
        ("get", {"Range": "bytes=0-0"}, 1),
        ("get", {"Range": "bytes=1-"}, 0),
        ("get", {"Range": "bytes=999-"}, 0),
        ("get", {"Range": "bytes=5000-"}, 0),
        ("get", {"If-None-Match": "*"}, 0),
        ("head", {}, 0),
    ],
)
def test_what_counts_as_a_download(method, headers, counted, stranger, repo):
    text_of(getattr(stranger, method)(FILE, headers=headers))
    assert count(repo) == counted


def test_refusals_are_no_downloads(stranger, gated_repo):
    stranger.get("/lab/toxic-bert/resolve/main/model.safetensors")
    assert count(gated_repo) == 0


def test_many_downloads_are_written_together(stranger, repo, tally, monkeypatch, django_assert_num_queries):
    monkeypatch.setattr(downloads, "WRITE_SECONDS", 60.0)
    text_of(stranger.get(FILE))
    assert count(repo) == 1
    with django_assert_num_queries(6):  # Three times the repo and the object, and nothing written.
        for _ in range(3):
            text_of(stranger.get(FILE))
    assert count(repo) == 1
    tally._next_write = 0.0
    text_of(stranger.get(FILE))
    assert count(repo) == 5


def test_a_count_that_cannot_be_written_fails_no_download_and_is_kept(stranger, repo, monkeypatch, caplog):
    def fail(**_: object) -> None:
        raise DatabaseError("locked")

    answer = stranger.get(FILE)
    with monkeypatch.context() as broken:
        broken.setattr(Repo.objects, "filter", fail)
        assert text_of(answer) == b"x" * 1000
    assert "not counted for the moment: locked" in caplog.text
    assert count(repo) == 0
    text_of(stranger.get(FILE))
    assert count(repo) == 2


def test_a_repo_that_is_gone_is_not_counted(stranger, repo, tally):
    tally.add(999_999)
    text_of(stranger.get(FILE))
    assert count(repo) == 1
