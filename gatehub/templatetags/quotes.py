"""How pages show messages that quote something: the API writes the marks as Python does, pages as books do."""

from __future__ import annotations

import re
from typing import Any

from django import template
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString, mark_safe

register = template.Library()
_STRAIGHT = re.compile(r"""(?<!\w)(?:'([^']+)'|"([^"]*'[^"]*)")(?!\w)""")
"""As `repr` quotes a text; one with an apostrophe stands in the other marks."""
_QUOTED = re.compile(r"(“[^”]+”[,.;:]?)")


def curly(message: str) -> str:
    """The message with “lab” in place of 'lab'.  Apostrophes stay."""
    return _STRAIGHT.sub(lambda found: f"“{found[1] or found[2]}”", message)


@register.filter
def quoted(message: Any) -> SafeString:
    """The message, with what it quotes whole on a line where it fits on one: '-' is not torn apart at its hyphen."""
    text = str(message)  # What Django keeps for the next page is a text in a box.
    if isinstance(text, SafeString):
        return text
    parts = _QUOTED.split(curly(text))
    for place in range(1, len(parts), 2):
        parts[place] = format_html('<span class="quoted">{}</span>', parts[place])
    return mark_safe("".join(map(conditional_escape, parts)))  # noqa: S308  # Each part is escaped.
