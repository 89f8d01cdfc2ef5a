"""What a revision stands for.  `main` has two commits, `dev/x` starts at the first, `v1` tags the first."""

from __future__ import annotations

import re

import pytest

from repos.errors import RevisionNotFound
from repos.git import revisions


@pytest.fixture
def second(repo, first, commit, ada) -> str:
    repo.create_branch("dev/x", first)
    repo.create_tag("v1", first, None, ada)
    repo.create_tag("v1.1", first, "With a message", ada)
    return commit(**{"a.txt": b"a"})


@pytest.mark.parametrize("revision", ["main", "refs/heads/main"])
def test_a_branch_stands_for_its_newest_commit(repo, second, revision):
    assert repo.resolve_revision(revision) == second


@pytest.mark.parametrize("revision", ["dev/x", "refs/heads/dev/x", "v1", "refs/tags/v1", "v1.1", "refs/tags/v1.1"])
def test_tags_stand_for_the_commit_also_when_annotated(repo, first, second, revision):
    assert repo.resolve_revision(revision) == first


@pytest.mark.parametrize("length", [5, 7, 39, 40])
def test_a_sha_may_be_shortened_to_five_digits(repo, first, second, length):
    assert repo.resolve_revision(first[:length]) == first
    assert repo.resolve_revision(second[:length].upper()) == second


def test_four_digits_are_too_few(repo, first, second):
    with pytest.raises(RevisionNotFound):
        repo.resolve_revision(first[:4])


@pytest.mark.parametrize(
    "revision",
    [
        "",
        " ",
        "nope",
        "HEAD",
        "@",
        "main~1",
        "main^",
        "main^{commit}",
        "main@{1}",
        "main:a.txt",
        "main..dev/x",
        ":/change",
        "--help",
        "-",
        "..",
        ".",
        "/",
        "main/",
        "/main",
        "main/x",
        "main\0",
        "main\n",
        "ma in",
        "*",
        "refs",
        "refs/heads",
        "refs/heads/",
        "refs/pr/1",
        "refs/remotes/origin/main",
        "heads/main",
        "dev",
        "\ud800",
        "0" * 40,
        "f" * 7,
        "g" * 40,
        "a" * 41,
        "x" * 10_000,
        "MAIN",
        "é",
        "../../../../etc/passwd",
        "../config",
        "config",
    ],
    ids=ascii,
)
def test_what_is_no_name_and_no_sha_is_not_found(repo, second, revision):
    with pytest.raises(RevisionNotFound) as caught:
        repo.resolve_revision(revision)
    assert caught.value.message.isascii()
    assert caught.value.message.isprintable()


def test_blobs_and_trees_are_no_revisions(repo, second):
    for entry in (repo.entry(second, ""), repo.entry(second, "a.txt")):
        for revision in (entry.oid, entry.oid[:10]):
            with pytest.raises(RevisionNotFound):
                repo.resolve_revision(revision)


def test_a_commit_that_no_ref_leads_to_is_not_found(repo, second, git):
    dangling = git("commit-tree", f"{second}^{{tree}}", "-p", second, "-m", "dangling")
    for revision in (dangling, dangling[:8]):
        with pytest.raises(RevisionNotFound):
            repo.resolve_revision(revision)
    git("update-ref", "refs/tags/found", dangling)
    assert repo.resolve_revision(dangling) == dangling


def test_a_commit_of_a_deleted_branch_is_not_found_any_more(repo, first, commit):
    repo.create_branch("secret", first)
    sha = commit(branch="secret", **{"s.txt": b"s"})
    assert repo.resolve_revision(sha) == sha
    repo.delete_branch("secret")
    with pytest.raises(RevisionNotFound):
        repo.resolve_revision(sha)


def test_what_a_squash_threw_away_is_not_found_any_more(repo, first, second, ada):
    repo.delete_branch("dev/x")
    repo.delete_tag("v1")
    assert repo.resolve_revision(first) == first
    assert repo.resolve_revision(second) == second
    repo.delete_tag("v1.1")
    new = repo.squash("main", "one", ada)
    for sha in (first, second, first[:7]):
        with pytest.raises(RevisionNotFound):
            repo.resolve_revision(sha)
    assert repo.resolve_revision(new) == new


