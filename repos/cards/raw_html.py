"""Raw HTML in Markdown, made well-formed before anything parses it as HTML.

Browsers, and so HTML parsers, repair bad nesting by copying elements: a few thousand unclosed `<b>` before a few
thousand paragraphs become millions of elements, and time grows with the square of the depth.  Here each tag is either
closed in its place, or left out.  What may stay is for the sanitiser to say; this is about shape only.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from markdown_it.common.html_re import attribute, close_tag
from markdown_it.rules_core import StateCore
from markdown_it.token import Token

MAX_DEPTH: Final = 50
MAX_TAG_CHARACTERS: Final = 4_096

_VOID: Final = frozenset({"br", "hr", "img", "source", "wbr"})
# Elements that an HTML parser opens again after it had to close them.  They stay within one run of text, see `_block`.
_FORMATTING: Final = frozenset({"a", "b", "code", "em", "i", "s", "small", "strike", "strong", "tt", "u"})
_PHRASING: Final = _FORMATTING | frozenset(
    "abbr br cite del img ins kbd mark picture q samp source span sub sup var wbr".split()
)
_BLOCKS: Final = frozenset(
    "audio blockquote caption center col colgroup dd details div dl dt figcaption figure h1 h2 h3 h4 h5 h6 hr li ol p"
    " pre section summary table tbody td tfoot th thead tr ul video".split()
)
TAGS: Final = _PHRASING | _BLOCKS
# Their content is no text for readers: it goes with them.
_DROPPED_WITH_CONTENT: Final = frozenset(
    "applet embed frameset head iframe math noembed noframes noscript object script select style svg template textarea"
    " title xmp plaintext".split()
)
# Besides a `p`, a block closes an open one of these, when nothing that may hold both is in between.
_CLOSES: Final = {
    "li": {"li"},
    "dt": {"dt", "dd"},
    "dd": {"dt", "dd"},
    "td": {"td", "th"},
    "th": {"td", "th"},
    "tr": {"td", "th", "tr"},
    "tbody": {"td", "th", "tr", "tbody", "thead", "tfoot"},
    "tfoot": {"td", "th", "tr", "tbody", "thead", "tfoot"},
    "thead": {"td", "th", "tr", "tbody", "thead", "tfoot"},
}
_HOLDERS: Final = frozenset({"ul", "ol", "dl", "table", "div", "blockquote", "details", "figure", "center", "section"})

_TAG: Final = re.compile(rf"<(?P<open>[A-Za-z][A-Za-z0-9-]*){attribute}*\s*(?P<empty>/?)>|{close_tag}")
_MARKDOWN: Final = "*"  # On the stack before the tag of Markdown's own element, which no raw tag may close.


def well_formed(state: StateCore) -> None:
    """Core rule, to run after `inline`: rewrite all raw HTML of a document."""
    state.tokens = _Document().tokens(state.tokens)


class _Document:
    """One walk over a document's tokens with the stack of what is open."""

    def __init__(self) -> None:
        self.open: list[str] = []
        self.dropping = ""  # The element whose content is being left out.

    def tokens(self, tokens: Sequence[Token]) -> list[Token]:
        """The tokens of the document, each raw tag closed."""
        kept: list[Token] = []
        for token in tokens:
            if token.type == "inline":
                token.children = self._inline(token.children or [])
            self._step(token, kept, block=token.type != "inline")
        return [*kept, *_html("html_block", self._close_down_to(0))]

    def _inline(self, children: Sequence[Token]) -> list[Token]:
        kept: list[Token] = []
        bottom = len(self.open)
        self.open.append(_MARKDOWN)
        for token in children:
            if token.type == "image" and token.children:
                token.children = [child for child in token.children if child.type != "html_inline"]
            if not self.dropping or token.type == "html_inline":
                self._step(token, kept, block=False)
        self.dropping = ""
        return [*kept, *_html("html_inline", self._close_down_to(bottom))]

    def _step(self, token: Token, kept: list[Token], *, block: bool) -> None:
        """Append `token` to `kept`, with the closing tags that must stand before it."""
        if token.type in ("html_block", "html_inline"):
            kept += _html(token.type, self.html(token.content))
            if token.type == "html_block":
                self.dropping = ""
            return
        kind = "html_block" if block else "html_inline"
        if token.nesting == 1:
            kept += _html(kind, self._block(token.tag) if block else self._anchor(token.tag))
            self.open.append(_MARKDOWN + token.tag)
        elif token.nesting == -1:
            kept += _html(kind, self._close_down_to(self._floor() - 1))
        elif block:
            kept += _html(kind, self._block(token.tag))
        kept.append(token)

    def html(self, content: str) -> str:
        """A piece of raw HTML as text and tags that are closed, or will be."""
        out: list[str] = []
        position = 0
        while (start := content.find("<", position)) >= 0:
            if not self.dropping:
                out.append(content[position:start])
            if content.startswith("<!--", start):
                end = content.find("-->", start + 2)
                position = end + len("-->") if end >= 0 else len(content)
                continue
            tag = _TAG.match(content, start)
            if tag is None:
                out.append("" if self.dropping else "&lt;")
                position = start + 1
                continue
            out.append(self._tag(tag))
            position = tag.end()
        if not self.dropping:
            out.append(content[position:])
        return "".join(out)

    def _tag(self, tag: re.Match[str]) -> str:
        name = (tag["open"] or tag[0].strip("</> \t\n")).lower()
        if self.dropping:
            self.dropping = "" if name == self.dropping and not tag["open"] else self.dropping
            return ""
        if not tag["open"]:
            return self._closing(name)
        if name in _DROPPED_WITH_CONTENT:
            self.dropping = "" if tag["empty"] else name
            return ""
        return self._opening(name, tag) if name in TAGS else ""

    def _opening(self, name: str, tag: re.Match[str]) -> str:
        before = self._block(name) if name in _BLOCKS else self._anchor(name)
        text = tag[0] if len(tag[0]) <= MAX_TAG_CHARACTERS else f"<{name}>"
        if name == "img" and not re.search(r"\salt\s*=", text, re.IGNORECASE):
            text = f'<img alt=""{text[len("<img") :]}'
        if name in _VOID:
            return before + text
        if len(self.open) >= MAX_DEPTH or (name == "a" and _MARKDOWN + "a" in self.open):
            return before
        if tag["empty"]:
            return f"{before}{text}</{name}>"
        self.open.append(name)
        return before + text

    def _closing(self, name: str) -> str:
        floor = self._floor()
        for index in range(len(self.open) - 1, floor - 1, -1):
            if self.open[index] == name:
                return self._close_down_to(index)
        return ""

    def _block(self, name: str) -> str:
        """Before an element that is no run of text: close formatting, and what `name` may not stand in."""
        floor = self._floor()
        closing = ""
        for index in range(floor, len(self.open)):
            if self.open[index] in _FORMATTING:
                closing = self._close_down_to(index)
                break
        for index in range(len(self.open) - 1, floor - 1, -1):
            if self.open[index] == "p" or self.open[index] in _CLOSES.get(name, ()):
                return closing + self._close_down_to(index)
            if self.open[index] in _HOLDERS:
                break
        return closing

    def _anchor(self, name: str) -> str:
        """Before a link: close the link that is open."""
        return self._closing("a") if name == "a" else ""

    def _floor(self) -> int:
        """The height of the stack down to which raw tags may close: just above Markdown's innermost element."""
        for index in range(len(self.open) - 1, -1, -1):
            if self.open[index].startswith(_MARKDOWN):
                return index + 1
        return 0

    def _close_down_to(self, height: int) -> str:
        """Close what is open above `height`; Markdown closes its own elements itself."""
        height = max(height, 0)
        closed = [f"</{name}>" for name in reversed(self.open[height:]) if not name.startswith(_MARKDOWN)]
        del self.open[height:]
        return "".join(closed)


def _html(kind: str, content: str) -> list[Token]:
    return [Token(kind, "", 0, content=content)] if content else []
