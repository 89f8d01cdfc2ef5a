"""What people wrote, as it may stand in a mail: in one line, with nothing that turns the line around, and no link.

Mail programs make links of what looks like one, in text as in HTML, and readers trust a mail of ours.  So addresses in
what people wrote are broken by a character that nobody sees.
"""

from __future__ import annotations

import re
import textwrap
import unicodedata
from typing import Final

WIDTH: Final = 76
_JOINER: Final = "\N{WORD JOINER}"
_ISOLATE: Final = "\N{FIRST STRONG ISOLATE}"
_END: Final = "\N{POP DIRECTIONAL ISOLATE}"
# Shown nowhere, but part of how emoji and some scripts are written.
_KEPT: Final = {"\N{ZERO WIDTH JOINER}", "\N{ZERO WIDTH NON-JOINER}"} | {chr(tag) for tag in range(0xE0020, 0xE0080)}
_SCHEME: Final = re.compile(r":(?=//|\\\\)")
_DOT: Final = re.compile(r"(?<=\w)([.\u3002\uff0e\uff61])(?=[^\W\d_]{2})")
_RIGHT_TO_LEFT: Final = {"R", "AL", "AN"}


def one_line(text: str, most: int | None = None) -> str:
    """The text without control characters, marks of direction and line breaks; at most so many characters."""
    if not (text.isascii() and text.isprintable()):
        text = "".join(map(_character, text))
    line = " ".join(text.split())
    return line if most is None or len(line) <= most else line[: most - 1].rstrip() + "…"


def _character(character: str) -> str:
    match unicodedata.category(character):
        case "Cc" | "Zs" | "Zl" | "Zp":
            return " "
        case "Cf":
            return character if character in _KEPT else ""
        case "Cs":  # Half of a character, which no mail can hold.
            return ""
        case _:
            return character


def unlinked(text: str, most: int | None = None) -> str:
    """In one line, and so that no mail program makes a link of it."""
    line = _SCHEME.sub(f":{_JOINER}", one_line(text, most))
    return _DOT.sub(rf"\1{_JOINER}", line)


def within_a_sentence(text: str, most: int | None = None) -> str:
    """So that what stands behind it keeps its place, in whatever direction it is read."""
    line = unlinked(text, most)
    if any(unicodedata.bidirectional(character) in _RIGHT_TO_LEFT for character in line):
        return f"{_ISOLATE}{line}{_END}"
    return line


def wrapped(text: str) -> str:
    """A text with its paragraphs wrapped.  Lines that are indented or begin a list, and addresses, stay as they are."""
    return "\n\n".join(_paragraph(paragraph) for paragraph in re.split(r"\n(?:[ \t]*\n)+", text.strip())) + "\n"


def _paragraph(paragraph: str) -> str:
    lines = paragraph.rstrip().split("\n")
    if all(len(line) <= WIDTH for line in lines) or any(line.startswith((" ", "-")) for line in lines):
        return "\n".join(line if line == "-- " else line.rstrip() for line in lines)
    return textwrap.fill(" ".join(lines), WIDTH, break_long_words=False, break_on_hyphens=False)
