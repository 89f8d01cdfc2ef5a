"""Which commit last changed a path."""

from __future__ import annotations

import random

import pytest

from repos.git import DeleteFile


def oids(found) -> dict[str, str]:
    return {path: info.oid for path, info in found.items()}


def by_git(git, sha: str, paths) -> dict[str, str]:
    return {path: git("log", "-1", "--format=%H", sha, "--", path) for path in paths}


def test_each_path_has_the_commit_that_made_it_what_it_is(repo, first, commit):
    one = commit(**{"a.txt": b"1", "sub/b.txt": b"1"})
    two = commit(**{"sub/c/d.txt": b"2"})
    three = commit(**{"a.txt": b"3"})
    paths = ["a.txt", "sub", "sub/b.txt", "sub/c", ".gitattributes"]
    expected = {"a.txt": three, "sub": two, "sub/b.txt": one, "sub/c": two, ".gitattributes": first}
    assert oids(repo.last_commits(three, paths)) == expected


def test_a_file_that_went_and_came_back_is_as_old_as_its_return(repo, commit):
    commit(**{"a.txt": b"1"})
    commit(DeleteFile("a.txt"))
    back = commit(**{"a.txt": b"1"})
    assert oids(repo.last_commits(back, ["a.txt"])) == {"a.txt": back}


def test_what_is_not_there_is_left_out(repo, commit):
    sha = commit(**{"a.txt": b"1"})
    assert repo.last_commits(sha, ["nope", "a.txt/x", "a\0", "", ".."]) == {}


def test_the_work_is_bounded(repo, commit):
    commit(**{"old.txt": b"old"})
    for number in range(10):
        sha = commit(**{"new.txt": b"%d" % number})
    assert oids(repo.last_commits(sha, ["old.txt", "new.txt"], budget=5)) == {"new.txt": sha}
    assert "old.txt" in repo.last_commits(sha, ["old.txt"], budget=12)


def test_a_change_on_a_side_branch_is_found_behind_its_merge(repo, first, commit, git):
    left = commit(**{"l.txt": b"l"})
    repo.create_branch("side", first)
    right = commit(branch="side", **{"r.txt": b"r"})
    tree = git("merge-tree", "--write-tree", left, right)
    merge = git("commit-tree", tree, "-p", left, "-p", right, "-m", "merge")
    assert oids(repo.last_commits(merge, ["l.txt", "r.txt"])) == {"l.txt": left, "r.txt": right}


@pytest.mark.parametrize("seed", range(3))
def test_the_answers_are_those_of_git(repo, commit, git, seed):
    chance = random.Random(seed)  # noqa: S311 (not for secrets)
    names = ["a", "b", "c/d", "c/e", "c/f/g", "h/i"]
    for number in range(25):
        chosen = chance.sample(names, chance.randint(1, 2))
        sha = commit(**{name: b"%d" % (chance.randint(0, 3) * 1000 + number) for name in chosen})
    paths = [entry.path for entry in repo.tree(sha, recursive=True)]
    assert oids(repo.last_commits(sha, paths)) == by_git(git, sha, paths)
