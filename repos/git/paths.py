"""Which paths a file in a repo may have."""

from __future__ import annotations

import re

from repos.errors import InvalidPath

MAX_BYTES = 4096  # PATH_MAX: longer ones cannot be checked out.
MAX_SEGMENT_BYTES = 255  # NAME_MAX
MAX_DEPTH = 200  # Folders in folders; far above what people do, far below what recursion can bear.

_FORBIDDEN = re.compile(r"[\x00-\x1f\x7f-\x9f\\\ud800-\udfff]")
# HFS+ skips these when it compares names: ".g\u200cit" is ".git" there (git's utf8.c, next_hfs_char).
_HFS_IGNORES = re.compile("[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]")
# NTFS ends a name at a colon, drops dots and spaces behind, and knows .git by a short name too (git's path.c).
_DOT_GIT = re.compile(r"(\.git|git~1)[ .]*(:.*)?", re.IGNORECASE)


def clean_path(path: str) -> str:
    """Give back `path` as it is if a file in a repo may have it; it starts at the repo root, `a/b.txt`.

    The letters are not normalised (NFC, case): git does not either.  Raises InvalidPath with the reason.
    """
    if problem := _problem(path):
        raise InvalidPath(f"The path {shown(path)} is not valid: {problem}.")
    return path


def _problem(path: str) -> str:
    if not path:
        return "it is empty"
    if _FORBIDDEN.search(path):
        return "control characters and backslashes are not allowed"
    if len(path.encode()) > MAX_BYTES:
        return f"it is longer than {MAX_BYTES} bytes"
    if path.startswith("/"):
        return "it starts with a slash"
    if path.endswith("/"):
        return "it ends with a slash"
    segments = path.split("/")
    if len(segments) > MAX_DEPTH:
        return f"it is more than {MAX_DEPTH} folders deep"
    return next((problem for segment in segments if (problem := _segment_problem(segment))), "")


def _segment_problem(segment: str) -> str:
    if not segment:
        return "it has two slashes in a row"
    if segment in (".", ".."):
        return f"{segment!r} is not a name"
    if len(segment.encode()) > MAX_SEGMENT_BYTES:
        return f"a name in it is longer than {MAX_SEGMENT_BYTES} bytes"
    if _DOT_GIT.fullmatch(_HFS_IGNORES.sub("", segment)):
        return "'.git' is git's own"
    return ""


def shown(path: str) -> str:
    """A path or a revision as an error message can carry it: one line of ASCII, not too long."""
    return ascii(path if len(path) <= 100 else path[:97] + "...")
