"""Which paths a file in a repo may have."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repos.errors import InvalidPath
from repos.git import clean_path

GOOD = [
    "a",
    "config.json",
    "a/b/c.txt",
    ".gitattributes",
    ".github/workflows/x.yml",
    "…/naïve 文件.txt",
    "e\u0301.txt",  # decomposed: kept as it is
    "-rf",
    "a b",
    "..a",
    "a..",
    "...",
    "git~2",
    ".gitx",
    "x.git",
    "a" * 255,
    "/".join(["a"] * 200),
]

BAD = {
    "": "empty",
    "/a": "starts with a slash",
    "a/": "ends with a slash",
    "a//b": "two slashes",
    ".": "not a name",
    "..": "not a name",
    "a/../b": "not a name",
    "a/./b": "not a name",
    "a/..": "not a name",
    ".git": "git's own",
    ".GIT/config": "git's own",
    "a/.gIt/hooks/x": "git's own",
    ".git.": "git's own",
    ".git ": "git's own",
    ".git. . ": "git's own",
    ".git::$INDEX_ALLOCATION/config": "git's own",
    "git~1": "git's own",
    "GIT~1/x": "git's own",
    ".g\u200cit": "git's own",
    "\ufeff.git": "git's own",
    "a\0b": "control",
    "a\nb": "control",
    "a\x7f": "control",
    "a\x85": "control",
    "a\\b": "control",
    "\ud800": "control",
    "a" * 256: "longer than 255",
    "é" * 128: "longer than 255",
    "a/" * 2048 + "a": "longer than 4096",
    "/".join(["a"] * 201): "folders deep",
}


@pytest.mark.parametrize("path", GOOD)
def test_a_good_path_is_kept_letter_for_letter(path):
    assert clean_path(path) == path


@pytest.mark.parametrize(("path", "problem"), BAD.items(), ids=ascii)
def test_a_bad_path_is_refused_with_the_reason(path, problem):
    with pytest.raises(InvalidPath, match=problem) as caught:
        clean_path(path)
    assert caught.value.message.isascii()
    assert caught.value.message.isprintable()


@given(st.text(alphabet=st.sampled_from("./\\gitGIT~1 :a\0\u200c"), max_size=12))
def test_what_is_let_through_stays_inside_the_repo(path):
    try:
        clean_path(path)
    except InvalidPath:
        return
    for segment in path.split("/"):
        assert segment not in ("", ".", "..")
        assert segment.replace("\u200c", "").lower().rstrip(". ") not in (".git", "git~1")
