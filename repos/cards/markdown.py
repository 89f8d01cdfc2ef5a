"""Markdown of authors as HTML that is safe in anybody's browser.

markdown-it-py renders GitHub's flavour, Pygments colours code by CSS classes, and nh3 lets through what is on the lists
below and nothing else: whatever the steps before it make of a hostile text, nh3 has the last word.

Work is bounded: by size, by the length of one paragraph, and by a deadline that is looked at between any two steps.  A
text beyond that is shown as it was written, escaped.
"""

from __future__ import annotations

import posixpath
import re
import time
from collections.abc import Callable, MutableMapping, Sequence
from functools import lru_cache
from typing import Any, Final
from urllib.parse import quote, unquote, urlsplit

import nh3
import pycountry
from django.utils.html import escape
from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock
from markdown_it.rules_core import StateCore
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token
from mdit_py_plugins.footnote import footnote_plugin
from mdit_py_plugins.gfm_autolink import gfm_autolink_plugin

from repos.cards import code, direction, naming, pictures, raw_html, structure

MAX_CHARACTERS: Final = 512 * 1024
MAX_PARAGRAPH: Final = 32 * 1024
MAX_HTML: Final = 16 * MAX_CHARACTERS
SECONDS: Final = 3.0
ID_PREFIX: Final = "card-"  # Ids of authors are never ids of the page.

UrlOf = Callable[[str], str] | str

_ATTRIBUTES: Final[dict[str, set[str]]] = {
    "*": {"title", "dir", "lang"},
    "a": {"href", "id", "name", "class", "aria-label"},
    "abbr": {"title"},
    "audio": {"src", "controls"},
    "code": {"class"},
    "col": {"span"},
    "colgroup": {"span"},
    "details": {"open"},
    "div": {"align", "class"},
    "img": {"src", "srcset", "sizes", "alt", "width", "height", "align"},
    "li": {"value", "class", "id"},
    "ol": {"start", "reversed"},
    "p": {"align", "class"},
    "section": {"class"},
    "source": {"src", "srcset", "sizes", "media", "type"},
    "span": {"class", "role", "aria-label"},
    "table": {"align"},
    "td": {"align", "colspan", "rowspan"},
    "th": {"align", "colspan", "rowspan"},
    "tr": {"align"},
    "video": {"src", "controls", "width", "height", "poster", "muted", "loop"},
    **{f"h{level}": {"id", "align"} for level in range(1, 7)},
}
_CLASSES: Final = re.compile(
    r"language-[a-z0-9+#-]{1,30}|task|anchor|footnotes|markdown-alert(?:-[a-z]{1,20})?|(?:"
    + "|".join(sorted(code.CLASSES))
    + ")"
)
_TO_HEADING: Final = "Link to this section"
_BACK: Final = "Back to the text"
_ROLES: Final = {"role": {"img"}, "aria-label": {"done", "not done", _TO_HEADING, _BACK}}
_FILES: Final = {"src", "poster"}
_MEDIA: Final = re.compile(r"[\w\s().:,/<>=+*-]{1,300}", re.ASCII)
"""Media queries and sizes, such as `(prefers-color-scheme: dark)`: a condition, which loads nothing."""
_NEVER: Final = {"media": "not all", "sizes": None}
"""In the place of another: without its condition, a file for the dark would always be shown."""
_CANDIDATE: Final = re.compile(r"[\s,]*(\S*[^\s,])(?:\s+([^,]*))?(?:,|$)")
_DESCRIPTOR: Final = re.compile(r"(?:\d{1,5}w|\d{1,5}h|\d{1,3}(?:\.\d{1,5})?x)?", re.ASCII)
MAX_SRCSET: Final = 4096
MARKDOWN_SUFFIXES: Final = (".md", ".markdown")
"""Of files that are pages, whose headings have ids as those of a card."""
_LINK_SCHEMES: Final = {"http", "https", "mailto"}
_BARE_URL: Final = re.compile(r"https?://[^\s<>\"`|\x00-\x1f]{1,2000}")


class _TooMuchWork(Exception):
    """The deadline has passed."""


