"""Which way the paragraphs of a text run, said where it is from right to left.

Works on what the sanitiser wrote, where each element is closed in its place.  As browsers do for `dir="auto"`, a block
runs as its first letter does; unlike theirs, a list or a quotation runs as what stands in it, and code, which runs from
left to right in every script, says nothing of the sentence around it.  A text without such letters comes out untouched,
and so does what stands in an element whose author said how it runs.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from html import unescape
from typing import Final

from repos.cards.naming import ATTRIBUTE, TAG

_FROM_THE_RIGHT: Final = {"R", "AL"}
_MAY_BE: Final = re.compile(
    "[\u0590-\u08ff\u200f\ufb1d-\ufdff\ufe70-\ufeff\U00010800-\U00010fff\U0001e800-\U0001efff]|&#"
)
"""The ranges that Unicode keeps for scripts from right to left, and letters that are written as numbers."""
_VOID: Final = {"br", "col", "hr", "img", "source", "wbr"}
_BLOCKS: Final = frozenset(
    "blockquote caption center dd details div dl dt figcaption figure h1 h2 h3 h4 h5 h6 li ol p section summary table"
    " td th ul".split()
)
_CODE: Final = {"code", "kbd", "pre", "samp", "tt"}


@dataclass(slots=True)
class _Element:
    name: str
    end: int  # Of its opening tag, before the `>`.
    parent: int
    author_s: bool
    runs: str = ""


def directed(html: str) -> str:
    """`html`, as the sanitiser writes it, with `dir` on those blocks that run another way than what is around them."""
    if not _MAY_BE.search(html):
        return html
    elements = _elements(html)
    runs, parts, position = [""] * len(elements), [], 0
    for number, one in enumerate(elements):
        around = runs[one.parent] if number else "ltr"
        if one.author_s or not around:  # What is within what the author directed has no direction of ours.
            continue
        runs[number] = ("ltr" if one.name in _CODE else one.runs) or around
        if runs[number] != around:
            parts += [html[position : one.end], f' dir="{runs[number]}"']
            position = one.end
    return "".join([*parts, html[position:]])


def _elements(html: str) -> list[_Element]:
    """All of them in the order in which they open, after one for the whole; blocks know how their first letter runs."""
    found, open_now, position = [_Element("", 0, 0, author_s=False)], [0], 0
    for tag in TAG.finditer(html):
        _read(html[position : tag.start()], found, open_now)
        position = tag.end()
        closing, name, said = tag.groups()
        if closing:
            if len(open_now) > 1:
                open_now.pop()
        elif name not in _VOID:
            author_s = any(attribute == "dir" for attribute, _ in ATTRIBUTE.findall(said))
            found.append(_Element(name, tag.end() - 1, open_now[-1], author_s))
            open_now.append(len(found) - 1)
    return found


def _read(text: str, found: list[_Element], open_now: list[int]) -> None:
    """Let a run of text tell of the blocks around it how they run, as far as nothing before it did."""
    blocks = []
    for number in reversed(open_now):
        one = found[number]
        if one.name in _CODE or one.author_s:
            return
        if one.name in _BLOCKS and not one.runs:
            blocks.append(one)
    if not blocks:
        return
    runs = _first_letter(unescape(text))
    for one in blocks:
        one.runs = runs


def _first_letter(text: str) -> str:
    for sign in text:
        kind = unicodedata.bidirectional(sign)
        if kind in _FROM_THE_RIGHT:
            return "rtl"
        if kind == "L":
            return "ltr"
    return ""
