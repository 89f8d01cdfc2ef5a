"""Listing folders."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.errors import BadRequest
from repos.errors import EntryNotFound
from repos.git import AddPointer, GitRepo
from repos.git import tree as tree_module

NAMES = ["a", "a.b", "a-b", "a/x", "a/y/z", "a0", "ab/c", "b", "B", "é", "z/1", "z/10", "z/2", "z!", "0"]


@pytest.fixture
def files(repo, commit) -> str:
    """Names that sort differently as files and as folders."""
    tree = [name for name in NAMES if name not in ("a",)]
    return commit(AddPointer("w/model.bin", "ab" * 32, 10**12), **{name: name.encode() for name in tree})


def listed_by_git(git, *arguments: str) -> list[tuple[str, str, str]]:
    """type, oid, path as `git ls-tree` gives them."""
    lines = git("ls-tree", "-z", *arguments).split("\0")[:-1]
    return [(*line.split("\t")[0].split()[1:3], line.split("\t")[1]) for line in lines]


def as_git(entries) -> list[tuple[str, str, str]]:
    return [("tree" if entry.type == "directory" else "blob", entry.oid, entry.path) for entry in entries]


def pages(repo: GitRepo, commit: str, path: str = "", *, recursive: bool, limit: int) -> list:
    found, after = [], None
    while page := repo.tree(commit, path, recursive=recursive, after=after, limit=limit):
        assert len(page) <= limit
        found += page
        after = page[-1].path
    return found


def test_a_folder_is_listed_as_git_lists_it(repo, files, git):
    assert as_git(repo.tree(files)) == listed_by_git(git, files)
    assert as_git(repo.tree(files, "z")) == listed_by_git(git, files, "z/")


def test_recursively_folders_come_before_what_is_in_them(repo, files, git):
    assert as_git(repo.tree(files, recursive=True)) == listed_by_git(git, "-r", "-t", files)
    assert as_git(repo.tree(files, "a", recursive=True)) == listed_by_git(git, "-r", "-t", files, "a/")[1:]


def test_sizes_are_those_of_a_download(repo, files, git):
    sizes = {entry.path: entry.size for entry in repo.tree(files, recursive=True)}
    assert sizes.pop("w/model.bin") == 10**12
    for line in git("ls-tree", "-r", "-l", "-z", files).split("\0")[:-1]:
        path, size = line.split("\t")[1], line.split("\t")[0].split()[3]
        assert path == "w/model.bin" or sizes[path] == int(size)
    assert sizes["a"] == 0


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 100])
@pytest.mark.parametrize("recursive", [True, False])
@pytest.mark.parametrize("path", ["", "a", "z"])
def test_pages_of_any_size_give_the_whole(repo, files, path, recursive, limit):
    whole = repo.tree(files, path, recursive=recursive)
    assert pages(repo, files, path, recursive=recursive, limit=limit) == whole


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150, deadline=None)
@given(after=st.text(st.sampled_from("az0/.-bé!"), max_size=6), recursive=st.booleans())
def test_a_cursor_that_is_no_entry_goes_on_where_it_would_be(repo, files, after, recursive):
    """It ends, repeats nothing, and comes behind what is sorted before it."""
    whole = repo.tree(files, recursive=recursive)
    found = repo.tree(files, recursive=recursive, after=after)
    assert found == whole[len(whole) - len(found) :]


def test_a_cursor_of_another_folder_is_refused(repo, files):
    with pytest.raises(BadRequest, match="cursor"):
        repo.tree(files, "a", after="z/1")


@pytest.mark.parametrize("path", ["nope", "a/nope", "b", "w/model.bin", "a/", "/", "..", "a\0"])
def test_what_is_no_folder_is_not_found(repo, files, path):
    with pytest.raises(EntryNotFound) as caught:
        repo.tree(files, path)
    assert caught.value.headers == {"X-Repo-Commit": files}


def test_the_same_folder_at_two_places_shows_its_own_paths(repo, commit):
    sha = commit(**{"x/same/f.txt": b"1", "y/same/f.txt": b"1"})
    assert [entry.path for entry in repo.tree(sha, "x/same")] == ["x/same/f.txt"]
    assert [entry.path for entry in repo.tree(sha, "y/same")] == ["y/same/f.txt"]


def test_listing_in_many_threads_gives_each_the_whole(repo, files):
    whole = repo.tree(files, recursive=True)
    tree_module._folders.clear()
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda _: pages(repo, files, recursive=True, limit=3), range(40)))
    assert all(listing == whole for listing in found)


def test_what_is_remembered_is_bounded(repo, files, monkeypatch):
    folders = tree_module._Folders()
    monkeypatch.setattr(tree_module, "_folders", folders)
    monkeypatch.setattr(tree_module, "_MAX_ROWS", 20)
    whole = repo.tree(files, recursive=True)
    assert repo.tree(files, recursive=True) == whole
    assert sum(map(len, folders._rows.values())) <= 20


def test_a_tree_deeper_than_recursion_reaches_is_listed(repo, first, git):
    blob = git("hash-object", "-w", "--stdin", stdin=b"x")
    with repo._handles.take() as handle:
        tree = handle.TreeBuilder()
        tree.insert("f", blob, 0o100644)
        oid = tree.write()
        for _ in range(3000):
            tree = handle.TreeBuilder()
            tree.insert("d", oid, 0o040000)
            oid = tree.write()
    sha = git("commit-tree", str(oid), "-p", first, "-m", "deep")
    entries = repo.tree(sha, recursive=True)
    assert len(entries) == 3001
    assert entries[-1].path == "d/" * 3000 + "f"
    assert repo.tree(sha, recursive=True, after=entries[2000].path) == entries[2001:]


def test_ten_thousand_files_page_in_linear_time(repo, commit, git, first):
    """Counted, not timed: a page looks at no more rows than it shows, save for finding its start by halving."""
    script = b"commit refs/heads/main\ncommitter b <b@c> 1700000000 +0000\ndata 1\nx\nfrom %s\n" % first.encode()
    script += b"".join(b"M 100644 inline f%05d\ndata 1\nx\n" % number for number in range(10_000))
    git("fast-import", "--quiet", stdin=script)
    sha = repo.head()
    looked = 0
    original = tree_module._sort_key

    def counting(item):
        nonlocal looked
        looked += 1
        return original(item)

    tree_module._sort_key = counting
    try:
        found = pages(repo, sha, recursive=True, limit=100)
    finally:
        tree_module._sort_key = original
    assert len(found) == 10_001
    assert looked < 101 * 40
