"""The beginning of a long text, for lists."""

from __future__ import annotations

import unicodedata

LONGEST = 1_200
"""Up to so many characters a text is shown whole: a link to the last few words would be as long as they are."""
_MOST = 1_000
_WORD = 100
"""How far the last word may begin before the end."""
_JOINER = "\u200d"
_VIRAMAS = 9  # Their canonical combining class: in Indic scripts they join the next letter to the one before.


def beginning_of(text: str) -> str:
    """The text, or of a long one what fits: it ends after a word, or else between what people take for characters."""
    if len(text) <= LONGEST:
        return text
    for end in range(_MOST, _MOST - _WORD, -1):
        if text[end].isspace():
            return text[:end].rstrip()
    ends = (end for end in range(_MOST, _MOST // 2, -1) if _is_boundary(text, end))
    return text[: next(ends, _MOST)]


def _is_boundary(text: str, at: int) -> bool:
    """Whether a character, as people see them, may begin at this place: the main rules of Unicode's annex 29."""
    before, after = text[at - 1], text[at]
    if _extends(after) or before == _JOINER or unicodedata.combining(before) == _VIRAMAS:
        return False
    if _is_regional(before) and _is_regional(after):  # Two by two, they are flags.
        start = at
        while start and _is_regional(text[start - 1]):
            start -= 1
        return (at - start) % 2 == 0
    return not (_is_jamo(before) and _is_jamo(after) and not _is_leading_jamo(after))


def _extends(char: str) -> bool:
    """Whether it belongs to what stands before it: marks, joiners, skin tones, the tags of flags."""
    return (
        unicodedata.category(char) in {"Mn", "Mc", "Me"}
        or char in {_JOINER, "\u200c"}
        or "\U0001f3fb" <= char <= "\U0001f3ff"
        or "\U000e0020" <= char <= "\U000e007f"
    )


def _is_regional(char: str) -> bool:
    return "\U0001f1e6" <= char <= "\U0001f1ff"


def _is_jamo(char: str) -> bool:
    """The letters of Hangul, and its syllables, to which letters may be added."""
    return "\u1100" <= char <= "\u11ff" or "\uac00" <= char <= "\ud7a3"


def _is_leading_jamo(char: str) -> bool:
    return "\u1100" <= char <= "\u115f" or "\uac00" <= char <= "\ud7a3"
