"""Committing: what the operations do to the tree."""

from __future__ import annotations

import os
import random

import pytest

from accounts.errors import BadRequest
from repos.errors import ConcurrentCommit, EntryNotFound, InvalidPath, RevisionNotFound
from repos.git import AddBlob, AddPointer, DeleteFile, DeleteFolder, pointer_text

SHA256 = "ab" * 32


def paths(git, revision: str = "main") -> list[str]:
    return git("ls-tree", "-r", "-z", "--name-only", revision).split("\0")[:-1]


@pytest.fixture
def add(repo):
    def operation(path: str, data: bytes = b"x", executable: bool | None = None) -> AddBlob:
        return AddBlob(path, repo.stage_blob(data), executable)

    return operation


@pytest.fixture
def files(commit) -> str:
    """a.txt, sub/b.txt, sub/c.txt and sub/deep/d.txt on main."""
    return commit(**{"a.txt": b"a", "sub/b.txt": b"b", "sub/c.txt": b"c", "sub/deep/d.txt": b"d"})


class TestCommit:
    def test_it_stands_on_the_old_head_and_is_the_new_one(self, repo, first, ada, add, git):
        sha = repo.commit("main", [add("a")], title="Add a", description="Why", author=ada, expected_head=first)
        assert repo.head() == sha
        assert git("log", "-1", "--format=%H|%P|%an|%ae|%cn|%B") == (
            f"{sha}|{first}|Ada Lovelace|ada@example.org|Ada Lovelace|Add a\n\nWhy"
        )

    def test_git_finds_nothing_wrong(self, repo, commit, files, git):
        commit(DeleteFolder("sub/deep"), AddPointer("w/m.bin", SHA256, 9), **{"sub/n": b"n"})
        assert git("fsck", "--full", "--strict", "--no-dangling") == ""

    def test_other_branches_stay_where_they_are(self, repo, first, commit):
        repo.create_branch("dev/x", first)
        sha = commit(branch="dev/x", a=b"a")
        assert (repo.head("dev/x"), repo.head()) == (sha, first)

    def test_nothing_changed_is_a_commit_too(self, repo, first, commit):
        sha = commit()
        assert sha != first
        assert repo.entry(sha, "").oid == repo.entry(first, "").oid

    def test_a_title_is_needed(self, repo, first, ada):
        for title in ("", " ", "\n", "\0"):
            with pytest.raises(BadRequest, match="title"):
                repo.commit("main", [], title=title, author=ada, expected_head=first)
        assert repo.head() == first

    def test_what_git_cannot_hold_in_a_message_is_left_out(self, repo, first, ada, git):
        repo.commit("main", [], title="a\0b \ud800", description="c\0", author=ada, expected_head=first)
        assert git("log", "-1", "--format=%B") == "ab ?\n\nc"

    def test_an_unknown_branch_is_not_found(self, repo, first, ada):
        for branch in ("nope", "", "main\0", "..", "refs/tags/v1", first):
            with pytest.raises(RevisionNotFound):
                repo.commit(branch, [], title="x", author=ada, expected_head=first)

    def test_a_head_that_has_moved_on_is_told(self, repo, first, commit, ada, add):
        second = commit(a=b"a")
        with pytest.raises(ConcurrentCommit):
            repo.commit("main", [add("b")], title="x", author=ada, expected_head=first)
        assert repo.head() == second


