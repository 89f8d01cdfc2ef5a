"""How pages show messages that quote something."""

from __future__ import annotations

import re
from typing import Any

from django import template
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString, mark_safe

from gatehub.quotes import curly

register = template.Library()
_QUOTED = re.compile(r"(“[^”]+”[,.;:]?)")


@register.filter
def quoted(message: Any) -> SafeString:
    """The message, with what it quotes whole on a line where it fits on one: '-' is not torn apart at its hyphen."""
    if isinstance(message, SafeString):
        return message
    parts = _QUOTED.split(curly(str(message)))
    for place in range(1, len(parts), 2):
        parts[place] = format_html('<span class="quoted">{}</span>', parts[place])
    return mark_safe("".join(map(conditional_escape, parts)))  # noqa: S308  # Each part is escaped.
