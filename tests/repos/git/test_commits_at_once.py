"""Several commits to one branch at once: one lands, the others are told, nothing is mixed."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from repos.errors import ConcurrentCommit
from repos.git import AddBlob, GitRepo, revisions

# Reads "NAME EXPECTED-HEAD" lines, makes a commit for each, and answers with its sha or "refused".
WORKER = """
import sys
from pathlib import Path
from repos.errors import ConcurrentCommit
from repos.git import AddBlob, Author, GitRepo

repo = GitRepo.open(Path(sys.argv[1]))
print("ready", flush=True)
for line in sys.stdin:
    name, head = line.split()
    operation = AddBlob(name, repo.stage_blob(name.encode()))
    try:
        print(repo.commit("main", [operation], title=name, author=Author("W", "w@x"), expected_head=head), flush=True)
    except ConcurrentCommit:
        print("refused", flush=True)
"""


@pytest.fixture
def workers(repo, repo_path, request):
    """Two more processes on the same repo: `workers(["a HEAD", "b HEAD"])` gives what each answers."""
    command = [sys.executable, "-c", WORKER, str(repo_path)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    processes = [subprocess.Popen(command, cwd=request.config.rootpath, **pipes) for _ in range(2)]
    assert [process.stdout.readline() for process in processes] == ["ready\n"] * 2

    def ask(lines: list[str]) -> list[str]:
        for process, line in zip(processes, lines, strict=True):
            process.stdin.write(line + "\n")
            process.stdin.flush()
        return [process.stdout.readline().strip() for process in processes]

    yield ask
    for process in processes:
        process.stdin.close()
        assert process.wait(10) == 0
        process.stdout.close()


def test_of_two_processes_exactly_one_lands(repo, first, workers, git):
    expected = [first]
    for number in range(25):
        answers = workers([f"left-{number} {expected[-1]}", f"right-{number} {expected[-1]}"])
        assert answers.count("refused") == 1
        landed = next(answer for answer in answers if answer != "refused")
        assert repo.head() == landed
        assert repo.commits(landed, limit=1)[0].parents == (expected[-1],)
        expected.append(landed)
    assert git("rev-list", "main").split() == expected[::-1]
    names = [entry.path for entry in repo.tree(repo.head())]
    assert sorted(name.split("-")[1] for name in names[1:]) == sorted(map(str, range(25)))
    assert git("fsck", "--full", "--strict", "--no-dangling") == ""


def test_of_eight_threads_exactly_one_lands(repo, repo_path, first, ada):
    barrier = Barrier(8)

    def attempt(number: int) -> str | None:
        mine = GitRepo.open(repo_path)
        operation = AddBlob(f"{number}.txt", mine.stage_blob(b"%d" % number))
        barrier.wait()
        try:
            return mine.commit("main", [operation], title=str(number), author=ada, expected_head=first)
        except ConcurrentCommit:
            return None

    with ThreadPoolExecutor(8) as threads:
        landed = [sha for sha in threads.map(attempt, range(8)) if sha]
    assert landed == [repo.head()]
    assert len(repo.tree(landed[0])) == 2


def test_threads_that_try_again_all_land(repo, repo_path, first, ada, git):
    def attempt(number: int) -> None:
        mine = GitRepo.open(repo_path)
        operation = AddBlob(f"{number % 3}/{number}.txt", mine.stage_blob(b"same for all"))
        while True:
            try:
                mine.commit("main", [operation], title=str(number), author=ada, expected_head=mine.head())
            except ConcurrentCommit:
                continue
            return

    with ThreadPoolExecutor(6) as threads:
        list(threads.map(attempt, range(30)))
    assert len(git("rev-list", "main").split()) == 31
    assert len(git("ls-tree", "-r", "--name-only", "main").split()) == 31
    assert git("fsck", "--full", "--strict", "--no-dangling") == ""


def test_a_branch_that_moves_at_the_last_moment_is_not_overwritten(repo, first, ada, commit, git, monkeypatch):
    """The race between the last look at the ref and the write: git moves the branch in between."""
    elsewhere = git("commit-tree", f"{first}^{{tree}}", "-p", first, "-m", "elsewhere")
    drop = revisions._drop_stale_lock

    def and_move(lock):
        drop(lock)
        git("update-ref", "refs/heads/main", elsewhere)

    monkeypatch.setattr(revisions, "_drop_stale_lock", and_move)
    with pytest.raises(ConcurrentCommit):
        commit(a=b"a")
    assert repo.head() == elsewhere


def test_the_comparison_happens_under_the_lock(repo, first, git):
    """libgit2 compares with what the reference said when it was read; else the update above would be lost."""
    elsewhere = git("commit-tree", f"{first}^{{tree}}", "-p", first, "-m", "elsewhere")
    with repo._handles.take() as handle:
        read = handle.lookup_reference("refs/heads/main")
        git("update-ref", "refs/heads/main", elsewhere)
        with pytest.raises(Exception, match="old reference value does not match"):
            read.set_target(first)
    assert repo.head() == elsewhere


def test_a_deleted_branch_is_not_brought_back(repo, first, ada, git, monkeypatch):
    repo.create_branch("dev", first)
    drop = revisions._drop_stale_lock

    def and_delete(lock):
        drop(lock)
        git("update-ref", "-d", "refs/heads/dev")

    monkeypatch.setattr(revisions, "_drop_stale_lock", and_delete)
    with pytest.raises(ConcurrentCommit):
        repo.commit("dev", [], title="x", author=ada, expected_head=first)
    assert repo.head("dev") is None