def render_card(
    text: str, *, resolve_url: UrlOf, blob_url: UrlOf | None = None, files_closed: bool = False, folder: str = ""
) -> str:
    """A card's text as safe HTML.  Where the files are closed to its reader, words stand in the place of pictures.

    `resolve_url` makes an image's address from its path in the repo (decoded, without a slash in front; "" is the
    root): a function, or the prefix that a quoted path is added to.  `blob_url` does so for links; by default it is a
    `resolve_url` prefix with `/resolve/` made `/blob/`, and `resolve_url` where that cannot be.  `folder` is the one
    that the text stands in: from there its paths go, and those that would leave the repo go nowhere.
    """
    if blob_url is None:
        blob_url = _blob_prefix(resolve_url) if isinstance(resolve_url, str) else resolve_url
    return _render(text, _Addresses(resolve_url, blob_url, ids=True, files_closed=files_closed, folder=folder))


def render_prompt(
    text: str,
    *,
    resolve_url: UrlOf | None = None,
    blob_url: UrlOf | None = None,
    files_closed: bool = False,
    deadline: float | None = None,
) -> str:
    """A gate's prompt, description or help as safe HTML.

    Nothing in it gets an id; without the urls, links and images that are relative go nowhere.  `deadline`, by the
    monotonic clock, is for a text that shares its time with others.
    """
    addresses = _Addresses(resolve_url, blob_url or resolve_url, ids=False, files_closed=files_closed)
    return _render(text, addresses, deadline)


def render_prompts(texts: Sequence[str], *, resolve_url: UrlOf, files_closed: bool = False) -> list[str]:
    """The texts of one gate; together they get the time of one."""
    deadline = time.monotonic() + SECONDS
    return [
        render_prompt(text, resolve_url=resolve_url, files_closed=files_closed, deadline=deadline) if text else ""
        for text in texts
    ]


def _blob_prefix(resolve_prefix: str) -> str:
    head, found, tail = resolve_prefix.rpartition("/resolve/")
    return f"{head}/blob/{tail}" if found else resolve_prefix


def _render(text: str, addresses: _Addresses, deadline: float | None = None) -> str:
    if len(text) > MAX_CHARACTERS:
        return _as_written(text)
    env = {
        "deadline": deadline or time.monotonic() + SECONDS, "code_seconds": code.SECONDS, "anchors": addresses.ids,
    }  # fmt: skip
    try:
        html = _markdown().render(text, env)
        _check(env)
    except (_TooMuchWork, RecursionError):
        return _as_written(text)
    return _sanitised(html, addresses) if len(html) <= MAX_HTML else _as_written(text)


def _as_written(text: str) -> str:
    return f'<pre class="as-written">{escape(text)}</pre>'


def _sanitised(html: str, addresses: _Addresses) -> str:
    clean = nh3.clean(
        html,
        tags=set(raw_html.TAGS),
        clean_content_tags={"script", "style"},
        attributes=_ATTRIBUTES,
        attribute_filter=addresses.attribute,
        url_schemes=set(_LINK_SCHEMES),
        link_rel="nofollow noopener",
        # What may be wider than the page scrolls by itself, so it must be reachable by keyboard.
        set_tag_attribute_values={"img": {"loading": "lazy"}, "pre": {"tabindex": "0"}, "table": {"tabindex": "0"}},
    )
    return direction.directed(structure.sound(naming.named(pictures.replaced(clean))))


