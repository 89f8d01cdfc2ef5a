"""Nothing that an author writes runs in a reader's browser: a corpus of known tricks, through card, prompt and code."""

from __future__ import annotations

from pathlib import Path

import pytest

from repos.cards.markdown import render_card, render_prompt
from tests.repos.cards.safe import assert_safe

pytestmark = pytest.mark.timeout(20)

TRICKS = Path(__file__).with_name("tricks.txt").read_text(encoding="utf-8")  # One a line.

BLOCKS = [
    "```html\n<script>alert(1)</script>\n```",
    '```"><script>alert(1)</script>\nx\n```',
    "```python <script>alert(1)</script>\nx = '</code></pre><script>alert(1)</script>'\n```",
    "    <script>alert(1)</script>",
    "<div>\n<script>\n\nalert(1)\n\n</script>\n</div>",
    "<pre>\n<script>alert(1)</script>\n</pre>",
    "[x][y]\n\n[y]: javascript:alert(1)",
    '[x][y]\n\n[y]: https://example.org "a\\" onclick=\\"alert(1)"',
    "[x]: <javascript:alert(1)>\n\n[x]",
    "<a\nhref='javascript:alert(1)'\n>x</a>",
    "<details>\n\n<script>\n\n</details>\n\nalert(1)\n\n</script>",
    "<script>\n\n# not a heading\n\n</script>\n\nafter",
    "|a|\n|-|\n|<script>alert(1)</script>|",
    "- [x] <img src=x onerror=alert(1)>",
    "> [!NOTE]<script>alert(1)</script>\n> x",
    "> [!<script>]\n> x",
    "a\x00<scr\x00ipt>alert(1)</scr\x00ipt>",
    "<img src=x\x0conerror=alert(1)>",
    "<img src=x\x0bonerror=alert(1)>",
    "\u2028<script>alert(1)</script>\u2029",
    "<script\n>alert(1)</script\n>",
]
ALL = [*TRICKS.strip().split("\n"), *BLOCKS, TRICKS, TRICKS.replace("\n", " ")]
PLACES = ["{}", "a {} b", "- x\n\n  {}", "<div>\n\n{}", "**{}**", "[{}](x)", "![{}](x)"]


@pytest.mark.parametrize("trick", ALL)
def test_no_trick_gets_through(trick: str) -> None:
    for place in PLACES:
        text = place.replace("{}", trick)
        assert_safe(render_card(text, resolve_url="/lab/x/resolve/main/"))
        assert_safe(render_prompt(text))


def test_the_check_itself_sees_what_it_must() -> None:
    for bad in (
        "<script>",
        '<a href="javascript:x" rel="nofollow noopener">',
        '<p onclick="x">',
        '<p style="x">',
        '<p id="x">',
        "<a href='/x'>",
        "<!-- x -->",
    ):
        with pytest.raises((AssertionError, KeyError)):
            assert_safe(bad)
