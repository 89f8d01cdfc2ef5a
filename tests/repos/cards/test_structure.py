"""What authors write as lists, headings and folds, and what who hears it is told."""

from __future__ import annotations

import pytest
from bs4 import BeautifulSoup
from hypothesis import given
from hypothesis import strategies as st

from repos.cards.markdown import render_card
from repos.cards.structure import sound

ADDRESS = "/lab/m/resolve/main/"


def rendered(text: str) -> BeautifulSoup:
    return BeautifulSoup(render_card(text, resolve_url=ADDRESS), "html.parser")


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("123", "123"),
        ("133", "122"),
        ("132", "122"),
        ("1424", "1223"),
        ("1464", "1232"),
        ("16361", "12231"),
        ("346", "234"),
        ("4326", "2223"),
        ("21234", "21234"),
        ("66", "22"),
    ],
)
def test_headings_are_told_without_gaps_and_look_as_written(written, told):
    page = rendered("\n\n".join(f"{'#' * int(level)} A heading" for level in written))
    headings = page.find_all(["h1", "h2", "h3", "h4", "h5", "h6"])
    assert "".join(heading.name[1] for heading in headings) == written
    assert "".join(heading.get("aria-level", heading.name[1]) for heading in headings) == told


def test_raw_headings_are_told_alike():
    page = rendered('# One\n\n<h4 align="center">Four <hr></h4>\n\n<p title="<h6>">no heading</p>\n\n### Three')
    assert [(one.name, one.get("aria-level")) for one in page.find_all(["h1", "h4", "h3"])] == [
        ("h1", None), ("h4", "2"), ("h3", "2"),
    ]  # fmt: skip
    assert page.p["title"] == "<h6>"


def test_an_author_cannot_tell_another_level():
    assert "aria-level" not in rendered('<h2 aria-level="7">x</h2>').h2.attrs


@pytest.mark.parametrize("text", ["<h2></h2>", '<h3 align="center"> </h3>', "<h4><b></b></h4>"])
def test_a_heading_without_words_is_none(text):
    page = rendered(f"{text}\n\ntext")
    assert page.get_text().strip() == "text"
    assert not page.find_all(["h2", "h3", "h4"])


@pytest.mark.parametrize(
    ("text", "alt"),
    [
        ('<h1 align="center"><img src="docs/our_logo.png" width="200"></h1>', "our logo"),
        ('<h1><img src="logo.png" alt="The laboratory"></h1>', "The laboratory"),
        ('<details><summary><img src="how-it-works.svg"></summary>text</details>', "how it works"),
    ],
)
def test_headings_and_folds_of_a_picture_are_told_by_its_file(text, alt):
    assert rendered(text).img["alt"] == alt


def test_a_picture_beside_the_words_of_a_heading_needs_no_name():
    assert not rendered('<h1><img src="logo.png"> Model</h1>').img.get("alt")


def test_what_stands_in_a_list_is_an_item():
    page = rendered("<ul>\n<br>\n<li>one</li>\ntext <b>and</b> words\n<ul><li>within</li></ul>\n<li>two</li>\n</ul>")
    (outer,) = page.find_all("ul", recursive=False)
    assert [child.name for child in outer.find_all(True, recursive=False)] == ["li"] * 4
    assert [child.get("class") for child in outer.find_all("li", recursive=False)] == [["task"], None, ["task"], None]
    assert " ".join(outer.get_text(" ").split()) == "one text and words within two"


@pytest.mark.parametrize("text", ["<li>loose</li>", "<dt>loose</dt>", "<div><dd>loose</dd></div>"])
def test_what_stands_in_no_list_is_no_item(text):
    page = rendered(text)
    assert page.get_text().strip() == "loose"
    assert not page.find_all(["li", "dt", "dd"])


def test_what_becomes_a_block_keeps_its_direction_and_language():
    block = rendered('<li dir="rtl" lang="ar">loose</li>').div
    assert (block["dir"], block["lang"], block.text.strip()) == ("rtl", "ar", "loose")


def test_a_list_of_terms_stays_where_it_is_one():
    page = rendered("<dl><dt>term</dt><dd>what it is</dd></dl>\n\n<dl><p>no term</p><dt>term</dt></dl>")
    assert [one.name for one in page.find_all(["dl", "dt", "dd"])] == ["dl", "dt", "dd"]
    assert page.get_text(" ").split() == ["term", "what", "it", "is", "no", "term", "term"]


def test_ordinary_lists_stay_as_they_are():
    text = "- one\n- two\n  1. three\n\n- [ ] task\n\n<ul><li>four</li></ul>"
    page = rendered(text)
    assert len(page.find_all("li")) == 5
    assert len(page.select("li.task")) == 1


def test_a_fold_with_links_in_its_line_is_unfolded():
    page = rendered('<details open><summary>See <a href="https://example.org">this</a></summary>\n\ntext\n\n</details>')
    assert not page.find_all(["details", "summary"])
    assert page.a["href"] == "https://example.org"
    assert page.get_text(" ").split() == ["See", "this", "text"]


def test_a_fold_without_a_line_has_the_browsers_word():
    page = rendered("<details><summary></summary>text</details>\n\n<details><summary>Why</summary>text</details>")
    assert [line.get_text() for line in page.find_all("summary")] == ["Details", "Why"]


def test_what_the_sanitiser_does_not_write_stays_as_it_is():
    for text in ("<ul><p></ul>", "</ul>", "<ul>", "a < b"):
        assert sound(text) == text


PIECES = [
    "<ul>", "</ul>", "<ol>", "<li>", "</li>", "<dl>", "<dt>", "<dd>", "</dl>", "<h1>", "</h1>", "<h4>", "<p>", "<br>",
    "<details>", "<summary>", "</summary>", "</details>", "<img src='a.png'>", "<a href='b'>", "</a>", "words", "\n\n",
    "- item\n", "### ",
]  # fmt: skip


@given(st.lists(st.sampled_from(PIECES), max_size=30))
def test_no_text_is_lost_and_all_is_sound(pieces):
    text = "".join(pieces)
    page = rendered(text)
    assert page.get_text().count("words") >= text.count("words")
    for one in page.find_all(["ul", "ol"]):
        assert {child.name for child in one.find_all(True, recursive=False)} <= {"li"}
        assert not "".join(one.find_all(string=True, recursive=False)).strip()
    assert all(one.parent.name in ("ul", "ol") for one in page.find_all("li"))
    assert all(one.parent.name == "dl" for one in page.find_all(["dt", "dd"]))
    assert not page.select("summary a[href]")
    levels = [int(one.get("aria-level", one.name[1])) for one in page.find_all(["h1", "h2", "h3", "h4"])]
    assert all(after <= before + 1 for before, after in zip([1, *levels], levels, strict=False))
