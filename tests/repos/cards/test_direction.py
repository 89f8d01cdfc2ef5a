"""Cards in scripts that run from right to left, and what is from left to right within them."""

from __future__ import annotations

import unicodedata

import pytest
from bs4 import BeautifulSoup
from hypothesis import given
from hypothesis import strategies as st

from repos.cards import direction
from repos.cards.direction import directed
from repos.cards.markdown import render_card
from tests.repos.cards.safe import assert_safe

ARABIC = "هل تريد الوصول؟ (GateHub)"


def rendered(text: str) -> BeautifulSoup:
    html = render_card(text, resolve_url="/lab/m/resolve/main/")
    assert_safe(html)
    return BeautifulSoup(html, "html.parser")


def runs(element) -> str:
    """As a browser would have it on a page that runs from left to right."""
    around = element if element.get("dir") else element.find_parent(dir=True)
    return around["dir"] if around else "ltr"


@pytest.mark.parametrize(
    ("written", "name"),
    [
        (f"{ARABIC}.", "p"),
        (f"## {ARABIC}", "h2"),
        (f"- {ARABIC}", "li"),
        (f"- {ARABIC}", "ul"),
        (f"1. {ARABIC}", "ol"),
        (f"> {ARABIC}", "blockquote"),
        (f"> {ARABIC}", "p"),
        (f"| {ARABIC} |\n|--|\n| a |", "table"),
        (f"| a |\n|--|\n| {ARABIC} |", "td"),
        (f"**{ARABIC}** in bold", "p"),
        (f"`pip install` {ARABIC}", "p"),
        ("&#1607;&#1604;", "p"),
        ("שלום, world.", "p"),
        ("ߒߞߏ.", "p"),
        ("𞤀𞤣.", "p"),
    ],
)
def test_a_block_runs_as_its_first_letter_does(written, name):
    assert runs(rendered(written).find(name)) == "rtl"


def test_each_block_of_a_mixed_card_runs_by_itself():
    page = rendered(f"Company, Inc.\n\n{ARABIC}\n\n- English\n- {ARABIC}\n\n1. {ARABIC}\n2. English, too.")
    assert [runs(one) for one in page.find_all(["p", "ul", "ol", "li"])] == [
        "ltr", "rtl", "ltr", "ltr", "rtl", "rtl", "rtl", "ltr",
    ]  # fmt: skip


def test_code_in_it_runs_from_left_to_right():
    page = rendered(f"{ARABIC} `f()`\n\n- {ARABIC}\n\n  ```\n  g(x);\n  ```")
    assert [runs(one) for one in page.find_all(["code", "pre"])] == ["ltr", "ltr", "ltr"]


@pytest.mark.parametrize("said", ["ltr", "rtl", "auto"])
def test_what_its_author_says_stays(said):
    page = rendered(f'<div dir="{said}">\n\n{ARABIC}\n\nEnglish.\n\n</div>\n\n<p dir="{said}">{ARABIC}</p>')
    assert [one.get("dir") for one in page.find_all(["div", "p"])] == [said, None, None, said]


def test_a_text_from_left_to_right_is_left_alone():
    text = "# Title\n\nÜber Жук 使い方 &amp; `code`\n\n- one\n\n> two\n\n| a |\n|--|\n| &#65; |"
    assert "dir=" not in str(rendered(text))


@given(st.text(st.sampled_from("aש1`>*#-|\n <>/pdivlu&;؟٣")))
def test_whatever_is_written_only_the_direction_is_added(text):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(direction, "directed", lambda html: html)
        before = render_card(text, resolve_url="/")
    after = directed(before)
    assert after.replace(' dir="rtl"', "").replace(' dir="ltr"', "") == before
    assert_safe(after)


def test_no_letter_from_right_to_left_is_overlooked():
    from_the_right = (sign for sign in map(chr, range(0x110000)) if unicodedata.bidirectional(sign) in ("R", "AL"))
    assert all(directed(f"<p>{sign}</p>") == f'<p dir="rtl">{sign}</p>' for sign in from_the_right)
