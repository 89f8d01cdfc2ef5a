"""git and other processes work on the same repo: a handle kept open sees what they do."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from repos.errors import RevisionNotFound
from repos.git import DeleteFile, GitRepo, tree


@pytest.fixture
def clone(repo, repo_path, tmp_path, git):
    """A clone to push from."""
    git("clone", "-q", str(repo_path), str(tmp_path / "clone"), cwd=tmp_path)
    return tmp_path / "clone"


def test_a_push_is_seen_by_a_kept_handle(repo, first, clone, git):
    assert repo.resolve_revision("main") == first
    for number in range(3):
        (clone / "pushed.txt").write_text(str(number))
        git("add", "-A", cwd=clone)
        git("commit", "-q", "-m", f"push {number}", cwd=clone)
        git("push", "-q", "origin", "HEAD:main", "HEAD:refs/heads/side", cwd=clone)
        head = repo.resolve_revision("main")
        assert head == git("rev-parse", "HEAD", cwd=clone)
        assert repo.read_blob(repo.entry(head, "pushed.txt").oid) == str(number).encode()
        assert [ref.name for ref in repo.branches()] == ["main", "side"]


def test_a_push_of_many_files_arrives_in_a_pack_and_is_seen(repo, repo_path, first, clone, git):
    repo.tree(first)
    for number in range(300):
        (clone / f"{number}.txt").write_text(str(number))
    git("add", "-A", cwd=clone)
    git("commit", "-q", "-m", "many", cwd=clone)
    git("push", "-q", "origin", "HEAD:main", cwd=clone)
    assert list((repo_path / "objects/pack").glob("*.pack"))
    assert len(repo.tree(repo.head())) == 301


def test_what_is_committed_here_can_be_pulled(repo, clone, commit, git):
    sha = commit(**{"a.txt": b"from the API", **{f"d/{number}": b"%d" % number for number in range(50)}})
    git("pull", "-q", cwd=clone)
    assert git("rev-parse", "HEAD", cwd=clone) == sha
    assert (clone / "a.txt").read_bytes() == b"from the API"
    assert len(list((clone / "d").iterdir())) == 50


def test_the_work_of_another_process_is_seen(repo, repo_path, first, commit, request):
    assert repo.head() == first
    script = """
import sys
from pathlib import Path
from repos.git import AddBlob, Author, GitRepo

repo = GitRepo.open(Path(sys.argv[1]))
operations = [AddBlob(f"f{n}", repo.stage_blob(str(n).encode())) for n in range(int(sys.argv[2]))]
print(repo.commit("main", operations, title="x", author=Author("W", "w@x"), expected_head=repo.head()))
repo.create_branch("theirs", repo.head())
"""
    for count, total in ((2, 3), (40, 42)):  # loose objects, a pack
        command = [sys.executable, "-c", script.replace('"theirs"', f'"theirs-{count}"'), str(repo_path), str(count)]
        done = subprocess.run(command, cwd=request.config.rootpath, capture_output=True, text=True, check=True)
        sha = done.stdout.strip()
        assert repo.resolve_revision("main") == sha
        assert repo.resolve_revision(f"theirs-{count}") == sha
        assert len(repo.tree(sha)) == total
        assert repo.commits(commit(mine=b"%d" % count), limit=1)[0].parents == (sha,)


def test_gc_and_repack_beneath_a_kept_handle_lose_nothing(repo, commit, git):
    shas = [commit(**{f"{step}/{number}": b"%d" % number for number in range(step)}) for step in (2, 30, 3, 40)]
    before = [repo.tree(sha, recursive=True) for sha in shas]
    for command in ("pack-refs --all", "repack -adq", "gc -q --prune=now", "gc -q --aggressive"):
        git(*command.split())
        assert [repo.resolve_revision(sha) for sha in shas] == shas
        tree._folders.clear()
        assert [repo.tree(sha, recursive=True) for sha in shas] == before
        for entry in before[-1]:
            if entry.type == "file":
                assert len(repo.read_blob(entry.oid)) == entry.size
        shas.append(commit(**{command: b"x"}))
        before.append(repo.tree(shas[-1], recursive=True))
    assert git("fsck", "--full", "--strict", "--no-dangling") == ""


def test_a_commit_pruned_away_is_not_found(repo, first, commit, git):
    repo.create_branch("gone", first)
    sha = commit(branch="gone", a=b"a")
    repo.delete_branch("gone")
    git("gc", "-q", "--prune=now")
    with pytest.raises(RevisionNotFound):
        repo.resolve_revision(sha)
    with pytest.raises(RevisionNotFound):
        repo.resolve_revision(sha[:8])


def test_collecting_garbage_joins_packs_and_loses_nothing(repo, repo_path, commit, git, ada):
    git("config", "gc.autoPackLimit", "3")
    for step in range(5):
        commit(**{f"{step}/{number}": b"%d" % number for number in range(20)})
    staged = repo.stage_blob(b"waiting")
    before = repo.tree(repo.head(), recursive=True)
    repo.collect_garbage()
    assert len(list((repo_path / "objects/pack").glob("*.pack"))) == 1
    assert repo.tree(repo.head(), recursive=True) == before
    assert repo.stage_blob(b"waiting") == staged
    commit(DeleteFile("0/0"), waited=b"waiting")
    assert git("fsck", "--full", "--strict", "--no-dangling") == ""


def test_readers_in_many_threads_are_undisturbed_by_writers_and_gc(repo, repo_path, commit, git):
    def read(_: int) -> int:
        mine = GitRepo.open(repo_path)
        head = mine.resolve_revision("main")
        files = [entry for entry in mine.tree(head, recursive=True) if entry.type == "file"]
        return sum(len(mine.read_blob(entry.oid)) - entry.size for entry in files)

    with ThreadPoolExecutor(6) as threads:
        reading = [threads.submit(read, number) for number in range(60)]
        for step in range(6):
            commit(**{f"{step}/{number}": b"%d" % number for number in range(5 + 10 * (step % 2))})
            git("gc", "-q")
        assert [future.result() for future in reading] == [0] * 60


def test_a_push_of_paths_that_leave_the_repo_is_refused(repo, clone, git, first):
    blob = git("hash-object", "-w", "--stdin", cwd=clone, stdin=b"x")
    tree = git("mktree", cwd=clone, stdin=b"100644 blob %s\t.git\n" % blob.encode())
    sha = git("commit-tree", tree, "-m", "evil", cwd=clone)
    with pytest.raises(AssertionError, match="hasDotgit"):
        git("push", "-q", "origin", f"{sha}:refs/heads/evil", cwd=clone)
    assert [ref.name for ref in repo.branches()] == ["main"]
