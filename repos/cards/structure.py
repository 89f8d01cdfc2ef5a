"""Lists, headings and folds that are what they say, so that who hears a card is told no wrong structure.

Works on what the sanitiser wrote, where each element is closed.  What stands in a list and is no item becomes one,
without a mark; items, terms and descriptions outside of a list are ordinary blocks, and so is a heading without words;
a fold whose line holds links is unfolded, since links within a button cannot be told apart from it.  A heading looks as
its author wrote it, and is told as one level below the heading that it stands under.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from repos.cards.naming import ATTRIBUTE, TAG, picture_named

_VOID: Final = {"br", "col", "hr", "img", "source", "wbr"}
_LISTS: Final = {"ul", "ol"}
_HEADING: Final = re.compile("h[1-6]")
_NO_MARK: Final = '<li class="task">'
_NO_LINE: Final = "Details"
"""What browsers say of a fold without a line of its own."""

_Edit = tuple[int, int, str]


@dataclass(slots=True, eq=False)
class _Element:
    """`items` are the spans of what stands right within it, with names, "" for texts; `told`: it holds words."""

    name: str
    parent: _Element | None
    opening: re.Match[str] | None = None
    closing: re.Match[str] | None = None
    items: list[tuple[int, int, str]] = field(default_factory=list)
    told: bool = False
    picture: re.Match[str] | None = None
    links: bool = False

    def add(self, start: int, end: int, name: str) -> None:
        self.items.append((start, end, name))


def sound(html: str) -> str:
    """`html`, as the sanitiser writes it, with the faults above mended.  No text of it changes."""
    elements = _elements(html)
    return html if elements is None else _levels(_edited(html, [edit for one in elements for edit in _edits(one)]))


def _elements(html: str) -> list[_Element] | None:
    """All of them, or None where they are not closed in order, which the sanitiser does not write."""
    found, here, position = [], _Element("", None), 0
    for tag in TAG.finditer(html):
        if html[position : tag.start()].strip():
            here.add(position, tag.start(), "")
            here.told = True
        position = tag.end()
        closing, name, said = tag.groups()
        if closing:
            if here.parent is None or here.name != name or here.opening is None:
                return None
            here.closing = tag
            parent = here.parent
            parent.add(here.opening.start(), tag.end(), name)
            parent.told |= here.told
            parent.picture = parent.picture or here.picture
            parent.links |= here.links
            here = parent
            continue
        attributes = dict(ATTRIBUTE.findall(said))
        told = bool(attributes.get("aria-label") or attributes.get("alt", "").strip())
        if name in _VOID:
            here.add(tag.start(), tag.end(), name)
            here.told |= told
            if name == "img":
                here.picture = here.picture or tag
        else:
            here = _Element(name, here, tag, told=told, links=name == "a" and "href" in attributes)
            found.append(here)
    return found if here.parent is None else None


def _edits(one: _Element) -> Iterator[_Edit]:
    parent = one.parent
    if one.name in _LISTS:
        yield from _items_made(one)
    elif one.name in ("li", "dl", "dt", "dd"):
        if not _is_in_its_place(one):
            yield from _as_block(one)
    elif one.name == "summary" and one.links:
        yield from _as_block(one)
        if parent is not None and parent.name == "details":
            yield from _as_block(parent)
    elif not one.told and (one.name == "summary" or _HEADING.fullmatch(one.name)):
        yield from _told(one)


def _told(one: _Element) -> Iterator[_Edit]:
    """A heading or the line of a fold without words: told by its picture, if it has one."""
    if one.picture is not None:
        yield one.picture.start(), one.picture.end(), picture_named(one.picture[3], otherwise="Picture")
    elif one.name != "summary":
        yield from _as_block(one)
    elif one.closing is not None:
        yield one.closing.start(), one.closing.start(), _NO_LINE


def _items_made(one: _Element) -> Iterator[_Edit]:
    run: tuple[int, int] | None = None
    for start, end, name in [*one.items, (0, 0, "li")]:
        if name != "li":
            run = (run[0] if run else start, end)
        elif run is not None:
            yield run[0], run[0], _NO_MARK
            yield run[1], run[1], "</li>"
            run = None


def _is_in_its_place(one: _Element) -> bool:
    """True for an item in a list, for a `dl` of terms and descriptions alone, and for those in such a one."""
    if one.name == "dl":
        return {name for _, _, name in one.items} <= {"dt", "dd"}
    if one.parent is None:
        return False
    if one.name == "li":
        return one.parent.name in _LISTS
    return one.parent.name == "dl" and _is_in_its_place(one.parent)


def _as_block(one: _Element) -> Iterator[_Edit]:
    if one.opening is not None and one.closing is not None:
        attributes = "" if one.name == "details" else one.opening[3]
        yield one.opening.start(), one.opening.end(), f"<div{attributes}>"
        yield one.closing.start(), one.closing.end(), "</div>"


def _edited(html: str, edits: list[_Edit]) -> str:
    parts, position = [], 0
    for start, end, text in sorted(set(edits)):
        parts += [html[position:start], text]
        position = end
    return "".join([*parts, html[position:]])


def _levels(html: str) -> str:
    """Below the page's own heading, of level 1: a first heading may be as high as that, or one below."""
    parts, position, above = [], 0, [(0, 1)]
    for tag in TAG.finditer(html):
        if tag[1] or not _HEADING.fullmatch(tag[2]):
            continue
        level = int(tag[2][1])
        while above[-1][0] >= level:
            above.pop()
        told = min(level, above[-1][1] + 1)
        above.append((level, told))
        if told != level:
            parts.append(f'{html[position : tag.end() - 1]} aria-level="{told}"')
            position = tag.end() - 1
    return "".join([*parts, html[position:]])
