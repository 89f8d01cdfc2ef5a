"""What stands in a text in the place of a picture, film or sound that its reader would not get.

Two kinds: files of the repo, for readers to whom its gate is closed, and plain `http:` addresses, which the pages'
Content-Security-Policy forbids.  A broken picture says nothing; its description, or a link, does.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from typing import Final
from urllib.parse import urlsplit

from django.utils.html import escape

CLOSED: Final = "#closed"
"""What `src` is set to where the file must not be shown.  No author's address comes out so."""
CLOSED_CLASS: Final = "unshown closed"

_TAG: Final = re.compile(r"<(/?)([a-z][a-z0-9]*)((?:[^<>\"]|\"[^\"]*\")*)>")
_ATTRIBUTE: Final = re.compile(r"([a-z-]+)=\"([^\"]*)\"")
_WORDS: Final = {"img": "Picture", "video": "Video", "audio": "Sound"}


def replaced(html: str) -> str:
    """`html`, as the sanitiser writes it, with words in the place of what cannot be shown."""
    return "".join(_Walk(html).parts())


class _Walk:
    """One walk over the tags.  What it adds is made of escaped texts, and nothing that it keeps is changed."""

    def __init__(self, html: str) -> None:
        self.html = html
        self.in_link = False

    def parts(self) -> Iterator[str]:
        position = 0
        for tag in _TAG.finditer(self.html):
            if tag.start() < position:  # Inside of what was replaced.
                continue
            closing, name, rest = tag.groups()
            if name == "a":
                self.in_link = not closing
            if closing or name not in _WORDS:
                continue
            end = tag.end() if name == "img" else self._end_of(name, tag.end())
            source = _picture(rest) if name == "img" else self._source_within(tag, end)
            if can_be_shown(source):
                continue
            yield self.html[position : tag.start()]
            yield self._words(name, source, dict(_ATTRIBUTE.findall(rest)))
            position = end
        yield self.html[position:]

    def _end_of(self, name: str, start: int) -> int:
        end = self.html.find(f"</{name}>", start)
        return len(self.html) if end < 0 else end + len(f"</{name}>")

    def _source_within(self, tag: re.Match[str], end: int) -> str:
        """The first address that the element or a `<source>` in it has."""
        found = _TAG.finditer(self.html, tag.start(), end)
        return next((source for part in found if part[2] in (tag[2], "source") and (source := _source(part[3]))), "")

    def _words(self, name: str, source: str, attributes: dict[str, str]) -> str:
        said = " ".join(unescape(attributes.get("alt") or attributes.get("title") or "").split())
        text = escape(said or _WORDS[name])
        if source == CLOSED:
            return f'<span class="{CLOSED_CLASS}">{text}</span>'
        if not source.lower().startswith("http:") or self.in_link:
            return f'<span class="unshown">{text}</span>'
        address = unescape(source)
        host = escape(urlsplit(address).hostname or "")
        return (
            f'<a class="unshown" href="{escape(address)}" rel="nofollow noopener">{text} <small>at {host}</small></a>'
        )


def _source(attributes: str) -> str:
    found: dict[str, str] = dict(_ATTRIBUTE.findall(attributes))
    return found.get("src", "")


def _picture(attributes: str) -> str:
    """Of a picture that only a `srcset` has, whose addresses the sanitiser has looked at, the first."""
    found: dict[str, str] = dict(_ATTRIBUTE.findall(attributes))
    return found.get("src", "") or found.get("srcset", "").partition(" ")[0]


def can_be_shown(source: str) -> bool:
    """Whether a browser would get the file at the address, as the sanitiser writes it."""
    return bool(source) and not source.lower().startswith(("#", "http:"))
