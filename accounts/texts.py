"""Which characters a line that people write, and others read, may have: a name, a reason."""

from __future__ import annotations

import re
import unicodedata

_JOINERS = "\u200c\u200d"
"""What Persian, the scripts of India and emoji are written with.  Source: Unicode, chapters 9, 12 and 23."""
_SOFT_HYPHEN = "\u00ad"
_FLAG = re.compile("\U0001f3f4[\U000e0030-\U000e0039\U000e0061-\U000e007a]{1,6}\U000e007f")
"""A flag of a part of a country, such as Wales: the black flag and the country's letters.  Source: Unicode, UTS 51."""
_ARABIC_SIGNS = frozenset("\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2")
"""Formats for Unicode, but seen: signs below or around the digits after them."""
_PICTOGRAPHS = range(0x1F000, 0x1FB00)
"""Kept for emoji, those too that are younger than Python's Unicode.  Source: UTS 51, section 1.4.9."""
_FILLERS = frozenset("\u115f\u1160\u2800\u3164\uffa0")
"""Letters and signs that show nothing."""


def can_be_shown(text: str) -> bool:
    """Whether a reader sees all of the line, and something at all where it is not empty.

    Refused are controls, line breaks, private characters, halves of surrogate pairs, whatever turns the direction of
    other text, and what cannot be seen, such as a space without width.  Joiners are fine where they join: behind a
    character that is no ASCII; a soft hyphen is inside a word.
    """
    seen = False
    text = _FLAG.sub("\U0001f3f4", text)
    for index, character in enumerate(text):
        before, behind = text[index - 1 : index], text[index + 1 : index + 2]
        if character in _JOINERS:
            if not before or before.isascii() or not _is_drawn(before):
                return False
        elif character == _SOFT_HYPHEN:
            if not (before.isalpha() and behind.isalpha()):
                return False
        elif _is_drawn(character):
            seen = seen or _shows_something(character)
        else:
            return False
    return seen or not text


def _shows_something(drawn: str) -> bool:
    return not (drawn in _FILLERS or drawn.isspace() or unicodedata.category(drawn).startswith("M"))


def _is_drawn(character: str) -> bool:
    return character.isprintable() or character in _ARABIC_SIGNS or ord(character) in _PICTOGRAPHS
