"""Squashing a branch."""

from __future__ import annotations

import pytest

from accounts.errors import BadRequest
from repos.errors import RevisionNotFound


def test_the_files_stay_and_the_history_goes(repo, commit, ada, git):
    commit(**{"a.txt": b"1"})
    before = repo.tree(commit(**{"a.txt": b"2", "sub/b": b"b"}), recursive=True)
    new = repo.squash("main", "All in one", ada)
    assert repo.head() == new
    assert repo.tree(new, recursive=True) == before
    assert git("log", "--format=%H|%s|%P|%an") == f"{new}|All in one||Ada Lovelace"
    assert git("fsck", "--full", "--strict", "--no-dangling") == ""


def test_other_branches_stay_as_they_are(repo, first, commit, ada):
    repo.create_branch("dev", first)
    commit(**{"a.txt": b"1"})
    repo.squash("main", "one", ada)
    assert repo.head("dev") == first
    assert repo.resolve_revision(first) == first


def test_a_branch_that_is_not_there_cannot_be_squashed(repo, ada):
    with pytest.raises(RevisionNotFound):
        repo.squash("nope", "one", ada)


def test_a_squash_needs_a_message(repo, first, ada):
    with pytest.raises(BadRequest):
        repo.squash("main", " \n", ada)
    assert repo.head() == first