class _Addresses:
    """Where the links and images of one text lead, and which of its attribute values stay."""

    def __init__(
        self, resolve_url: UrlOf | None, blob_url: UrlOf | None, *, ids: bool, files_closed: bool, folder: str = ""
    ) -> None:
        self.folder = folder
        self.resolve_url = resolve_url
        self.blob_url = blob_url
        self.ids = ids
        self.files_closed = files_closed

    def attribute(self, tag: str, name: str, value: str) -> str | None:
        """nh3's question for each attribute on the lists: its value, or None to leave it out."""
        if name == "href":
            return self._address(value, self.blob_url, _LINK_SCHEMES)
        if name in _FILES:
            return self._file(value)
        if name == "srcset":
            return self._candidates(value)
        if name in ("media", "sizes"):
            return value if _MEDIA.fullmatch(value) else _NEVER[name]
        if name in ("id", "name"):
            return f"{ID_PREFIX}{value}" if self.ids and value and len(value) <= 200 else None
        if name == "class":
            return " ".join(word for word in value.split()[:10] if _CLASSES.fullmatch(word)) or None
        if name in _ROLES:
            return value if value in _ROLES[name] else None
        if name == "lang":
            return value if _is_language(value) else None
        return value

    def _file(self, value: str) -> str | None:
        """Address of a picture, film or sound."""
        address = self._address(value, _closed if self.files_closed else self.resolve_url, {"http", "https"})
        return f"https:{address}" if address and address.startswith("//") else address

    def _candidates(self, value: str) -> str | None:
        """Those pictures of a `srcset` that this reader's browser would get; None where it would get none."""
        kept = []
        for address, descriptor in _CANDIDATE.findall(value) if len(value) <= MAX_SRCSET else []:
            file = self._file(address)
            descriptor = descriptor.strip()
            if file and pictures.can_be_shown(file) and _DESCRIPTOR.fullmatch(descriptor):
                # Commas would end the address, and stand in addresses of elsewhere.
                kept.append(f"{file.replace(',', '%2C')} {descriptor}".rstrip())
        return ", ".join(kept) or None

    def _address(self, value: str, url_of: UrlOf | None, schemes: set[str]) -> str | None:
        try:
            parts = urlsplit(value)
        except ValueError:
            return None
        if parts.scheme:
            return value if parts.scheme in schemes else None
        if parts.netloc or parts.path.startswith("/"):
            return value
        if not parts.path:
            return f"#{ID_PREFIX}{parts.fragment}" if parts.fragment and self.ids and not parts.query else None
        written = unquote(parts.path)
        path = posixpath.normpath(posixpath.join(self.folder, written))
        if url_of is None or path == ".." or path.startswith("../") or written.startswith("/") or "\0" in path:
            return None
        path = "" if path == "." else path
        prefix = ID_PREFIX if path.lower().endswith(MARKDOWN_SUFFIXES) else ""
        fragment = f"#{prefix}{quote(unquote(parts.fragment))}" if parts.fragment else ""
        return (f"{url_of}{quote(path)}" if isinstance(url_of, str) else url_of(path)) + fragment


def _is_language(said: str) -> bool:
    """Whether the first part of a tag such as `de-CH` is a language of ISO 639: else readers aloud guess."""
    code = said.partition("-")[0].lower()
    return 2 <= len(code) <= 3 and pycountry.languages.get(**{f"alpha_{len(code)}": code}) is not None


def _closed(path: str) -> str:
    return pictures.CLOSED


@lru_cache(maxsize=1)
def _markdown() -> MarkdownIt:
    """The parser.  All that belongs to one text is in `env`, so threads may share it."""
    md = MarkdownIt("gfm-like2", {"linkify": False, "xhtmlOut": False}).disable("linkify").use(gfm_autolink_plugin)
    md.disable("gfm_autolink_protocol")  # Searches all pending text at each colon: quadratic.
    footnote_plugin(md, inline=False)
    md.inline.ruler.push("bare_url", _bare_url)
    md.inline.ruler.before("text", "deadline", _inline_deadline)
    interrupts = ["paragraph", "reference", "blockquote", "list"]  # The rule is asked inside these too.
    md.block.ruler.before("table", "deadline", _block_deadline, {"alt": interrupts})
    md.core.ruler.before("inline", "long_paragraphs", _long_paragraphs)
    md.core.ruler.push("heading_ids", _heading_ids)
    md.core.ruler.push("cell_alignment", _cell_alignment)
    md.core.ruler.push("well_formed", raw_html.well_formed)
    md.add_render_rule("fence", _fence)
    md.add_render_rule("list_item_open", _list_item_open)
    md.add_render_rule("footnote_anchor", _footnote_anchor)
    return md


def _check(env: MutableMapping[str, Any]) -> None:
    if time.monotonic() > env["deadline"]:
        raise _TooMuchWork


def _inline_deadline(state: StateInline, silent: bool) -> bool:
    _check(state.env)
    return False


