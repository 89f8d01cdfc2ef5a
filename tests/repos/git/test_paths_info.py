"""Looking up some paths at once."""

from __future__ import annotations


def test_unknown_paths_are_left_out(repo, commit):
    sha = commit(**{"a.txt": b"1", "sub/b.txt": b"2"})
    found = repo.paths_info(sha, ["sub/b.txt", "nope", "sub", "a.txt/x", "..", "a\0", ""])
    assert [(entry.path, entry.type) for entry in found] == [("sub/b.txt", "file"), ("sub", "directory")]


def test_a_slash_behind_a_folder_is_allowed(repo, commit):
    sha = commit(**{"sub/b.txt": b"2"})
    assert [entry.path for entry in repo.paths_info(sha, ["sub/"])] == ["sub"]


def test_the_answers_are_those_of_entry(repo, commit):
    sha = commit(**{"a.txt": b"1", "sub/b.txt": b"2"})
    assert repo.paths_info(sha, ["a.txt", "sub"]) == [repo.entry(sha, "a.txt"), repo.entry(sha, "sub")]
