"""The text that a search for access requests looks at: who asked, from which address, and what they answered.

Kept beside the request, in one column, because an index serves one column: names are in other tables, answers in JSON.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from functools import reduce

from django.db.models import Func, Q, TextField
from django.db.models.lookups import Contains

SHORT = 3
"""Words with fewer letters or digits in a row are looked for at the beginning of words only: PostgreSQL's index holds
groups of three of them, and the two spaces before a word count."""
MAX_WORDS = 8
COMMON = 0.25
"""What more than this share of the texts has tells little: the index takes longer for it than it leaves out."""
ENOUGH_TEXTS = 200
"""Fewer texts say nothing of what is common."""
MOST_GROUPS = 40
"""So many groups of signs are compared with the texts: a few tell enough of whoever pastes a paragraph."""


def searchable(texts: Iterable[str]) -> str:
    """The texts as one line in one case, with a space before each word."""
    return "".join(f" {word}" for text in texts for word in _folded(text).split())


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text.replace("\0", "")).casefold()


def matching(search: str, by: Sequence[str] = ()) -> Q:
    """Requests in which each word of `search` occurs, in whatever order; all of them for no words.

    Words without a letter or a digit are in no index.  They are left out, and alone they find nothing.  With `by`,
    which are parts of the words, an index is asked for these alone; that finds the same.
    """
    words = _words(search)
    if not words and search.split():
        return Q(pk__in=[])
    if not by:
        return reduce(Q.__and__, (Q(search_text__contains=word) for word in words), Q())
    asked = reduce(Q.__and__, (Q(search_text__contains=part) for part in by))
    return reduce(Q.__and__, (Q(Contains(_InNoIndex("search_text"), word)) for word in words if word not in by), asked)


def telling(search: str, texts: Sequence[str]) -> list[str]:
    """The parts of the words of `search` by which an index finds few, as far as some of the texts tell; none for all.

    Of `person-123`, where everybody has a `person`, it is `-123`: for each group of three signs that everybody has, the
    index would go through everybody.
    """
    if len(texts) < ENOUGH_TEXTS:
        return []
    words = _words(search)
    groups = sorted(_groups(words))[:MOST_GROUPS]
    having = {part: {place for place, text in enumerate(texts) if part in text} for part in groups}
    rarest_first = sorted(having, key=lambda part: (len(having[part]), part))
    taken, both = set[str](), set(range(len(texts)))
    for part in rarest_first:
        if len(both) <= 1 and len(having[part]) > len(texts) * COMMON:
            break
        taken.add(part)
        both &= having[part]
    if len(both) > 1 or len(taken) == len(having):
        return []
    return list(dict.fromkeys(part for word in words for part in _joined(word, taken)))


def having(search: str, texts: Iterable[str]) -> int:
    """How many of the texts have each word of `search`."""
    words = _words(search)
    return sum(all(word in text for word in words) for text in texts)


def _words(search: str) -> list[str]:
    """As they are looked for."""
    said = _folded(search).split()[:MAX_WORDS]
    return [f" {word}" if _is_short(word) else word for word in said if any(map(str.isalnum, word))]


def _groups(words: Iterable[str]) -> set[str]:
    """What the index may hold of the words: three letters in a row, or the beginning of a word."""
    groups = {word[start : start + SHORT] for word in words for start in range(max(len(word) - SHORT, 0) + 1)}
    return {group for group in groups if _is_telling(group)}


def _is_telling(group: str) -> bool:
    return all(map(_is_letter, group)) if _is_letter(group[0]) else any(map(_is_letter, group))


def _joined(word: str, groups: set[str]) -> list[str]:
    """The longest parts of a word that these groups make up."""
    parts, last = list[str](), -SHORT
    for start in range(max(len(word) - SHORT, 0) + 1):
        group = word[start : start + SHORT]
        if group not in groups:
            continue
        if start == last + 1:
            parts[-1] += group[-1]
        else:
            parts.append(group)
        last = start
    return parts


class _InNoIndex(Func):
    """The same text, in other words than those of an index."""

    template = "(%(expressions)s || '')"
    output_field = TextField()


def _is_short(word: str) -> bool:
    """Whether the index can tell little of it: `a_b` is an a and a b to it, which most texts have somewhere."""
    runs = "".join(sign if _is_letter(sign) else " " for sign in word).split()
    return len(word) < SHORT or (_is_letter(word[0]) and max(map(len, runs)) < SHORT)


def _is_letter(sign: str) -> bool:
    """Or a digit, or a mark, such as most vowels of Devanagari are."""
    return sign.isalnum() or unicodedata.category(sign).startswith("M")
