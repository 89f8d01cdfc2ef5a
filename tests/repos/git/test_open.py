"""Opening a repo, once per process."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from repos.errors import RepoNotFound
from repos.git import Author, GitRepo
from repos.git import repo as repo_module


def test_a_repo_is_opened_once(repo, repo_path: Path):
    assert GitRepo.open(repo_path) is GitRepo.open(repo_path)


def test_a_missing_repo_is_not_found(tmp_path: Path):
    with pytest.raises(RepoNotFound):
        GitRepo.open(tmp_path / "nothing")


def test_a_repo_that_was_deleted_is_not_found_any_more(repo, repo_path: Path):
    GitRepo.open(repo_path).head()
    shutil.rmtree(repo_path)
    with pytest.raises(RepoNotFound):
        GitRepo.open(repo_path)


def test_a_repo_made_anew_under_the_same_name_is_the_new_one(repo, repo_path: Path, ada: Author):
    old = GitRepo.open(repo_path).head()
    repo_path.rename(repo_path.with_name("moved"))
    GitRepo.create(repo_path, author=ada, files={"new.txt": b"new"})
    new = GitRepo.open(repo_path).head()
    assert new
    assert new != old
    assert [entry.path for entry in GitRepo.open(repo_path).tree(new)] == ["new.txt"]


def test_only_so_many_are_kept(tmp_path: Path, ada: Author, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(repo_module, "MAX_OPEN", 2)
    monkeypatch.setattr(repo_module, "_open", type(repo_module._open)())
    paths = [tmp_path / name for name in "abc"]
    for path in paths:
        GitRepo.create(path, author=ada, files={})
        GitRepo.open(path)
    assert list(repo_module._open) == paths[1:]


def test_the_configuration_of_user_and_machine_does_not_count(repo, repo_path: Path, tmp_path, monkeypatch):
    (tmp_path / ".gitconfig").write_text("[core]\n\tbare = false\n[user]\n\tname = Somebody Else\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    with GitRepo.open(repo_path)._handles.take() as handle:
        assert "user.name" not in handle.config
        assert handle.config["core.fsyncObjectFiles"] == "true"
