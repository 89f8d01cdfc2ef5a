"""Quotation marks: the API writes them as Python does, pages as books do."""

from __future__ import annotations

import re

_STRAIGHT = re.compile(r"""(?<!\w)(?:'([^']+)'|"([^"]*'[^"]*)")(?!\w)""")
"""As `repr` quotes a text; one with an apostrophe stands in the other marks."""


def curly(message: str) -> str:
    """The message with “lab” in place of 'lab', as pages quote.  Apostrophes stay."""
    return _STRAIGHT.sub(lambda found: f"“{found[1] or found[2]}”", message)