class TestAdding:
    def test_files_appear_with_their_bytes(self, repo, commit, git):
        data = {"a.txt": b"hello", "x/y/z.bin": os.urandom(100_000), "empty": b"", "ü/ñ 文.txt": b"\0"}
        sha = commit(**data)
        for path, content in data.items():
            assert repo.read_blob(repo.entry(sha, path).oid) == content
        assert set(paths(git)) == {*data, ".gitattributes"}

    def test_a_file_replaces_another_and_keeps_its_mode(self, repo, commit, add, git):
        commit(add("run.sh", b"1", executable=True), add("a", b"1"))
        commit(add("run.sh", b"2"), add("a", b"2"))
        assert git("ls-tree", "main", "run.sh").startswith("100755")
        assert git("ls-tree", "main", "a").startswith("100644")
        commit(add("run.sh", b"3", executable=False))
        assert git("ls-tree", "main", "run.sh").startswith("100644")

    def test_a_pointer_is_a_file_that_git_lfs_understands(self, repo, commit, git):
        commit(AddPointer("w/m.bin", SHA256, 5_000_000_000))
        assert git("show", "main:w/m.bin") + "\n" == pointer_text(SHA256, 5_000_000_000).decode()

    @pytest.mark.parametrize(("sha256", "size"), [("abc", 1), (SHA256.upper(), 1), (SHA256, -1), ("", 0)])
    def test_a_pointer_to_nothing_possible_is_refused(self, repo, first, commit, sha256, size):
        with pytest.raises(BadRequest, match=r"'w/m\.bin'"):
            commit(AddPointer("w/m.bin", sha256, size))
        assert repo.head() == first

    def test_the_last_of_several_for_one_path_wins(self, repo, commit, add, git):
        commit(add("a", b"1"), add("a", b"2"), add("b", b"1"), DeleteFile("b"), DeleteFile(".gitattributes"),
               add(".gitattributes", b"new"))  # fmt: skip
        assert paths(git) == [".gitattributes", "a"]
        assert git("show", "main:a") == "2"
        assert git("show", "main:.gitattributes") == "new"

    def test_a_thousand_files_at_once_come_in_one_pack(self, repo, commit, git):
        data = {f"d{number % 7}/f{number}.txt": b"%d" % number for number in range(1000)}
        sha = commit(**data)
        assert {entry.path for entry in repo.tree(sha, recursive=True) if entry.type == "file"} >= set(data)
        assert "packs: 1" in git("count-objects", "-v")
        assert git("fsck", "--full", "--strict", "--no-dangling") == ""
        assert git("show", f"{sha}:d3/f3.txt") == "3"

    def test_a_blob_that_is_in_the_repo_needs_no_staging(self, repo, commit, files):
        oid = repo.entry(files, "a.txt").oid
        sha = commit(AddBlob("copy.txt", oid))
        assert repo.entry(sha, "copy.txt").oid == oid

    @pytest.mark.parametrize("oid", ["0" * 40, "", "abc", "x" * 40, "a" * 41, "0" * 39 + "\0"], ids=ascii)
    def test_a_blob_that_is_nowhere_is_refused(self, repo, files, commit, oid):
        with pytest.raises(BadRequest, match=r"'b\.txt'"):
            commit(AddBlob("b.txt", oid))
        assert repo.head() == files

    def test_a_commit_or_tree_is_no_file(self, repo, files, commit):
        for oid in (files, repo.entry(files, "sub").oid):
            with pytest.raises(BadRequest, match="not stored"):
                commit(AddBlob("b.txt", oid))

    @pytest.mark.parametrize("path", ["", "/a", "a/", "../a", "a/../b", ".git/config", "a\0b", "a\\b", "a//b"])
    def test_a_bad_path_is_refused_whatever_is_done_to_it(self, repo, files, commit, add, path):
        for operation in (add(path), AddPointer(path, SHA256, 1), DeleteFile(path)):
            with pytest.raises(InvalidPath):
                commit(add("good"), operation)
        assert repo.head() == files

    @pytest.mark.parametrize("path", ["", "/", "/a", "../a/", "a//", ".git/", "a\0/"])
    def test_a_bad_folder_is_refused(self, repo, files, commit, path):
        with pytest.raises(InvalidPath):
            commit(DeleteFolder(path))
        assert repo.head() == files


class TestDeleting:
    def test_a_file_goes_and_empty_folders_with_it(self, commit, files, git):
        commit(DeleteFile("sub/deep/d.txt"), DeleteFile("a.txt"))
        assert git("ls-tree", "-r", "-t", "--name-only", "main").split() == [
            ".gitattributes", "sub", "sub/b.txt", "sub/c.txt",
        ]  # fmt: skip

    @pytest.mark.parametrize("folder", ["sub", "sub/"])
    def test_a_folder_goes_with_all_that_is_in_it(self, commit, files, git, folder):
        commit(DeleteFolder(folder))
        assert paths(git) == [".gitattributes", "a.txt"]

    def test_everything_may_go(self, repo, commit, git):
        sha = commit(DeleteFile(".gitattributes"))
        assert paths(git) == []
        assert repo.tree(sha, recursive=True) == []
        commit(again=b"a")
        assert paths(git) == ["again"]

    @pytest.mark.parametrize("path", ["nope", "sub/nope", "nope/nope", "sub", "a.txt/x", "SUB/b.txt"])
    def test_a_file_that_is_not_there_is_told(self, repo, commit, files, path):
        with pytest.raises(EntryNotFound, match=f"A file with this name doesn't exist: {path}"):
            commit(DeleteFile(path))
        assert repo.head() == files

    @pytest.mark.parametrize("path", ["nope", "sub/nope", "a.txt", "sub/b.txt"])
    def test_a_folder_that_is_not_there_is_told(self, repo, commit, files, path):
        with pytest.raises(EntryNotFound, match=f"A folder with this name doesn't exist: {path}"):
            commit(DeleteFolder(path + "/"))
        assert repo.head() == files

    def test_to_delete_twice_is_to_delete_once(self, commit, files, git):
        commit(DeleteFile("sub/b.txt"), DeleteFile("sub/b.txt"), DeleteFolder("sub"), DeleteFile("sub/c.txt"),
               DeleteFolder("sub/deep/"))  # fmt: skip
        assert paths(git) == [".gitattributes", "a.txt"]

    def test_what_the_same_commit_adds_can_be_deleted_again(self, commit, files, add, git):
        commit(add("new/x"), DeleteFolder("new"), add("sub/y"), DeleteFile("sub/y"))
        assert paths(git) == [".gitattributes", "a.txt", "sub/b.txt", "sub/c.txt", "sub/deep/d.txt"]


