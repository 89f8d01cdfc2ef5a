"""What no rendered card may have in it, checked with a parser that had no part in the rendering."""

from __future__ import annotations

import re

from bs4 import BeautifulSoup
from bs4.element import Comment, Declaration, Doctype, ProcessingInstruction

from repos.cards import raw_html

# Said again here, and in full, so that a slip in the code's own list is found.
ATTRIBUTES = set(
    "align alt aria-label aria-level class colspan controls dir height href id lang loading loop muted name open poster"
    " rel reversed role rowspan span src start tabindex title type value width".split()
)
_ADDRESS = re.compile(r"(?:https?:|mailto:|/|#|[A-Za-z0-9_%.~-]+(?:/|$))", re.IGNORECASE)


def assert_safe(html: str) -> None:
    soup = BeautifulSoup(f"\n{html}", "html.parser")  # It warns of an address or a file name alone.
    for element in soup.find_all(True):
        assert element.name in raw_html.TAGS, element
        for name, value in element.attrs.items():
            assert name in ATTRIBUTES, element
            text = " ".join(value) if isinstance(value, list) else str(value)
            if name in ("href", "src", "poster"):
                assert _ADDRESS.match(text), element
                assert "script:" not in text.lower().partition("/")[0], element
            if name in ("id", "name"):
                assert text.startswith("card-"), element
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
