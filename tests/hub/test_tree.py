"""Trees, page by page.  olu/m has files in folders; lab/toxic-bert is gated."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.actor import Actor
from accounts.models import User
from gatehub.hub import tree
from repos import content
from repos.models import Repo
from tests.support.cast import Api, MakeRepo, add_files

TREE = "/api/models/olu/m/tree"


@pytest.fixture
def repo(olu: User, make_repo: MakeRepo) -> Repo:
    return make_repo(
        "olu/m",
        by=olu,
        files={"a.txt": b"a", "sub/b.txt": b"bb", "sub/deep/c.txt": b"ccc", "ü n/d#?%.txt": b"d", "empty": b""},
        large={"big.bin": b"x" * 1000},
    )


def paths(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.content
    return [entry["path"] for entry in answer.json()]


def all_pages(caller: Api, address: str) -> list[str]:
    seen = []
    while address:
        answer = caller.get(address)
        seen += paths(answer)
        link = answer.get("Link", "")
        assert not link or link.startswith("<http://testserver/api/")
        address = link.partition(">")[0].removeprefix("<http://testserver")
    return seen


def test_a_folder(stranger, repo):
    answer = stranger.get(f"{TREE}/main", {"recursive": "False", "expand": "False"})
    git = content.open_git(repo)
    head = git.head()
    entries = {entry["path"]: entry for entry in answer.json()}
    assert list(entries) == [".gitattributes", "a.txt", "big.bin", "empty", "sub", "ü n"]
    assert entries["a.txt"] == {"type": "file", "oid": git.entry(head, "a.txt").oid, "size": 1, "path": "a.txt"}
    assert entries["sub"] == {"type": "directory", "oid": git.entry(head, "sub").oid, "size": 0, "path": "sub"}
    big = git.entry(head, "big.bin")
    assert entries["big.bin"] == {
        "type": "file",
        "oid": big.oid,
        "size": 1000,
        "path": "big.bin",
        "lfs": {"oid": big.lfs.sha256, "size": 1000, "pointerSize": big.lfs.pointer_size},
    }
    assert "xetHash" not in answer.content.decode()


@pytest.mark.parametrize("spelled", ["true", "True", "1"])
def test_everything_below(spelled, stranger, repo):
    assert paths(stranger.get(f"{TREE}/main", {"recursive": spelled})) == [
        ".gitattributes",
        "a.txt",
        "big.bin",
        "empty",
        "sub",
        "sub/b.txt",
        "sub/deep",
        "sub/deep/c.txt",
        "ü n",
        "ü n/d#?%.txt",
    ]


@pytest.mark.parametrize("path", ["sub%2Fdeep", "sub/deep", "sub/deep/"])
def test_paths_are_those_from_the_root(path, stranger, repo):
    assert paths(stranger.get(f"{TREE}/main/{path}")) == ["sub/deep/c.txt"]


def test_a_revision_with_a_slash_encoded_or_not(stranger, olu, repo):
    content.create_branch(repo, "dev/x", start="main", by=Actor(user=olu))
    add_files(repo, {"sub/new.txt": b"n"}, by=olu)
    for rest in ("dev%2Fx/sub%2Fdeep", "dev/x/sub/deep", "refs%2Fheads%2Fdev%2Fx/sub%2Fdeep"):
        assert paths(stranger.get(f"{TREE}/{rest}")) == ["sub/deep/c.txt"]
    assert "sub/new.txt" not in paths(stranger.get(f"{TREE}/dev%2Fx/sub"))


@pytest.mark.parametrize("path", ["additional_chat_templates", "a.txt", "sub/none", "..", "a%00", "sub//deep"])
def test_what_is_no_folder_is_not_found(path, stranger, repo):
    answer = stranger.get(f"{TREE}/main/{path}")
    assert (answer.status_code, answer["X-Error-Code"]) == (404, "EntryNotFound")
    assert answer["X-Repo-Commit"] == content.open_git(repo).head()


@pytest.mark.parametrize("revision", ["nope", "--help", "main~1", "main@{1}", "refs%2Fpr%2F1", "f" * 40, "%00"])
def test_an_unknown_revision_says_so(revision, stranger, repo):
    answer = stranger.get(f"{TREE}/{revision}")
    assert (answer.status_code, answer["X-Error-Code"]) == (404, "RevisionNotFound")


def test_expand_adds_the_last_commit(stranger, olu, repo):
    sha = add_files(repo, {"a.txt": b"new"}, by=olu)
    entries = {entry["path"]: entry for entry in stranger.get(f"{TREE}/main", {"expand": "true"}).json()}
    last = entries["a.txt"]["lastCommit"]
    assert (last["id"], last["title"], last["date"][-1]) == (sha, "Add files", "Z")
    assert entries["empty"]["lastCommit"]["id"] != sha
    assert entries["a.txt"]["securityFileStatus"] == {
        "status": "unscanned",
        "avScan": None,
        "pickleImportScan": None,
    }


@pytest.mark.parametrize("expand", ["false", "true"])
@pytest.mark.parametrize("recursive", ["false", "true"])
@pytest.mark.parametrize("limit", [1, 2, 3, 1000])
def test_pages_hold_each_entry_once(limit, recursive, expand, stranger, repo, monkeypatch):
    monkeypatch.setattr(tree, "EXPANDED_PAGE", limit)
    monkeypatch.setattr(tree, "PAGE", limit)
    address = f"{TREE}/main?recursive={recursive}&expand={expand}"
    git = content.open_git(repo)
    everything = git.tree(git.head(), recursive=recursive == "true")
    assert all_pages(stranger, address) == [entry.path for entry in everything]


def test_pages_of_a_folder_with_an_odd_name(stranger, repo, olu):
    add_files(repo, {f"ü n/{number}": b"" for number in range(3)}, by=olu)
    assert len(all_pages(stranger, f"{TREE}/main/%C3%BC%20n?recursive=false&limit=2")) == 4


def test_a_listing_stays_at_its_commit(stranger, repo, olu):
    answer = stranger.get(f"{TREE}/main?recursive=true&limit=3")
    add_files(repo, {"b-new.txt": b"n"}, by=olu)
    rest = all_pages(stranger, answer["Link"].partition(">")[0].removeprefix("<http://testserver"))
    assert rest[0] == "empty"
    assert "b-new.txt" not in rest


@pytest.mark.parametrize("cursor", ["x", "W10", "WzFd", "WyJvdGhlci94Il0", "WyJzdWJcdTAwMDAiXQ", "WyJcdWQ4MDAiXQ"])
def test_a_cursor_from_elsewhere_is_refused_or_harmless(cursor, stranger, repo):
    answer = stranger.get(f"{TREE}/main/sub", {"cursor": cursor})
    assert answer.status_code == 400
    assert "cursor" in answer.json()["error"]


def test_a_tree_costs_few_queries(api, olu, repo, django_assert_num_queries):
    caller = api(olu)
    caller.get(f"{TREE}/main")
    with django_assert_num_queries(3):  # The token, the repo, whether its files may be read.
        caller.get(f"{TREE}/main", {"recursive": "true"})


def test_a_hidden_tree_is_like_a_missing_one(stranger, api, ada, lab, sam, make_repo):
    make_repo("lab/secret", by=ada, private=True)
    for caller in (stranger, api(sam)):
        for revision in ("main", "nope"):
            hidden = caller.get(f"/api/models/lab/secret/tree/{revision}")
            missing = caller.get(f"/api/models/lab/absent/tree/{revision}")
            assert hidden["X-Error-Code"] == "RepoNotFound"
            assert (hidden.status_code, hidden.content) == (missing.status_code, missing.content)
