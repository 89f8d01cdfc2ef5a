"""Splitting `REVISION/PATH`.  Branches main and dev/x, tags v1, rel/2024/01 and main/tagged."""

from __future__ import annotations

import pytest

SHA = "5a" * 20


@pytest.fixture
def names(repo, first, ada):
    repo.create_branch("dev/x", first)
    for tag in ("v1", "rel/2024/01", "main/tagged"):
        repo.create_tag(tag, first, None, ada)


CASES = {
    "main": ("main", ""),
    "main/": ("main", ""),
    "main/a.txt": ("main", "a.txt"),
    "main/sub/a.txt": ("main", "sub/a.txt"),
    "main//a": ("main", "/a"),
    "main/tagged": ("main/tagged", ""),
    "main/tagged/a.txt": ("main/tagged", "a.txt"),
    "main/taggedx/a.txt": ("main", "taggedx/a.txt"),
    "dev/x": ("dev/x", ""),
    "dev/x/sub/a.txt": ("dev/x", "sub/a.txt"),
    "dev/xy/a.txt": ("dev", "xy/a.txt"),
    "dev": ("dev", ""),
    "v1/dev/x": ("v1", "dev/x"),
    "rel/2024/01/a/b": ("rel/2024/01", "a/b"),
    "rel/2024/a/b": ("rel", "2024/a/b"),
    "nope/a/b": ("nope", "a/b"),
    f"{SHA}/dev/x": (SHA, "dev/x"),
    f"{SHA[:8]}/a": (SHA[:8], "a"),
    "refs/heads/main/a.txt": ("refs/heads/main", "a.txt"),
    "refs/heads/dev/x/sub/a.txt": ("refs/heads/dev/x", "sub/a.txt"),
    "refs/heads/nope/a": ("refs/heads/nope", "a"),
    "refs/tags/v1/a": ("refs/tags/v1", "a"),
    "refs/tags/main/tagged/a": ("refs/tags/main/tagged", "a"),
    "refs/pr/1": ("refs/pr/1", ""),
    "refs/pr/1/sub/a.txt": ("refs/pr/1", "sub/a.txt"),
    "refs/convert/parquet/a/b": ("refs/convert/parquet", "a/b"),
    "refs/a/b": ("refs", "a/b"),
    "": ("", ""),
    "/": ("", ""),
    "/main/a": ("", "main/a"),
    "../main/a": ("..", "main/a"),
    "../../x": ("..", "../x"),
    "main\0/a": ("main\0", "a"),
    "dev/x\0/a": ("dev", "x\0/a"),
    "dev/x/\0": ("dev/x", "\0"),
    "dev/x/a\n.txt": ("dev/x", "a\n.txt"),
    "\ud800/a": ("\ud800", "a"),
}


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize(("rest", "parts"), CASES.items(), ids=ascii)
def test_the_longest_known_name_is_the_revision(repo, names, git, rest, parts, packed):
    if packed:
        git("pack-refs", "--all")
    assert repo.split(rest) == parts


def test_a_name_is_known_as_soon_as_it_is_made_and_no_longer(repo, first, git):
    assert repo.split("a/b/c") == ("a", "b/c")
    git("update-ref", "refs/heads/a/b", first)
    assert repo.split("a/b/c") == ("a/b", "c")
    git("pack-refs", "--all")
    assert repo.split("a/b/c") == ("a/b", "c")
    git("update-ref", "-d", "refs/heads/a/b")
    assert repo.split("a/b/c") == ("a", "b/c")


def test_very_long_paths_are_split_as_others(repo, names):
    path = "/".join(["a"] * 5000)
    assert repo.split(f"dev/x/{path}") == ("dev/x", path)
    assert repo.split(f"dev/{path}") == ("dev", path)