def _block_deadline(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    _check(state.env)
    return False


def _bare_url(state: StateInline, silent: bool) -> bool:
    """Link `https://…` as it stands in the text.  Source: the GFM spec, "Autolinks (extension)"."""
    if silent or state.linkLevel > 0 or not state.src.startswith("://", state.pos):
        return False
    scheme = next((scheme for scheme in ("https", "http") if state.pending.endswith(scheme)), "")
    start = state.pos - len(scheme)
    if not scheme or (start > 0 and (state.src[start - 1].isalnum() or state.src[start - 1] == "_")):
        return False
    found = _BARE_URL.match(state.src, start, state.posMax)
    url = _without_trailing_marks(found[0]) if found else ""
    address = state.md.normalizeLink(url)
    if len(url) <= len(scheme) + len("://") or not state.md.validateLink(address):
        return False
    state.pending = state.pending[: -len(scheme)]
    state.push("link_open", "a", 1).attrs = {"href": address}
    state.push("text", "", 0).content = url
    state.push("link_close", "a", -1)
    state.pos = start + len(url)
    return True


def _without_trailing_marks(url: str) -> str:
    """Without the marks that end the sentence, and the bracket that was opened before the link."""
    url = url.rstrip("?!.,:;*_~'")
    while url.endswith(")") and url.count(")") > url.count("("):
        url = url[:-1].rstrip("?!.,:;*_~'")
    return url


def _long_paragraphs(state: StateCore) -> None:
    """Leave paragraphs beyond the limit as they are: what is cheap for a page of text is not for a megabyte."""
    for token in state.tokens:
        if token.type == "inline" and len(token.content) > MAX_PARAGRAPH:
            token.children = [Token("text", "", 0, content=token.content)]
            token.content = ""


def _heading_ids(state: StateCore) -> None:
    """Ids made of the headings' words, `-1`, `-2` … on repeats, as on the Hub.  Source: github-slugger."""
    taken: dict[str, int] = {}
    for opening, inline in zip(state.tokens, state.tokens[1:], strict=False):
        if opening.type == "heading_open":
            words = "".join(child.content for child in inline.children or [] if child.type in ("text", "code_inline"))
            slug = re.sub(r"\s+", "-", re.sub(r"[^\w\s-]", "", words.lower()).strip())[:100] or "section"
            slug_here = slug
            while slug_here in taken:
                taken[slug] += 1
                slug_here = f"{slug}-{taken[slug]}"
            taken[slug_here] = 0
            opening.attrSet("id", slug_here)
            if state.env["anchors"]:  # An empty link: its sign is in the style sheet, so it is no word of the heading.
                address: dict[str, str | int | float] = {
                    "class": "anchor",
                    "href": f"#{slug_here}",
                    "aria-label": _TO_HEADING,
                }
                inline.children = [
                    *(inline.children or []), Token("link_open", "a", 1, attrs=address), Token("link_close", "a", -1)
                ]  # fmt: skip


def _cell_alignment(state: StateCore) -> None:
    """Alignment of table cells as `align`: the strict CSP forbids the `style` that markdown-it sets."""
    for token in state.tokens:
        if token.type in ("th_open", "td_open") and "style" in token.attrs:
            token.attrs = {"align": str(token.attrs["style"]).removeprefix("text-align:")}


def _fence(renderer: Any, tokens: Sequence[Token], index: int, options: Any, env: MutableMapping[str, Any]) -> str:
    """A code block, coloured as long as the text's allowance lasts."""
    _check(env)
    token = tokens[index]
    language = (token.info.split() or [""])[0].lower()
    started = time.monotonic()
    coloured = code.highlighted(token.content, language, seconds=env["code_seconds"])
    env["code_seconds"] -= time.monotonic() - started
    name = f' class="language-{escape(language)}"' if language else ""
    return f"<pre><code{name}>{coloured or escape(token.content)}</code></pre>\n"


def _list_item_open(renderer: Any, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
    """A list item; a task's box is a sign, because controls of authors would stand among those of the page."""
    _check(env)
    meta = tokens[index].meta or {}
    if "checked" not in meta:
        return str(renderer.renderToken(tokens, index, options, env))
    label, sign = ("done", "☑") if meta["checked"] else ("not done", "☐")
    return f'<li class="task"><span role="img" aria-label="{label}">{sign}</span> '


def _footnote_anchor(renderer: Any, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
    """From a footnote back to where it is referred to."""
    _check(env)
    meta = tokens[index].meta
    name = f"{meta['id'] + 1}" + (f":{meta['subId']}" if meta["subId"] else "")
    return f' <a href="#fnref{name}" aria-label="{_BACK}">\u21a9\ufe0e</a>'
