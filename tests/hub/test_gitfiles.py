"""Patterns of `.gitattributes` and `.gitignore`: git itself says what is right."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatehub.hub.gitfiles import Attributes, Ignored
from repos.content import GITATTRIBUTES

PATHS = [
    "a",
    "a.bin",
    "b.txt",
    "sub/a",
    "sub/a.bin",
    "sub/deep/a.bin",
    "sub/deep/er/b.txt",
    "other/sub/a.bin",
    "saved_model/x/y",
    "saved_model/x",
    "a b.bin",
    "x-tfevents-1",
    "ab]c",
    "[a].bin",
    "a*b",
    "#a",
    "!a",
    "keep.log",
    "sub/keep.log",
    "-",
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("git")
    subprocess.run(["git", "init", "--quiet", str(folder)], check=True)
    return folder


def _git(folder: Path, *args: str) -> list[str]:
    asked = "".join(f"{path}\0" for path in PATHS)
    done = subprocess.run(["git", *args], cwd=folder, input=asked, capture_output=True, text=True, check=False)
    return done.stdout.split("\0")


def _lfs_in_git(folder: Path, attributes: str) -> set[str]:
    (folder / ".gitattributes").write_text(attributes)
    answer = _git(folder, "check-attr", "--stdin", "-z", "filter")
    (folder / ".gitattributes").unlink()
    return {path for path, value in zip(answer[::3], answer[2::3], strict=False) if value == "lfs"}


def _ignored_by_git(folder: Path, text: str) -> set[str]:
    (folder / ".gitignore").write_text(text)
    answer = _git(folder, "check-ignore", "--no-index", "--stdin", "-z")
    (folder / ".gitignore").unlink()
    return {path for path in answer if path}


def _lfs_here(attributes: str) -> set[str]:
    here = Attributes({"": attributes})
    return {path for path in PATHS if here.is_lfs(path)}


def _ignored_here(text: str) -> set[str]:
    here = Ignored(text)
    return {path for path in PATHS if here(path)}


PATTERNS = [
    "*",
    "**",
    "*.bin",
    "/*.bin",
    "sub",
    "sub/",
    "/sub/*.bin",
    "sub/**",
    "sub/**/*.bin",
    "**/a.bin",
    "**/sub/a.bin",
    "saved_model/**/*",
    "*tfevents*",
    "a[[:space:]]b.bin",
    "[ab].bin",
    "[!b].bin",
    "[^b].bin",
    "[a-c].*",
    "[z-a]",
    "[a-?]",
    "[!a-?].bin",
    "[b-a-z].txt",
    "[]x]",
    "ab[]]c",
    "[[]a[]].bin",
    "a\\*b",
    "\\#a",
    "\\!a",
    "?.bin",
    "deep",
    "deep/",
    "sub/deep",
    "[a",
    "a\\",
    "*a*b*",
    "[a-]",
    "-",
]


@pytest.mark.parametrize("pattern", PATTERNS)
def test_one_pattern_names_what_it_names_in_git(folder, pattern):
    attributes = f"{pattern} filter=lfs diff=lfs merge=lfs -text\n"
    assert _lfs_here(attributes) == _lfs_in_git(folder, attributes)
    assert _ignored_here(f"{pattern}\n") == _ignored_by_git(folder, f"{pattern}\n")


@pytest.mark.parametrize(
    "attributes",
    [
        GITATTRIBUTES,
        "*.bin filter=lfs\nsub/*.bin -filter\n",
        "*.bin filter=lfs\na.bin !filter\n",
        "*.bin filter=lfs\n*.bin filter=other\n*.bin -text\n",
        "# *.bin filter=lfs\n  *.txt   filter=lfs\n\n*.bin\n",
        '"a b.bin" filter=lfs\n',
        "*.bin text filter=lfs\r\n",
        "!*.bin filter=lfs\nsub/ filter=lfs\n",
    ],
)
def test_rules_of_attributes(folder, attributes):
    assert _lfs_here(attributes) == _lfs_in_git(folder, attributes)


@pytest.mark.parametrize(
    "text",
    [
        "*.log\n!keep.log\n",
        "sub/\n!sub/a\n",  # What is in an ignored folder cannot be taken back.
        "/*\n!/sub\n",
        "# a\n\\#a\n",
        "a \nb.txt\\ \n",
        "*.bin\r\n",
        "\n  \n/\n//\n",
        "!a\n",
    ],
)
def test_rules_of_ignoring(folder, text):
    assert _ignored_here(text) == _ignored_by_git(folder, text)


def _has_slash_in_a_class(pattern: str) -> bool:
    """A class never stands for a slash, so nobody writes one there, and here it just ends the name."""
    return "/" in pattern.partition("[")[2]


_patterns = st.text("ab*?/[]!-.\\", min_size=1, max_size=8).filter(lambda pattern: not _has_slash_in_a_class(pattern))


@settings(max_examples=60, deadline=None)
@given(st.lists(_patterns, min_size=1, max_size=3))
def test_any_patterns_ignore_what_git_ignores(folder, patterns):
    text = "".join(f"{pattern}\n" for pattern in patterns)
    assert _ignored_here(text) == _ignored_by_git(folder, text)


def test_a_file_nearer_by_counts_more():
    attributes = Attributes({"": "*.bin filter=lfs\n", "sub": "*.bin -filter\n/a.txt filter=lfs\n"})
    assert attributes.is_lfs("a.bin")
    assert not attributes.is_lfs("sub/a.bin")
    assert attributes.is_lfs("sub/a.txt")
    assert not attributes.is_lfs("sub/deep/a.txt")


@pytest.mark.parametrize("pattern", ["*a" * 60 + "b", "**/" * 40 + "b", "a/**/" * 40 + "b", "[a-z]*" * 60 + "9"])
def test_no_pattern_holds_up_the_server(pattern):
    before = time.process_time()
    assert not Ignored(f"{pattern}\n" * 20)("a" * 250)
    assert not Ignored(f"{pattern}\n" * 20)("/".join(["a" * 19] * 190))
    assert time.process_time() - before < 2
