"""The patterns of `.gitattributes` and `.gitignore`, as git matches them.

git itself decides for pushes; here it is told to clients before they upload.  What users wrote as a pattern is never
matched by backtracking over the whole path: neither a `*a*a*a*b` nor a row of `**/` may hold up the server.

Sources: gitignore(5), gitattributes(5).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Final

_MAX_PATTERNS: Final = 2000
_ANY_FOLDERS: Final = None  # `**` between slashes.
_CLASSES: Final = {
    "alnum": "a-zA-Z0-9",
    "alpha": "a-zA-Z",
    "blank": r" \t",
    "digit": "0-9",
    "lower": "a-z",
    "punct": r"!-/:-@\[-`{-~",
    "space": r" \t\n\r\f\v",  # `git lfs track` writes a blank in a name as [[:space:]].
    "upper": "A-Z",
    "xdigit": "0-9a-fA-F",
}

_Segment = re.Pattern[str] | None


@lru_cache(maxsize=4096)
def _compiled(pattern: str) -> tuple[_Segment, ...]:
    """A pattern, one expression for each name of a path.  One without a slash matches in every folder."""
    bare = pattern.removesuffix("/")
    anchored = "/" in bare
    names = bare.removeprefix("/").split("/")
    segments = [_ANY_FOLDERS if anchored and name == "**" else _segment(name) for name in names]
    if not anchored:
        return (_ANY_FOLDERS, *segments)
    if segments[-1] is _ANY_FOLDERS:  # All that is in a folder, not the folder itself.
        segments.append(_segment("*"))
    return tuple(segments)


def _segment(glob: str) -> re.Pattern[str]:
    """The expression for one name.  Between two stars the first place that fits is taken, as it is in `fnmatch`."""
    fixed = [""]
    position = 0
    while position < len(glob):
        char = glob[position]
        if char == "*":
            fixed.append("")
            position += 1
            continue
        length, expression = _atom(glob, position)
        fixed[-1] += expression
        position += length
    first, *rest = fixed
    if rest:
        *between, last = rest
        first += "".join(f"(?>.*?{part})" for part in between if part) + f".*{last}"
    return re.compile(first, re.DOTALL)


def _atom(glob: str, position: int) -> tuple[int, str]:
    """What stands for one character at `position`: how much of the pattern it takes, and its expression."""
    char = glob[position]
    if char == "?":
        return 1, "."
    if char == "\\":
        return 2, re.escape(glob[position + 1]) if position + 1 < len(glob) else "(?!)"
    if char != "[":
        return 1, re.escape(char)
    end = _end_of_class(glob, position)
    if end < 0:
        return 1, "(?!)"  # A class that is not closed matches nothing.
    inner = glob[position + 1 : end]
    negated = inner[0] in "!^"
    body = _class_body(inner[1:] if negated else inner)
    if not body:
        return end + 1 - position, "." if negated else "(?!)"
    return end + 1 - position, f"[{'^' if negated else ''}{body}]"


def _end_of_class(glob: str, start: int) -> int:
    """Where the bracket that opens at `start` closes, -1 if nowhere.  A `]` that comes first is one of the members."""
    position = start + 1
    if glob[position : position + 1] in {"!", "^"}:
        position += 1
    first = position
    while position < len(glob):
        if glob.startswith("[:", position) and (end := glob.find(":]", position + 2)) > 0:
            position = end + 2
        elif glob[position] == "\\":
            position += 2
        elif glob[position] == "]" and position > first:
            return position
        else:
            position += 1
    return -1


_MEMBER = re.compile(r"\[:(?P<name>[a-z]+):\]|(?P<first>\\.|.)(?:-(?P<last>\\.|.))?", re.DOTALL)


def _class_body(inner: str) -> str:
    """The members of a class: named classes, ranges, characters; a backslash before a character is not one."""
    parts = []
    for member in _MEMBER.finditer(inner):
        if member["name"]:
            parts.append(_CLASSES.get(member["name"], ""))
            continue
        bounds = [bound[-1] for bound in (member["first"], member["last"]) if bound]
        if bounds[0] > bounds[-1]:  # Of a range such as z-a, git still takes the first.
            bounds = bounds[:1]
        parts.append("-".join(re.escape(bound) for bound in bounds))
    return "".join(parts)


def matches(pattern: str, path: str) -> bool:
    """Whether the pattern names this very path."""
    return _match(_compiled(pattern), path.split("/"))


def _match(segments: Sequence[_Segment], names: Sequence[str]) -> bool:
    """Names in their order; `**` takes as few as it can, and one more each time what follows it does not fit."""
    at = name = 0
    retry_at = retry_name = -1
    while name < len(names):
        segment = segments[at] if at < len(segments) else None
        if segment is not None and segment.fullmatch(names[name]):
            at, name = at + 1, name + 1
        elif segment is None and at < len(segments):
            at, retry_at, retry_name = at + 1, at + 1, name
        elif retry_at >= 0:
            retry_name += 1
            at, name = retry_at, retry_name
        else:
            return False
    return at == len(segments)


class Attributes:
    """Which paths go through the LFS filter, by the texts of `.gitattributes` under their folders, "" for the root."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self._rules = {folder: list(_lfs_rules(text)) for folder, text in texts.items()}

    def is_lfs(self, path: str) -> bool:
        """The last rule that matches and speaks of the filter decides; a nearer file counts more than one above."""
        found = False
        for folder in ("", *folders_of(path)):
            below = path.removeprefix(f"{folder}/") if folder else path
            for pattern, on in self._rules.get(folder, ()):
                if matches(pattern, below):
                    found = on
        return found


def folders_of(path: str) -> list[str]:
    """The folders on the way to a file, the outermost first, without the root."""
    names = path.split("/")
    return ["/".join(names[:depth]) for depth in range(1, len(names))]


_RULE = re.compile(r'[ \t]*("(?:[^"\\]|\\.)*"|[^" \t]\S*)[ \t]+(.*)')


def _lfs_rules(text: str) -> Iterator[tuple[str, bool]]:
    for line in text.split("\n")[:_MAX_PATTERNS]:
        rule = _RULE.match(line)
        if rule is None or rule[1].startswith(("#", "[attr]", "!")) or rule[1].endswith("/"):
            continue
        pattern = re.sub(r"\\(.)", r"\1", rule[1][1:-1]) if rule[1].startswith('"') else rule[1]
        for attribute in rule[2].split():
            if attribute == "filter=lfs":
                yield pattern, True
            elif attribute == "filter" or attribute.startswith(("filter=", "-filter", "!filter")):
                yield pattern, False


class Ignored:
    """Which paths `.gitignore` leaves out."""

    def __init__(self, text: str) -> None:
        lines = [line.rstrip("\r") for line in text.split("\n")[:_MAX_PATTERNS]]
        self._patterns = [_without_blanks(line) for line in lines if line.strip() and not line.startswith("#")]

    def __call__(self, path: str) -> bool:
        """Whether the path, or a folder on the way to it, is ignored; the last pattern that matches decides."""
        return any(self._ignores(folder, is_folder=True) for folder in folders_of(path)) or self._ignores(
            path, is_folder=False
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


def _without_blanks(line: str) -> str:
    """Blanks at the end do not count, unless a backslash stands before them."""
    bare = line.rstrip(" ")
    return f"{bare} " if bare.endswith("\\") and len(bare) < len(line) else bare
