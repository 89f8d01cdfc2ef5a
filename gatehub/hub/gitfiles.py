"""The patterns of `.gitattributes` and `.gitignore`, as git matches them.

Source: gitignore(5), gitattributes(5).  git itself decides for pushes; here it is told to clients before they upload.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

_MAX_PATTERNS = 2000


@lru_cache(maxsize=4096)
def _compiled(pattern: str) -> re.Pattern[str]:
    """A pattern as an expression over full paths.  One without a slash matches in every folder."""
    anchored = "/" in pattern.rstrip("/")
    body = pattern.strip("/")
    parts: list[str] = [] if anchored else ["(?:.*/)?"]
    position = 0
    while position < len(body):
        char = body[position]
        if body.startswith("**/", position):
            parts.append("(?:.*/)?")
            position += 3
            continue
        if body.startswith("/**", position) and position + 3 == len(body):
            parts.append("/.+")
            position += 3
            continue
        if char == "*":
            while position + 1 < len(body) and body[position + 1] == "*":
                position += 1
            parts.append("[^/]*")
        elif char == "?":
            parts.append("[^/]")
        elif char == "[" and (end := body.find("]", position + 2)) > 0:
            inner = body[position + 1 : end].replace("\\", "\\\\")
            negated = inner[0] in "!^"
            parts.append(f"[{'^' if negated else ''}{inner[1:] if negated else inner}]")
            position = end
        elif char == "\\" and position + 1 < len(body):
            position += 1
            parts.append(re.escape(body[position]))
        else:
            parts.append(re.escape(char))
        position += 1
    try:
        return re.compile("".join(parts))
    except re.error:  # A class such as [z-a], which matches nothing in git either.
        return re.compile(r"(?!)")


def matches(pattern: str, path: str) -> bool:
    """Whether the pattern names this very path."""
    return _compiled(pattern).fullmatch(path) is not None


class Attributes:
    """Which paths `.gitattributes` sends through the LFS filter."""

    def __init__(self, text: str) -> None:
        self._rules = list(_lfs_rules(text))

    def is_lfs(self, path: str) -> bool:
        """The last rule that matches and speaks of the filter decides."""
        found = False
        for pattern, on in self._rules:
            if matches(pattern, path):
                found = on
        return found


def _lfs_rules(text: str) -> Iterator[tuple[str, bool]]:
    for line in text.splitlines()[:_MAX_PATTERNS]:
        words = line.split()
        if len(words) < 2 or words[0].startswith(("#", "[attr]")):
            continue
        for attribute in words[1:]:
            if attribute == "filter=lfs":
                yield words[0], True
            elif attribute.startswith(("filter=", "-filter", "!filter")):
                yield words[0], False


class Ignored:
    """Which paths `.gitignore` leaves out."""

    def __init__(self, text: str) -> None:
        lines = [line.rstrip("\r") for line in text.splitlines()[:_MAX_PATTERNS]]
        self._patterns = [line.rstrip() for line in lines if line.strip() and not line.startswith("#")]

    def __call__(self, path: str) -> bool:
        """Whether the path, or a folder on the way to it, is ignored; the last pattern that matches decides."""
        folders = path.split("/")
        return any(
            self._ignores("/".join(folders[:depth]), is_folder=depth < len(folders))
            for depth in range(1, len(folders) + 1)
        )

    def _ignores(self, path: str, *, is_folder: bool) -> bool:
        ignored = False
        for pattern in self._patterns:
            negated = pattern.startswith("!")
            wanted = pattern.removeprefix("!")
            if wanted.endswith("/") and not is_folder:
                continue
            if matches(wanted, path):
                ignored = not negated
        return ignored
