"""Reading and staging blobs."""

from __future__ import annotations

import os

import pytest

from repos.errors import EntryNotFound


def test_a_blob_is_read_as_it_was_committed(repo, commit):
    data = os.urandom(300_000)
    entry = repo.entry(commit(**{"a.dat": data}), "a.dat")
    assert repo.blob_size(entry.oid) == 300_000
    assert repo.read_blob(entry.oid) == data
    assert b"".join(repo.iter_blob(entry.oid)) == data


@pytest.mark.parametrize(("start", "stop"), [(0, 0), (0, 1), (5, 5), (10, 200_000), (299_999, 300_000), (1, None)])
def test_a_part_of_a_blob_is_that_part(repo, commit, start, stop):
    data = os.urandom(300_000)
    oid = repo.entry(commit(**{"a.dat": data}), "a.dat").oid
    assert b"".join(repo.iter_blob(oid, start=start, stop=stop)) == data[start:stop]


def test_an_empty_blob_is_empty(repo, commit):
    oid = repo.entry(commit(empty=b""), "empty").oid
    assert (repo.blob_size(oid), repo.read_blob(oid), list(repo.iter_blob(oid))) == (0, b"", [])


@pytest.mark.parametrize("oid", ["0" * 40, "", "xyz", "a" * 41, "\0", "main", "\ud800"], ids=ascii)
def test_what_is_no_blob_is_not_found(repo, first, oid):
    for read in (repo.blob_size, repo.read_blob, repo.iter_blob):
        with pytest.raises(EntryNotFound):
            read(oid)


def test_commits_and_trees_are_no_blobs(repo, first):
    for oid in (first, repo.entry(first, "").oid):
        for read in (repo.blob_size, repo.read_blob, repo.iter_blob):
            with pytest.raises(EntryNotFound):
                read(oid)


@pytest.mark.parametrize("data", [b"", b"hello\n", b"\0" * 100_000, bytes(range(256))])
def test_a_blob_is_staged_under_the_id_that_git_gives_it(repo, git, data):
    assert repo.stage_blob(data) == git("hash-object", "--stdin", stdin=data)


def test_what_is_staged_is_not_in_the_repo_yet(repo, git):
    oid = repo.stage_blob(b"not committed")
    with pytest.raises(EntryNotFound):
        repo.read_blob(oid)
    assert oid not in git("cat-file", "--batch-check=%(objectname)", "--batch-all-objects")


def test_staging_the_same_bytes_again_changes_nothing(repo, commit):
    assert repo.stage_blob(b"same") == repo.stage_blob(b"same")
    sha = commit(a=b"same")
    assert repo.stage_blob(b"same") == repo.entry(sha, "a").oid
