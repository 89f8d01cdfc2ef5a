"""What no rendered card may have in it, checked with a parser that had no part in the rendering."""

from __future__ import annotations

import re

from bs4 import BeautifulSoup
from bs4.element import Comment, Declaration, Doctype, ProcessingInstruction

from repos.cards import raw_html

# Said again here, and in full, so that a slip in the code's own list is found.
ATTRIBUTES = set(
    "align alt aria-label aria-level class colspan controls dir height href id lang loading loop media muted name open"
    " poster rel reversed role rowspan sizes span src srcset start tabindex title type value width".split()
)
_ADDRESS = re.compile(r"(?![^/]*script:)(?:https?:|mailto:|/|#|[A-Za-z0-9_%.~-]+(?:/|$)).*", re.IGNORECASE | re.DOTALL)
_CANDIDATE = r"(?:https:/)?/[^\s,]+(?: [0-9.]+[wxh])?"
_ID = re.compile(r"card-.*", re.DOTALL)
_CONDITION = re.compile(r"[a-zA-Z0-9_\s().:,/<>=+*-]+")
_VALUES = {
    **dict.fromkeys(("href", "src", "poster"), _ADDRESS),
    **dict.fromkeys(("id", "name"), _ID),
    **dict.fromkeys(("media", "sizes"), _CONDITION),
    "srcset": re.compile(rf"{_CANDIDATE}(?:, {_CANDIDATE})*"),
}


def assert_safe(html: str) -> None:
    soup = BeautifulSoup(f"\n{html}", "html.parser")  # It warns of an address or a file name alone.
    for element in soup.find_all(True):
        assert element.name in raw_html.TAGS, element
        for name, value in element.attrs.items():
            assert name in ATTRIBUTES, element
            text = " ".join(value) if isinstance(value, list) else str(value)
            if name in _VALUES:
                assert _VALUES[name].fullmatch(text), element
        if "aria-level" in element.attrs:
            assert re.fullmatch("h[1-6][2-6]", f"{element.name}{element['aria-level']}"), element
        if element.name == "a":
            assert element["rel"] == ["nofollow", "noopener"], element
    for kind in (Comment, Declaration, Doctype, ProcessingInstruction):
        assert not soup.find_all(string=lambda text, kind=kind: isinstance(text, kind))
    for word in (
        "<script",
        "<style",
        "<iframe",
        "<object",
        "<embed",
        "<form",
        "<input",
        "<svg",
        "<math",
        "<base",
        "<meta",
    ):
        assert word not in html.lower()
