"""A crash at any point leaves the old head; what was acknowledged is there."""

from __future__ import annotations

import errno
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from repos.git import AddBlob, GitRepo, revisions, staging

# Commits without end, in turn a few files and many, and prints each sha once it is acknowledged.
ENDLESS = """
import sys
from pathlib import Path
from repos.git import AddBlob, Author, GitRepo

repo = GitRepo.open(Path(sys.argv[1]))
number = 0
while True:
    number += 1
    files = [f"{number}/{file}" for file in range(40 if number % 2 else 2)]
    operations = [AddBlob(name, repo.stage_blob(f"{sys.argv[2]} {name}".encode())) for name in files]
    print(repo.commit("main", operations, title="x", author=Author("W", "w@x"), expected_head=repo.head()), flush=True)
"""


@pytest.mark.parametrize("seed", range(8))
def test_a_process_killed_at_any_moment_leaves_a_whole_repo(repo, repo_path, first, ada, git, request, seed):
    command = [sys.executable, "-c", ENDLESS, str(repo_path), str(seed)]
    with subprocess.Popen(command, cwd=request.config.rootpath, stdout=subprocess.PIPE, text=True) as process:
        acknowledged = [process.stdout.readline().strip()]
        time.sleep(random.Random(seed).random() / 3)  # noqa: S311 (not for secrets)
        process.send_signal(signal.SIGKILL)
        acknowledged += process.stdout.read().split()
    assert git("fsck", "--full", "--strict", "--no-dangling") == ""
    history = git("rev-list", "main").split()
    assert set(acknowledged) <= set(history)
    assert len(history) - 1 - len(acknowledged) in (0, 1)  # killed between the commit and the print
    for lock in repo_path.rglob("refs/**/*.lock"):
        os.utime(lock, (1, 1))  # as if a minute had passed
    head = repo.head()
    sha = repo.commit("main", [AddBlob("z", repo.stage_blob(b"z"))], title="go on", author=ada, expected_head=head)
    assert repo.head() == sha
    repo.sweep(older_than=-10)
    assert list((repo_path / "staging").iterdir()) == []
    assert git("fsck", "--full", "--strict", "--no-dangling") == ""


@pytest.mark.parametrize("count", [1, staging.PACK_FROM])
def test_everything_is_on_disk_before_the_branch_moves(repo, repo_path, first, ada, monkeypatch, count):
    events: list[str] = []
    sync, write, move = staging.sync, staging.pygit2.PackBuilder.write, revisions.move

    def syncing(path: Path) -> None:
        sync(path)
        events.append(path.parent.name + path.name if path.is_file() else path.name)

    def writing(builder, path) -> None:
        # libgit2 syncs packs by this setting; see handles.py.
        assert builder._repo.config.get_bool("core.fsyncObjectFiles")
        write(builder, path)
        events.append("pack")

    def moving(handle, ref, *, expected, new) -> None:
        assert handle.config.get_bool("core.fsyncObjectFiles")
        events.append("move")
        move(handle, ref, expected=expected, new=new)

    monkeypatch.setattr(staging, "sync", syncing)
    monkeypatch.setattr(staging.pygit2.PackBuilder, "write", writing)
    monkeypatch.setattr(revisions, "move", moving)
    operations = [AddBlob(f"f{number}", repo.stage_blob(b"%d" % number)) for number in range(count)]
    sha = repo.commit("main", operations, title="x", author=ada, expected_head=first)
    assert events[-1] == "move"
    if count == 1:
        new = {sha, repo.entry(sha, "").oid, operations[0].oid}
        folders = {oid[:2] for oid in new} | {"objects"}
        assert new | folders == set(events[:-1])
        assert all((repo_path / "objects" / oid[:2] / oid[2:]).is_file() for oid in new)
    else:
        assert events == ["pack", "move"]


@pytest.mark.parametrize("where", ["create_commit", "publish", "move"])
def test_a_failure_on_the_way_changes_nothing(repo, repo_path, first, commit, git, monkeypatch, where):
    def full(*_args, **_kwargs):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        if where == "move":
            patch.setattr(revisions, "move", full)
        elif where == "publish":
            patch.setattr(staging.Workspace, "publish", full)
        else:
            patch.setattr(staging.pygit2.Repository, "create_commit", full)
        with pytest.raises(OSError, match="No space left"):
            commit(a=b"a")
    assert repo.head() == first
    assert git("fsck", "--full", "--strict", "--no-dangling") == ""
    assert not list(repo_path.glob("staging/*/commit-*"))
    assert repo.read_blob(repo.entry(commit(a=b"a"), "a").oid) == b"a"


def test_a_disk_that_fills_while_a_file_is_staged_leaves_no_half_file(repo, repo_path, monkeypatch):
    def full(*_args):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "rename", full)
    with pytest.raises(OSError, match="No space left"):
        repo.stage_blob(b"data")
    assert [file for file in (repo_path / "staging").rglob("*") if file.is_file()] == []


def test_what_a_power_cut_left_of_an_earlier_process_counts_for_nothing(repo, repo_path, commit):
    oid = repo.stage_blob(b"precious")
    (mine,) = (repo_path / "staging").iterdir()
    mine.rename(mine.with_name("earlier-1"))
    (repo_path / "staging" / "earlier-1" / oid[:2] / oid[2:]).write_bytes(b"")
    sha = commit(a=b"precious")
    assert repo.read_blob(repo.entry(sha, "a").oid) == b"precious"


def test_a_lock_left_by_a_killed_process_is_dropped_after_a_minute(repo, repo_path, first, commit, git):
    lock = repo_path / "refs/heads/main.lock"
    lock.touch()
    with pytest.raises(Exception, match="Another commit"):
        commit(a=b"a")
    assert lock.exists()
    os.utime(lock, (time.time() - 61, time.time() - 61))
    assert repo.head() == first
    commit(a=b"a")
    assert not lock.exists()


def test_objects_are_whole_in_a_repo_just_made(tmp_path, ada, git, monkeypatch):
    synced: set[Path] = set()
    sync = staging.sync
    monkeypatch.setattr(staging, "sync", lambda path: (sync(path), synced.add(path)))
    path = tmp_path / "new"
    GitRepo.create(path, author=ada, files={"a": b"a"})
    assert tmp_path in synced
    names = {file.relative_to(path) for file in path.rglob("*")}
    made = {file.relative_to(tmp_path).parts[1:] for file in synced if file != tmp_path}
    assert {name.parts for name in names} <= made
