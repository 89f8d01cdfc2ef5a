"""Branches: listing, creating, deleting."""

from __future__ import annotations

import pytest

from repos.errors import InvalidRevision, RefExists, RevisionNotFound
from repos.git import Ref

BAD_NAMES = [
    "",
    "-x",
    "--help",
    "a..b",
    "a b",
    "a~1",
    "a^",
    "a:b",
    "a?",
    "a*",
    "a[",
    "a\\b",
    "a@{1}",
    "@",
    "HEAD",
    "a/",
    "/a",
    "a//b",
    ".a",
    "a/.b",
    "a.",
    "a.lock",
    "a.lock/b",
    "a\0b",
    "a\nb",
    "a\x7f",
    "\ud800",
    "refs/heads/x",
    "refs/x",
    "ab" * 20,
    "AB" * 20,
    "x" * 251,
    "é" * 126,
    "x" * 100_000,
]
COLLISIONS = [("dev", "dev/x"), ("dev/x", "dev"), ("dev/x/y", "dev/x"), ("dev", "dev/x/y")]
GOOD_NAMES = ["dev", "dev/x", "feature/ö-✓", "1", "v1.0", "a-b_c", "x" * 250, "abcdef", "a@b", "#1", "main2"]


@pytest.mark.parametrize("name", GOOD_NAMES, ids=ascii)
def test_a_branch_starts_where_it_is_told(repo, first, git, name):
    assert repo.create_branch(name, first) == Ref(name, f"refs/heads/{name}", first)
    assert git("rev-parse", f"refs/heads/{name}") == first
    assert repo.resolve_revision(name) == first
    assert [ref.name for ref in repo.branches()] == ["main", name]


@pytest.mark.parametrize("name", BAD_NAMES, ids=lambda name: ascii(name[:20]))
def test_a_bad_name_is_refused_and_nothing_made(repo, first, ada, name):
    with pytest.raises(InvalidRevision) as caught:
        repo.create_branch(name, first)
    assert caught.value.message.isascii()
    assert caught.value.message.isprintable()
    with pytest.raises(InvalidRevision):
        repo.create_tag(name, first, None, ada)
    assert [ref.name for ref in (*repo.branches(), *repo.tags())] == ["main"]


def test_a_branch_that_exists_is_not_made_again(repo, first, commit):
    commit(a=b"a")
    with pytest.raises(RefExists):
        repo.create_branch("main", first)
    assert repo.head() != first


@pytest.mark.parametrize(
    ("there", "new"), [("dev", "dev/x"), ("dev/x", "dev"), ("dev/x/y", "dev/x"), ("dev", "dev/x/y")]
)
@pytest.mark.parametrize("packed", [True, False])
def test_a_branch_cannot_be_the_folder_of_another(repo, first, git, there, new, packed):
    repo.create_branch(there, first)
    if packed:
        git("pack-refs", "--all")
    with pytest.raises(RefExists, match=there):
        repo.create_branch(new, first)
    repo.create_branch("dev2", first)


@pytest.mark.parametrize("start", ["0" * 40, "main", "", "xyz", "--help"])
def test_a_branch_starts_at_a_commit(repo, first, start):
    with pytest.raises(RevisionNotFound):
        repo.create_branch("new", start)
    for oid in (repo.entry(first, "").oid, repo.entry(first, ".gitattributes").oid):
        with pytest.raises(RevisionNotFound):
            repo.create_branch("new", oid)


def test_a_deleted_branch_is_gone_and_can_be_made_again(repo, first, git):
    for name in ("dev", "dev/x", "dev"):
        repo.create_branch(name, first)
        git("pack-refs", "--all")
        repo.delete_branch(name)
        assert [ref.name for ref in repo.branches()] == ["main"]


@pytest.mark.parametrize("name", ["nope", "", "..", "../../HEAD", "ma in", "main\0", "main/", "/main", "v1", "\ud800"])
def test_a_branch_that_is_not_there_cannot_be_deleted(repo, first, ada, name):
    repo.create_tag("v1", first, None, ada)
    with pytest.raises(RevisionNotFound):
        repo.delete_branch(name)
    assert repo.head() == first


def test_main_comes_first_and_tags_are_no_branches(repo, first, ada):
    repo.create_branch("alpha", first)
    repo.create_branch("zeta", first)
    repo.create_tag("v1", first, None, ada)
    assert repo.branches() == [Ref(name, f"refs/heads/{name}", first) for name in ("main", "alpha", "zeta")]


def test_odd_refs_stop_no_listing(repo, first, git, repo_path):
    blob = git("rev-parse", f"{first}:.gitattributes")
    git("update-ref", "refs/tags/blob", blob)
    git("symbolic-ref", "refs/heads/alias", "refs/heads/main")
    git("symbolic-ref", "refs/heads/broken", "refs/heads/nowhere")
    (repo_path / "refs/heads/empty").write_bytes(b"")
    (repo_path / "refs/heads/lost").write_text("1" * 40 + "\n")
    (repo_path / b"refs/heads/caf\xe9".decode("utf-8", "surrogateescape")).write_text(first + "\n")
    assert [ref.name for ref in repo.branches()] == ["main", "alias"]
    assert repo.tags() == []
    for name in ("broken", "empty", "lost", "blob"):
        with pytest.raises(RevisionNotFound):
            repo.resolve_revision(name)
    assert repo.resolve_revision(first) == first
