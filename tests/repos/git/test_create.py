"""Creating a repo."""

from __future__ import annotations

from pathlib import Path

import pytest

from repos.errors import InvalidPath
from repos.git import Author, GitRepo


def test_a_new_repo_is_bare_and_has_one_commit_on_main(repo, first, git):
    assert git("rev-parse", "--is-bare-repository") == "true"
    assert git("symbolic-ref", "HEAD") == "refs/heads/main"
    assert git("rev-list", "main") == first
    assert git("show", "main:.gitattributes").startswith("*.bin filter=lfs")


def test_git_finds_nothing_wrong_with_it(repo, git):
    assert git("fsck", "--full", "--strict") == ""


def test_the_first_commit_is_by_its_author(repo, first, git):
    assert git("log", "--format=%an <%ae>|%cn|%s") == "Ada Lovelace <ada@example.org>|Ada Lovelace|initial commit"


def test_files_may_lie_in_folders_and_there_may_be_none(tmp_path: Path, ada: Author):
    full = GitRepo.create(tmp_path / "full", author=ada, files={"a/b.txt": b"1", "c.txt": b""})
    assert [entry.path for entry in full.tree(full.head(), recursive=True)] == ["a", "a/b.txt", "c.txt"]
    empty = GitRepo.create(tmp_path / "empty", author=ada, files={})
    assert empty.tree(empty.head()) == []


def test_a_repo_is_not_made_over_another(repo, repo_path: Path, ada: Author, first):
    with pytest.raises(FileExistsError):
        GitRepo.create(repo_path, author=ada, files={})
    assert repo.head() == first


def test_a_repo_that_cannot_be_made_leaves_nothing(tmp_path: Path, ada: Author):
    with pytest.raises(InvalidPath):
        GitRepo.create(tmp_path / "new", author=ada, files={"../outside": b""})
    assert list(tmp_path.iterdir()) == []


def test_an_author_whose_name_git_cannot_hold_is_written_without_it(tmp_path: Path, git):
    path = tmp_path / "new"
    GitRepo.create(path, author=Author("A <script>\nda\0", ""), files={})
    assert git("log", "--format=%an|%ae", cwd=path) == "A  script da|unknown"


def test_pushed_objects_are_checked_and_on_disk_before_they_count(repo, git):
    assert git("config", "core.fsync") == "all"
    assert git("config", "receive.fsckObjects") == "true"
