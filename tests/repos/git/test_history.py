"""The log and its length."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from repos.git import Author


def test_the_log_is_newest_first_as_git_has_it(repo, commit, git):
    for number in range(5):
        commit(title=f"change {number}", **{"a.txt": b"%d" % number})
    head = repo.head()
    assert [info.oid for info in repo.commits(head)] == git("log", "--format=%H").split()
    assert [info.title for info in repo.commits(head)][:2] == ["change 4", "change 3"]


def test_pages_give_the_whole(repo, commit):
    for number in range(7):
        commit(**{"a.txt": b"%d" % number})
    head = repo.head()
    found = [info for skip in range(0, 12, 3) for info in repo.commits(head, skip=skip, limit=3)]
    assert found == repo.commits(head)
    assert len(found) == 8


def test_a_commit_carries_what_was_said_and_by_whom(repo, first, ada):
    head = repo.commit("main", [], title="Title", description="One\n\nTwo\n", author=ada, expected_head=first)
    info = repo.commits(head)[0]
    assert (info.oid, info.title, info.message) == (head, "Title", "One\n\nTwo")
    assert (info.author_name, info.author_email, info.parents) == ("Ada Lovelace", "ada@example.org", (first,))
    assert abs((datetime.now(UTC) - info.date).total_seconds()) < 60


def test_a_merge_has_both_sides(repo, first, commit, git):
    left = commit(l=b"l")
    right = git("commit-tree", f"{first}^{{tree}}", "-p", first, "-m", "right")
    merge = git("commit-tree", f"{left}^{{tree}}", "-p", left, "-p", right, "-m", "merge")
    assert {info.oid for info in repo.commits(merge)} == {merge, left, right, first}
    assert repo.commits(merge)[0].parents == (left, right)
    assert repo.count(merge) == 4


def test_the_count_is_bounded(repo, commit):
    for number in range(5):
        commit(**{"a.txt": b"%d" % number})
    head = repo.head()
    assert repo.count(head) == repo.count(head) == 6
    assert repo.count(head, limit=4) == 4


@pytest.mark.parametrize("time", [b"99999999999999999", b"-1", b"0", b"9223372036854775807"])
def test_a_commit_from_no_time_at_all_is_shown(repo, first, git, time):
    tree = git("rev-parse", f"{first}^{{tree}}").encode()
    text = b"tree %s\nparent %s\nauthor B <b@c> %s +0000\ncommitter B <b@c> %s +0000\n\nodd\n"
    sha = git("hash-object", "-w", "-t", "commit", "--literally", "--stdin",
              stdin=text % (tree, first.encode(), time, time))  # fmt: skip
    info = repo.commits(sha)[0]
    assert (info.title, info.date.tzinfo) == ("odd", UTC)


def test_bytes_that_are_not_utf8_are_shown_as_far_as_they_can_be(repo, first, git):
    tree = git("rev-parse", f"{first}^{{tree}}").encode()
    text = (
        b"tree %s\nauthor J\xfcrgen <j\xfc@c> 5 +0000\ncommitter B <b@c> 5 +0000\nencoding latin-1\n\ncaf\xe9\n\n\xff"
    )
    sha = git("hash-object", "-w", "-t", "commit", "--stdin", stdin=text % tree)
    info = repo.commits(sha)[0]
    assert (info.title, info.message) == ("caf\ufffd", "\ufffd")
    assert (info.author_name, info.author_email) == ("J\ufffdrgen", "j\ufffd@c")


def test_a_title_may_be_in_any_language(repo, first):
    author = Author("Ада Ловелас", "ада@пример.рф")
    head = repo.commit("main", [], title="Überprüfen ✓", author=author, expected_head=first)
    info = repo.commits(head)[0]
    assert (info.title, info.author_name, info.author_email) == ("Überprüfen ✓", "Ада Ловелас", "ада@пример.рф")
