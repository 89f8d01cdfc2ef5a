"""What a commit changed: files, and lines of texts."""

from __future__ import annotations

import time

from repos.git import AddBlob, AddPointer, DeleteFile, diffs


def told(repo, sha):
    return [(change.kind, change.path) for change in repo.changes_of(sha).files]


def test_added_changed_deleted_and_renamed(repo, commit):
    commit(**{"a.txt": b"a\n", "b.txt": b"b\n", "gone.txt": b"x\n", "old.txt": b"moved\n"})
    sha = commit(
        AddBlob("new.txt", repo.stage_blob(b"moved\n")), DeleteFile("old.txt"), DeleteFile("gone.txt"),
        **{"a.txt": b"a\nmore\n", "sub/c.txt": b"c\n"},
    )  # fmt: skip
    assert told(repo, sha) == [
        ("changed", "a.txt"), ("deleted", "gone.txt"), ("renamed", "new.txt"), ("added", "sub/c.txt"),
    ]  # fmt: skip
    renamed = repo.changes_of(sha).files[2]
    assert (renamed.old_path, renamed.lines) == ("old.txt", None)


def test_the_first_commit_added_everything(repo, first):
    assert told(repo, first) == [("added", ".gitattributes")]


def test_lines_have_their_numbers_before_and_after(repo, commit):
    before = b"".join(b"line %d\n" % number for number in range(1, 41))
    commit(**{"a.txt": before})
    after = before.replace(b"line 3\n", b"line three\n").replace(b"line 30\n", b"")
    change = repo.changes_of(commit(**{"a.txt": after})).files[0]
    assert (change.added, change.removed) == (1, 2)
    changed = [(line.sign, line.before, line.after, line.text) for line in change.lines if line.sign != " "]
    assert changed == [
        ("-", 3, 0, "line 3"), ("+", 0, 3, "line three"), ("…", 0, 0, ""), ("-", 30, 0, "line 30"),
    ]  # fmt: skip
    assert (change.before.size, change.after.size) == (len(before), len(after))


def test_what_is_no_short_text_has_no_lines(repo, commit, monkeypatch):
    pointer = AddPointer("big.bin", "a" * 64, 12_345)
    sha = commit(pointer, **{"zero.dat": b"a\0b", "long.txt": b"x\n" * diffs.MAX_BLOB, "latin.txt": b"caf\xe9\r\n"})
    changes = {change.path: change for change in repo.changes_of(sha).files}
    assert changes["big.bin"].lines is None
    assert changes["big.bin"].after.lfs.size == 12_345
    assert changes["zero.dat"].lines is None
    assert changes["long.txt"].lines is None
    assert [line.text for line in changes["latin.txt"].lines] == ["caf\ufffd"]


def test_an_empty_file_and_a_commit_without_changes(repo, commit):
    assert repo.changes_of(commit(**{"empty.txt": b""})).files[0].lines == ()
    assert repo.changes_of(commit()).total == 0


def test_a_merge_is_compared_with_the_branch_it_went_to(repo, first, commit, git):
    left = commit(l=b"l")
    blob = git("hash-object", "-w", "--stdin", stdin=b"r")
    tree = git("mktree", stdin=f"100644 blob {blob}\tr\n".encode())
    merge = git("commit-tree", tree, "-p", left, "-p", first, "-m", "merge")
    assert told(repo, merge) == [("deleted", ".gitattributes"), ("deleted", "l"), ("added", "r")]


def test_a_great_many_files_and_lines_are_bounded(repo, commit):
    started = time.monotonic()
    files = {f"{number:05}.txt": b"x\n" * 10 for number in range(3_000)}
    changes = repo.changes_of(commit(**files))
    assert changes.total == 3_000
    assert len(changes.files) == 200
    assert sum(len(change.lines or ()) for change in changes.files) == diffs.MAX_LINES
    sha = commit(**{"a.txt": b"x" * diffs.MAX_BLOB})
    assert len(repo.changes_of(sha).files[0].lines[0].text) == diffs.MAX_LINE
    assert time.monotonic() - started < 20


def test_submodules_and_names_that_are_not_utf_8(repo, first, git):
    blob = git("hash-object", "-w", "--stdin", stdin=b"x\n")
    entries = f"100644 blob {blob}\t".encode() + b"caf\xe9.txt\n" + f"160000 commit {first}\tsub\n".encode()
    tree = git("mktree", stdin=entries)
    sha = git("commit-tree", tree, "-m", "first")
    assert told(repo, sha) == [("added", "caf\ufffd.txt"), ("added", "sub")]
    assert repo.changes_of(sha).files[1].after is None


def test_the_history_of_a_path(repo, commit, git):
    commit(title="a", **{"a.txt": b"1", "sub/x.txt": b"1"})
    commit(title="b", **{"b.txt": b"1"})
    commit(title="a again", **{"a.txt": b"2"})
    commit(DeleteFile("a.txt"), title="a gone", **{"sub/y.txt": b"1"})
    head = repo.head()

    def titles(path, **kwargs):
        return [info.title for info in repo.commits_of(head, path, **kwargs)]

    assert titles("a.txt") == ["a gone", "a again", "a"]
    assert titles("a.txt", skip=1, limit=1) == ["a again"]
    assert titles("a.txt", budget=2) == ["a gone", "a again"]
    assert titles("sub") == ["a gone", "a"]
    assert titles("never.txt") == []
    assert [info.oid for info in repo.commits_of(head, "sub")] == git("log", "--format=%H", "--", "sub").split()
