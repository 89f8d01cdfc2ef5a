"""Cells of CSV files that people open in a spreadsheet."""

from __future__ import annotations

from typing import Final

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n")
"""What a spreadsheet would run, when it comes first in a cell."""


def safe_cell(text: str) -> str:
    """The cell as text, whatever a spreadsheet would make of it."""
    return f"'{text}" if text.startswith(_FORMULA) else text