def test_refs_deleted_by_git_itself_are_noticed(repo, first, second, git):
    git("update-ref", "refs/heads/side", git("commit-tree", f"{first}^{{tree}}", "-m", "side"))
    side = repo.resolve_revision("side")
    assert repo.resolve_revision(side) == side
    git("pack-refs", "--all")
    assert repo.resolve_revision(side) == side
    git("update-ref", "-d", "refs/heads/side")
    with pytest.raises(RevisionNotFound):
        repo.resolve_revision(side)
    with pytest.raises(RevisionNotFound):
        repo.resolve_revision("side")


def test_a_commit_stays_known_while_its_branch_moves_on(repo, first, second, commit):
    for number in range(3):
        assert repo.resolve_revision(second) == second
        commit(**{"n.txt": b"%d" % number})


def test_a_commit_is_known_that_only_one_parent_of_a_merge_leads_to(repo, first, second, git):
    side = git("commit-tree", f"{first}^{{tree}}", "-p", first, "-m", "side")
    merge = git("commit-tree", f"{second}^{{tree}}", "-p", second, "-p", side, "-m", "merge")
    git("update-ref", "refs/heads/main", merge)
    assert repo.resolve_revision(side) == side
    assert repo.resolve_revision(second) == second


def test_clocks_that_go_wrong_hide_no_commit(repo, first, git):
    parent = first
    shas = []
    for second in (4_000_000_000, 100_000_005, 3_000_000_000, 100_000_001):
        date = f"{second} +0000"
        env = {"GIT_AUTHOR_DATE": date, "GIT_COMMITTER_DATE": date}
        parent = git("commit-tree", f"{first}^{{tree}}", "-p", parent, "-m", "x", **env)
        shas.append(parent)
    git("update-ref", "refs/heads/main", parent)
    assert [repo.resolve_revision(sha) for sha in shas] == shas


def test_a_branch_wins_over_a_tag_and_a_sha_over_both(repo, first, second, git):
    git("update-ref", "refs/tags/main", first)
    assert repo.resolve_revision("main") == second
    git("update-ref", f"refs/heads/{first}", second)
    assert repo.resolve_revision(first) == first
    git("update-ref", f"refs/heads/{first[:7]}", second)
    assert repo.resolve_revision(first[:7]) == second


def test_a_short_sha_that_a_file_shares_is_the_commit(repo, first, git):
    """Of 2,000 files some begin with the same five digits as one of 400 commits, so looking in turn is enough."""
    script = b""
    for number in range(400):
        script += b"commit refs/heads/main\ncommitter b <b@c> %d +0000\ndata 1\nx\n" % (1_700_000_000 + number)
        script += b"from %s\n" % first.encode() if number == 0 else b""
        for file in range(5):
            text = b"%d-%d" % (number, file)
            script += b"M 100644 inline f%d.txt\ndata %d\n%s\n" % (file, len(text), text)
    git("fast-import", "--quiet", "--force", stdin=script)
    shas = git("rev-list", "main").split()
    assert len(shas) == 401
    alone = [sha for sha in shas if sum(other.startswith(sha[:5]) for other in shas) == 1]
    assert [repo.resolve_revision(sha[:5]) for sha in alone] == alone


def test_a_short_sha_that_two_commits_share_is_not_found(repo, first, git, monkeypatch):
    second = git("commit-tree", f"{first}^{{tree}}", "-p", first, "-m", "x")
    number = 0
    while second[:1] != first[:1]:
        number += 1
        second = git("commit-tree", f"{first}^{{tree}}", "-p", first, "-m", str(number))
    git("update-ref", "refs/heads/main", second)
    monkeypatch.setattr(revisions, "_ABBREVIATION", re.compile("[0-9a-f]{1,39}"))
    with pytest.raises(RevisionNotFound):
        repo.resolve_revision(first[:1])


def test_head_is_none_for_a_branch_that_is_not_there(repo, first):
    assert repo.head() == first
    assert repo.head("nope") is None
    assert repo.head("a..b") is None
    assert repo.head("main\0") is None
