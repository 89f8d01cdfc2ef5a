"""Rows of a list that a template renders once for all rows of a shape, not once for each row.

Rendering fifty rows one by one took longer than all else of their page.  A row is texts, pairs of texts, and flags.
Its shape is which of the texts are empty, how many pairs there are, and the flags: what the template can branch on.
For the first row of a shape the template is given stand-ins for the texts; for all of them, the texts themselves are
put in their places, escaped as the template would escape them.
"""

from __future__ import annotations

import itertools
import re
import secrets
from collections.abc import Callable, Hashable, Mapping, Sequence
from functools import lru_cache
from html import escape
from typing import Any

from django.template import Context, Template
from django.template.loader import get_template
from django.utils.safestring import SafeString, mark_safe

MOST_SHAPES = 200
"""So many are kept of one template: each may be some kilobytes long."""


class Skeleton:
    """One template.  It must show the texts as they are, through no filter, in elements or in quotes.

    `render` gives the template's HTML for the names of a context; pairs, which may as well be triples, are there under
    the name `pairs`.  Nothing but them may change what it gives.
    """

    def __init__(self, render: Callable[[dict[str, Any]], str]) -> None:
        self._render = render
        self._mark = secrets.token_hex(8)  # No text of a row can hold it.
        self._known: dict[Hashable, tuple[str, list[int]]] = {}

    def row(
        self, texts: Mapping[str, str], pairs: Sequence[tuple[str, ...]], flags: Mapping[str, Hashable]
    ) -> SafeString:
        all_texts = [*texts.values(), *(text for pair in pairs for text in pair)]
        shape = (*texts, *flags.items(), *map(len, pairs), *map(bool, all_texts))
        known = self._known.get(shape)
        if known is None:
            if len(self._known) >= MOST_SHAPES:
                self._known.clear()
            known = self._known[shape] = self._outline(texts, pairs, flags)
        html, places = known
        escaped = escape(self._mark.join(all_texts)).split(self._mark)  # All at once, which takes a third as long.
        return mark_safe(html % tuple([escaped[place] for place in places]))  # noqa: S308 - HTML, and escaped texts.

    def _outline(
        self, texts: Mapping[str, str], pairs: Sequence[tuple[str, ...]], flags: Mapping[str, Hashable]
    ) -> tuple[str, list[int]]:
        """The template's HTML as a format with a `%s` in the place of each text, and the numbers of these texts."""
        number = itertools.count()

        def stand_in(text: str) -> str:
            name = f"{self._mark}x{next(number)}x"
            return name if text else ""

        names = {name: stand_in(text) for name, text in texts.items()}
        html = self._render({**names, **flags, "pairs": [tuple(map(stand_in, pair)) for pair in pairs]})
        pieces = re.split(rf"{self._mark}x(\d+)x", html)
        return "%s".join(piece.replace("%", "%%") for piece in pieces[::2]), list(map(int, pieces[1::2]))


def skeleton_of(template_name: str) -> Skeleton:
    """The skeleton of a template, kept for as long as Django keeps the template."""
    return _skeleton_of(get_template(template_name).template)  # type: ignore[attr-defined]


@lru_cache(8)
def _skeleton_of(template: Template) -> Skeleton:
    return Skeleton(lambda row: template.render(Context(row)))
