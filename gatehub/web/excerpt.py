"""The beginning of a long text, for lists."""

from __future__ import annotations

import regex

LONGEST = 1_200
"""Up to so many characters a text is shown whole: a link to the last few words would be as long as they are."""
_MOST = 1_000
_WORD = 100
"""How far the last word may begin before the end."""
_CHARACTER = regex.compile(r"\X")
"""What people take for one: a letter with its marks, a flag, a family.  Source: Unicode's annex 29."""


def beginning_of(text: str) -> str:
    """The text, or of a long one what fits: it ends after a word, or else between what people take for characters."""
    if len(text) <= LONGEST:
        return text
    for end in range(_MOST, _MOST - _WORD, -1):
        if text[end].isspace():
            return text[:end].rstrip()
    ends = (character.end() for character in _CHARACTER.finditer(text[:LONGEST]))
    end = max((end for end in ends if end <= _MOST), default=0)
    return text[: end if end > _MOST // 2 else _MOST]  # A pile of marks is cut somewhere.
