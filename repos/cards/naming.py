"""Names for what authors leave without one, so that who hears a card knows where its links lead.

Works on what the sanitiser wrote: links that hold a picture without words get those of its file, or of where they lead;
links that hold nothing go; a cell of a table's head without words is an ordinary cell.
"""

from __future__ import annotations

import posixpath
import re
from html import unescape
from typing import Final
from urllib.parse import unquote, urlsplit

from django.utils.html import escape

_INSIDE: Final = r"(?:[^<>\"]|\"[^\"]*\")*"
TAG: Final = re.compile(rf"<(/?)([a-z][a-z0-9]*)({_INSIDE})>")
_NO_WORDS_HEAD: Final = re.compile(rf"<th({_INSIDE})>\s*</th>")
ATTRIBUTE: Final = re.compile(r"([a-z-]+)=\"([^\"]*)\"")
_PICTURE: Final = re.compile(rf"<img({_INSIDE})>")
_ALT: Final = re.compile(r" alt=\"[^\"]*\"")
_SHOWN: Final = {"audio", "video"}
_MOST_WORDS: Final = 100


def named(html: str) -> str:
    """`html`, as the sanitiser writes it, with names.  What it adds is escaped, and nothing else of it changes."""
    return _links(_NO_WORDS_HEAD.sub(r"<td\1></td>", html))


def _links(html: str) -> str:
    parts, position, opened = [], 0, None
    for tag in TAG.finditer(html):
        closing, name, _ = tag.groups()
        if name != "a":
            continue
        if not closing:
            opened = tag
        elif opened is not None:
            inner = html[opened.end() : tag.start()]
            parts += [html[position : opened.start()], _link(opened, inner)]
            position, opened = tag.end(), None
    return "".join([*parts, html[position:]])


def _link(opened: re.Match[str], inner: str) -> str:
    attributes = dict(ATTRIBUTE.findall(opened[3]))
    whole = f"{opened[0]}{inner}</a>"
    words = TAG.sub("", inner).strip()
    if "href" not in attributes or words or "aria-label" in attributes or attributes.get("title", "").strip():
        return whole
    tags = [(tag[2], dict(ATTRIBUTE.findall(tag[3]))) for tag in TAG.finditer(inner)]
    if any(name in _SHOWN or its.get("aria-label") or its.get("alt", "").strip() for name, its in tags):
        return whole
    picture = _PICTURE.search(inner)
    if picture is None:
        return whole if "id" in attributes or "name" in attributes else inner
    image = picture_named(picture[1], otherwise=_host(attributes["href"]))
    return f"{opened[0]}{inner[: picture.start()]}{image}{inner[picture.end() :]}</a>"


def picture_named(attributes: str, *, otherwise: str) -> str:
    """The `img` with these attributes, told by the name of its file."""
    name = _file_name(dict(ATTRIBUTE.findall(attributes)).get("src", "")) or otherwise
    return f'<img alt="{escape(name)}"{_ALT.sub("", attributes)}>'


def _file_name(address: str) -> str:
    stem = posixpath.splitext(posixpath.basename(unquote(_path(address))))[0]
    return " ".join(re.sub(r"[-_+]+", " ", stem).split())[:_MOST_WORDS]


def _path(address: str) -> str:
    try:
        return urlsplit(unescape(address)).path
    except ValueError:
        return ""


def _host(address: str) -> str:
    try:
        return urlsplit(unescape(address)).hostname or "Link"
    except ValueError:
        return "Link"
