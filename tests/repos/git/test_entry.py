"""One file or folder at a commit."""

from __future__ import annotations

import pytest

from repos.errors import EntryNotFound
from repos.git import AddPointer, Entry, LfsPointer, pointer_text
from repos.git import repo as repo_module

SHA256 = "ab" * 32


def test_a_file_has_its_blob_and_size(repo, commit, git):
    sha = commit(**{"sub/a.txt": b"hello"})
    entry = repo.entry(sha, "sub/a.txt")
    assert entry == Entry("file", "sub/a.txt", git("rev-parse", "main:sub/a.txt"), 5)
    assert entry.etag == entry.oid


def test_a_folder_has_its_tree_and_no_size(repo, commit, git):
    sha = commit(**{"sub/deep/a.txt": b"hello"})
    assert repo.entry(sha, "sub/deep") == Entry("directory", "sub/deep", git("rev-parse", "main:sub/deep"), 0)
    assert repo.entry(sha, "") == Entry("directory", "", git("rev-parse", "main^{tree}"), 0)


def test_a_pointer_stands_for_its_object(repo, commit, git):
    sha = commit(AddPointer("w/model.bin", SHA256, 5_000_000_000))
    entry = repo.entry(sha, "w/model.bin")
    assert entry.oid == git("rev-parse", "main:w/model.bin")
    assert entry.size == 5_000_000_000
    assert entry.lfs == LfsPointer(SHA256, 5_000_000_000, int(git("cat-file", "-s", "main:w/model.bin")))
    assert entry.etag == SHA256


def test_a_commit_shows_what_it_had_and_not_what_came_later(repo, commit):
    old = commit(**{"a.txt": b"old"})
    new = commit(**{"a.txt": b"newer"})
    assert (repo.entry(old, "a.txt").size, repo.entry(new, "a.txt").size) == (3, 5)


@pytest.mark.parametrize(
    "path",
    [
        "nope",
        "sub/nope",
        "sub/a.txt/b",
        "sub/",
        "/sub",
        "sub//a.txt",
        "./sub",
        "sub/../sub",
        "..",
        "../config",
        "/",
        "sub/a.txt\0",
        "sub\0/a.txt",
        "\0",
        "\ud800",
        "SUB",
        "x" * 100_000,
        "a/" * 5000 + "a",
    ],
    ids=lambda path: ascii(path[:20]),
)
def test_what_is_not_there_is_not_found_and_the_commit_is_named(repo, commit, path):
    sha = commit(**{"sub/a.txt": b"hello"})
    with pytest.raises(EntryNotFound) as caught:
        repo.entry(sha, path)
    assert caught.value.headers == {"X-Repo-Commit": sha}
    assert caught.value.message.isascii()


class TestWhatGitPushed:
    """Trees that the API would not make."""

    @pytest.fixture
    def sha(self, repo, first, git) -> str:
        link = git("hash-object", "-w", "--stdin", stdin=b"../README.md")
        fake = git("hash-object", "-w", "--stdin", stdin=pointer_text(SHA256, 77))
        lines = [
            b"120000 blob %s\tlink" % link.encode(),
            b"120000 blob %s\tpointing-link" % fake.encode(),
            b"160000 commit %s\tmodule" % (b"1" * 40),
            b"100755 blob %s\trun.sh" % link.encode(),
            b"100644 blob %s\tcaf\xe9.txt" % link.encode(),
            b"100644 blob %s\tback\\slash" % link.encode(),
            b"100644 blob %s\tnew\nline" % fake.encode(),
        ]
        tree = git("mktree", "-z", "--missing", stdin=b"\0".join(lines) + b"\0")
        sha = git("commit-tree", tree, "-p", first, "-m", "odd")
        git("update-ref", "refs/heads/main", sha)
        return sha

    def test_a_symbolic_link_is_a_file_with_its_text(self, repo, sha):
        entry = repo.entry(sha, "link")
        assert (entry.type, entry.size, entry.lfs) == ("file", 12, None)
        assert repo.read_blob(entry.oid) == b"../README.md"

    def test_a_symbolic_link_is_no_pointer_whatever_its_text(self, repo, sha):
        assert repo.entry(sha, "pointing-link").lfs is None
        assert repo.entry(sha, "new\nline").lfs == LfsPointer(SHA256, 77, len(pointer_text(SHA256, 77)))

    def test_a_submodule_is_not_there(self, repo, sha):
        for path in ("module", "module/a"):
            with pytest.raises(EntryNotFound):
                repo.entry(sha, path)

    def test_executables_and_odd_names_are_found(self, repo, sha):
        for path in ("run.sh", "back\\slash"):
            assert repo.entry(sha, path).path == path

    def test_a_name_that_is_not_utf8_is_found_as_it_is_shown(self, repo, sha):
        assert repo.entry(sha, "caf\ufffd.txt").size == 12
        assert "caf\ufffd.txt" in [entry.path for entry in repo.tree(sha)]
        with pytest.raises(EntryNotFound):
            repo.entry(sha, "caf\ufffd\ufffd.txt")

    def test_nothing_of_it_stops_a_listing(self, repo, sha, git):
        names = git("ls-tree", "-z", "--name-only", sha).split("\0")[:-1]
        shown = [name.encode("utf-8", "surrogateescape").decode("utf-8", "replace") for name in names]
        shown.remove("module")
        assert [entry.path for entry in repo.tree(sha, recursive=True)] == shown
        paged, after = [], None
        while page := repo.tree(sha, after=after, limit=1):
            paged += [entry.path for entry in page]
            after = page[-1].path
        assert paged == shown

    def test_a_commit_on_top_keeps_it(self, repo, sha, commit, git):
        commit(**{"new.txt": b"new"})
        assert "module" in git("ls-tree", "--name-only", "main")
        assert git("ls-tree", "main", "run.sh").startswith("100755")
        assert git("ls-tree", "main", "link").startswith("120000")


def test_what_is_remembered_is_of_its_commit_and_has_a_limit(repo, commit, monkeypatch):
    monkeypatch.setattr(repo_module, "MAX_ENTRIES", 3)
    commits = [commit(**{"a.txt": b"x" * size}) for size in range(1, 9)]
    for _ in range(2):
        for size, sha in enumerate(commits, start=1):
            assert repo.entry(sha, "a.txt").size == repo.entry(sha, "a.txt").size == size
            assert 1 <= len(repo._entries) <= 3
    with pytest.raises(EntryNotFound):
        repo.entry(commits[0], "b.txt")
    commit(**{"b.txt": b"new"})
    with pytest.raises(EntryNotFound):
        repo.entry(commits[0], "b.txt")
