"""Tags: listing, creating, deleting.  Bad names are in test_branches.py."""

from __future__ import annotations

import pytest

from repos.errors import RefExists, RevisionNotFound
from repos.git import Ref


def test_a_tag_without_a_message_is_a_plain_one(repo, first, ada, git):
    assert repo.create_tag("v1", first, None, ada) == Ref("v1", "refs/tags/v1", first)
    assert git("cat-file", "-t", "v1") == "commit"
    assert repo.tags() == [Ref("v1", "refs/tags/v1", first)]


def test_a_tag_with_a_message_is_annotated_and_stands_for_the_commit(repo, first, ada, git):
    assert repo.create_tag("rel/1", first, "First\0 release\ud800", ada) == Ref("rel/1", "refs/tags/rel/1", first)
    assert git("cat-file", "-t", "rel/1") == "tag"
    assert (
        git("for-each-ref", "--format=%(contents:subject)|%(taggername)", "refs/tags") == "First release?|Ada Lovelace"
    )
    assert repo.tags() == [Ref("rel/1", "refs/tags/rel/1", first)]
    assert git("fsck", "--full", "--strict") == ""


@pytest.mark.parametrize("message", [None, "again"])
def test_a_tag_that_exists_is_not_moved(repo, first, commit, ada, message):
    repo.create_tag("v1", first, None, ada)
    with pytest.raises(RefExists):
        repo.create_tag("v1", commit(a=b"a"), message, ada)
    assert repo.resolve_revision("v1") == first


def test_a_tag_may_be_called_as_a_branch(repo, first, ada):
    repo.create_tag("main", first, None, ada)
    assert repo.resolve_revision("refs/tags/main") == first


def test_a_tag_on_nothing_is_refused(repo, ada):
    with pytest.raises(RevisionNotFound):
        repo.create_tag("v1", "0" * 40, None, ada)
    assert repo.tags() == []


@pytest.mark.parametrize("message", [None, "annotated"])
def test_a_deleted_tag_is_gone(repo, first, ada, message):
    repo.create_tag("v1", first, message, ada)
    repo.delete_tag("v1")
    assert repo.tags() == []
    with pytest.raises(RevisionNotFound):
        repo.delete_tag("v1")


def test_a_branch_is_not_deleted_as_a_tag(repo, first):
    with pytest.raises(RevisionNotFound):
        repo.delete_tag("main")
    assert repo.head() == first
