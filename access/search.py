"""The text that a search for access requests looks at: who asked, from which address, and what they answered.

Kept beside the request, in one column, because an index serves one column: names are in other tables, answers in JSON.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from functools import reduce

from django.db.models import Q

SHORT = 3
"""Words with fewer letters or digits in a row are looked for at the beginning of words only: PostgreSQL's index holds
groups of three of them, and the two spaces before a word count."""
MAX_WORDS = 8


def searchable(texts: Iterable[str]) -> str:
    """The texts as one line in one case, with a space before each word."""
    return "".join(f" {word}" for text in texts for word in _folded(text).split())


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text.replace("\0", "")).casefold()


def matching(search: str) -> Q:
    """Requests in which each word of `search` occurs, in whatever order; all of them for no words.

    Words without a letter or a digit are in no index.  They are left out, and alone they find nothing.
    """
    said = _folded(search).split()[:MAX_WORDS]
    words = [word for word in said if any(map(str.isalnum, word))]
    if said and not words:
        return Q(pk__in=[])
    found = (Q(search_text__contains=f" {word}" if _is_short(word) else word) for word in words)
    return reduce(Q.__and__, found, Q())


def _is_short(word: str) -> bool:
    """Whether the index can tell little of it: `a_b` is an a and a b to it, which most texts have somewhere."""
    runs = "".join(sign if _is_letter(sign) else " " for sign in word).split()
    return len(word) < SHORT or (_is_letter(word[0]) and max(map(len, runs)) < SHORT)


def _is_letter(sign: str) -> bool:
    """Or a digit, or a mark, such as most vowels of Devanagari are."""
    return sign.isalnum() or unicodedata.category(sign).startswith("M")
