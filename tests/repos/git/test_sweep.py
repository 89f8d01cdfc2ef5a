"""Clearing away what uploads without a commit and killed processes leave."""

from __future__ import annotations

import os
import time

from repos.git import AddBlob


def age(folder, seconds: float) -> None:
    then = time.time() - seconds
    for file in folder.rglob("*"):
        os.utime(file, (then, then))


def test_old_uploads_without_a_commit_go(repo, repo_path):
    repo.stage_blob(b"one")
    repo.stage_blob(b"two")
    age(repo_path / "staging", 7200)
    assert repo.sweep(older_than=3600) == 2
    assert [file for file in (repo_path / "staging").rglob("*") if file.is_file()] == []


def test_young_ones_stay_and_can_be_committed(repo, repo_path, first, ada):
    repo.stage_blob(b"old")
    age(repo_path / "staging", 7200)
    oid = repo.stage_blob(b"young")
    assert repo.sweep(older_than=3600) == 1
    sha = repo.commit("main", [AddBlob("a", oid)], title="x", author=ada, expected_head=first)
    assert repo.read_blob(repo.entry(sha, "a").oid) == b"young"


def test_what_crashes_of_git_and_libgit2_leave_goes_too(repo, repo_path, commit, git):
    commit(**{f"f{number}": b"%d" % number for number in range(20)})
    left = ["objects/tmp_object_git2_0123", "objects/pack/pack_git2_0123", "refs/heads/dev.lock", "packed-refs.lock"]
    for name in left:
        (repo_path / name).write_bytes(b"half")
        os.utime(repo_path / name, (1, 1))
    assert repo.sweep(older_than=3600) == len(left)
    assert not any((repo_path / name).exists() for name in left)
    assert git("fsck", "--full", "--strict", "--no-dangling") == ""


def test_committed_files_never_go(repo, repo_path, commit):
    sha = commit(a=b"a")
    age(repo_path, 10**8)
    repo.sweep(older_than=0)
    assert repo.read_blob(repo.entry(sha, "a").oid) == b"a"
    assert repo.head() == sha


def test_staging_goes_on_after_its_folders_were_swept(repo, repo_path, commit):
    repo.stage_blob(b"one")
    age(repo_path / "staging", 7200)
    repo.sweep(older_than=3600)
    age(repo_path / "staging", 7200)
    repo.sweep(older_than=3600)
    sha = commit(a=b"one")
    assert repo.read_blob(repo.entry(sha, "a").oid) == b"one"


def test_a_repo_without_leftovers_is_left_alone(repo):
    assert repo.sweep(older_than=0) == 0
