"""Code in colours, by CSS classes."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any, Final

import pygments
from pygments.formatters import HtmlFormatter
from pygments.lexer import Lexer
from pygments.lexers import get_lexer_by_name
from pygments.token import STANDARD_TYPES

SECONDS: Final = 1.0  # For all code in one text: some lexers take quadratic time, and are asked to stop in between.
MAX_BLOCK: Final = 20_000
CLASSES: Final = frozenset(filter(None, STANDARD_TYPES.values()))
# The languages that model cards are written about.  Pygments has some 500 lexers, and not each is safe to run on what a
# stranger wrote.
LANGUAGES: Final = frozenset(
    "bash bibtex c c++ console cpp css csharp diff docker dockerfile go html ini java javascript js json julia kotlin"
    " latex lua makefile markdown md php powershell py pycon python python3 r ruby rust scala sh shell sql swift toml"
    " ts typescript xml yaml yml zsh".split()
)


def highlighted(text: str, language: str, *, seconds: float = SECONDS) -> str:
    """`text` as HTML with classed spans, or "" when it is left as it is: no such language, too long, out of time."""
    if language not in LANGUAGES or len(text) > MAX_BLOCK or seconds <= 0:
        return ""
    tokens = _until(time.monotonic() + seconds, _lexer(language).get_tokens(text))
    try:
        return str(pygments.format(tokens, HtmlFormatter(nowrap=True)))
    except TimeoutError:
        return ""


def _until(deadline: float, tokens: Iterable[Any]) -> Iterator[Any]:
    for token in tokens:
        if time.monotonic() > deadline:
            raise TimeoutError
        yield token


@cache
def _lexer(language: str) -> Lexer:
    return get_lexer_by_name(language, stripnl=False)