class TestFilesAgainstFolders:
    @pytest.mark.parametrize(
        ("path", "named"), [("a.txt/x", "a.txt"), ("a.txt/x/y", "a.txt"), ("sub/b.txt/x", "sub/b.txt")]
    )
    def test_nothing_is_added_below_a_file(self, repo, commit, files, add, path, named):
        with pytest.raises(BadRequest, match=f"'{named}' is a file"):
            commit(add(path))
        with pytest.raises(BadRequest, match="'n' is a file"):
            commit(add("n"), add("n/x"))
        assert repo.head() == files

    @pytest.mark.parametrize("path", ["sub", "sub/deep"])
    def test_a_folder_is_not_overwritten_by_a_file(self, repo, commit, files, add, path):
        with pytest.raises(BadRequest, match=f"'{path}' cannot be added: it is a folder"):
            commit(add(path))
        assert repo.head() == files

    def test_either_takes_the_others_place_once_that_is_deleted(self, commit, files, add, git):
        commit(DeleteFile("a.txt"), add("a.txt/x"), DeleteFolder("sub/deep"), add("sub/deep"))
        assert paths(git) == [".gitattributes", "a.txt/x", "sub/b.txt", "sub/c.txt", "sub/deep"]
        commit(DeleteFile("a.txt/x"), add("a.txt"), DeleteFile("sub/deep"), add("sub/deep/d"))
        assert paths(git) == [".gitattributes", "a.txt", "sub/b.txt", "sub/c.txt", "sub/deep/d"]

    def test_a_folder_deleted_and_filled_anew_holds_only_what_is_new(self, commit, files, add, git):
        commit(DeleteFolder("sub"), add("sub/new"))
        assert paths(git) == [".gitattributes", "a.txt", "sub/new"]


def test_a_file_in_a_large_repo_costs_only_the_folders_on_its_way(repo, first, commit, git):
    script = b"commit refs/heads/main\ncommitter b <b@c> 1700000000 +0000\ndata 1\nx\nfrom %s\n" % first.encode()
    script += b"".join(b"M 100644 inline d%d/f%d\ndata 1\nx\n" % (number % 100, number) for number in range(5000))
    git("fast-import", "--quiet", stdin=script)
    before = len(git("cat-file", "--batch-check", "--batch-all-objects").splitlines())
    commit(**{"d5/sub/new": b"new"})
    after = len(git("cat-file", "--batch-check", "--batch-all-objects").splitlines())
    assert after - before == 5  # blob, three trees, commit
    assert len(paths(git)) == 5002


@pytest.mark.parametrize("seed", range(5))
def test_any_series_of_operations_gives_what_a_dictionary_would(repo, commit, git, seed):
    chance = random.Random(seed)  # noqa: S311 (not for secrets)
    names = ["a", "b", "d/a", "d/b", "d/e/a", "d/e/b", "f/a"]
    model = {".gitattributes": "*.bin filter=lfs -text"}
    for _ in range(10):
        operations = []
        for _ in range(chance.randint(1, 6)):
            present = [name for name in names if name in model]
            if present and chance.random() < 0.3:
                operations.append(DeleteFile(name := chance.choice(present)))
                del model[name]
            elif present and chance.random() < 0.2:
                folder = chance.choice(["d", "d/e", "f"])
                if any(name.startswith(folder + "/") for name in model):
                    operations.append(DeleteFolder(folder))
                    model = {name: text for name, text in model.items() if not name.startswith(folder + "/")}
            else:
                name, text = chance.choice(names), str(chance.random())
                operations.append(AddBlob(name, repo.stage_blob(text.encode())))
                model[name] = text
        commit(*operations)
        assert {path: git("show", f"main:{path}") for path in paths(git)} == model
