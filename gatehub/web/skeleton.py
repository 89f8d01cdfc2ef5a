"""Rows of a list that a template renders once for all rows of a shape, not once for each row.

Rendering fifty rows one by one took longer than all else of their page.  A row is texts, pairs of texts, and flags.
Its shape is which of the texts are empty, how many pairs there are, and the flags: what the template can branch on.
For the first row of a shape the template is given stand-ins for the texts; for all of them, the texts themselves are
put in their places, escaped as the template would escape them.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Hashable, Mapping, Sequence
from html import escape
from typing import Any

from django.utils.safestring import SafeString, mark_safe


class Skeleton:
    """One template on one page.  It must show the texts as they are, through no filter, in elements or in quotes.

    `render` gives the template's HTML for the names of a context; pairs are there under the name `pairs`.
    """

    def __init__(self, render: Callable[[dict[str, Any]], str]) -> None:
        self._render = render
        self._mark = secrets.token_hex(8)  # Of this page, so that no text of a row can hold it.
        self._known: dict[Hashable, list[str]] = {}

    def row(
        self, texts: Mapping[str, str], pairs: Sequence[tuple[str, str]], flags: Mapping[str, Hashable]
    ) -> SafeString:
        all_texts = [*texts.values(), *(text for pair in pairs for text in pair)]
        shape = (*texts, *flags.items(), len(pairs), *map(bool, all_texts))
        if shape not in self._known:
            self._known[shape] = self._pieces(texts, pairs, flags)
        pieces = self._known[shape].copy()
        escaped = list(map(escape, all_texts))
        pieces[1::2] = [escaped[int(number)] for number in pieces[1::2]]
        return mark_safe("".join(pieces))  # noqa: S308 - a template's HTML, and escaped texts.

    def _pieces(
        self, texts: Mapping[str, str], pairs: Sequence[tuple[str, str]], flags: Mapping[str, Hashable]
    ) -> list[str]:
        """The template's HTML, and in every other place the number of a text."""
        number = iter(range(len(texts) + 2 * len(pairs)))

        def stand_in(text: str) -> str:
            name = f"{self._mark}x{next(number)}x"
            return name if text else ""

        names = {name: stand_in(text) for name, text in texts.items()}
        html = self._render({**names, **flags, "pairs": [(stand_in(one), stand_in(two)) for one, two in pairs]})
        return re.split(rf"{self._mark}x(\d+)x", html)
