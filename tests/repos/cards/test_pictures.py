"""What a card shows in the place of pictures that its reader would not get."""

from __future__ import annotations

import pytest
from bs4 import BeautifulSoup

from repos.cards.markdown import render_card, render_prompt
from tests.repos.cards.safe import assert_safe

RESOLVE = "/lab/toxic-bert/resolve/main/"


def card(text: str, *, files_closed: bool) -> BeautifulSoup:
    html = render_card(text, resolve_url=RESOLVE, files_closed=files_closed)
    assert_safe(html)
    return BeautifulSoup(html, "html.parser")


@pytest.mark.parametrize(("text", "words"), [
    ("![The *loss*, by step](plot.png)", "The loss, by step"),
    ("![](plot.png)", "Picture"),
    ('<img src="plot.png" alt="a &lt;b&gt; &quot;c&quot;" width="80">', 'a <b> "c"'),
    ('<img src="plot.png" title="Seal">', "Seal"),
    ("[![badge](badge.svg)](https://example.org)", "badge"),
    ('<video src="clip.mp4" controls></video>', "Video"),
    ('<video controls><source src="clip.mp4"><a href="x">no video here</a></video>', "Video"),
    ('<audio controls src="voice.wav"></audio>', "Sound"),
])  # fmt: skip
def test_a_reader_to_whom_the_files_are_closed_reads_what_a_picture_shows(text: str, words: str) -> None:
    page = card(f"before {text} after", files_closed=True)
    assert not page.select("img, video, audio, source")
    assert page.select_one(".unshown.closed").text == words
    assert page.get_text().split()[0] == "before"
    assert page.get_text().split()[-1] == "after"


def test_whoever_reads_the_files_sees_the_pictures() -> None:
    page = card("![a](plot.png) <video src='clip.mp4' controls></video>", files_closed=False)
    assert page.img["src"] == f"{RESOLVE}plot.png"
    assert page.video["src"] == f"{RESOLVE}clip.mp4"
    assert not page.select(".unshown")


def test_pictures_from_elsewhere_are_no_files_of_the_repo() -> None:
    page = card("![a](https://example.org/a.png) ![b](//example.org/b.png)", files_closed=True)
    assert [image["src"] for image in page.select("img")] == ["https://example.org/a.png", "https://example.org/b.png"]


def test_what_the_browser_would_refuse_is_a_link() -> None:
    """The Content-Security-Policy lets pictures in by https only."""
    page = card('![a "b"](http://example.org/a.png?x=1&y=2) ![](HTTP://example.org/)', files_closed=False)
    assert not page.select("img")
    first, second = page.select("a.unshown")
    assert first["href"] == "http://example.org/a.png?x=1&y=2"
    assert first.text == 'a "b" at example.org'
    assert second.text == "Picture at example.org"


def test_a_picture_that_is_a_link_already_is_not_made_a_second_one() -> None:
    page = card("[![a](http://example.org/a.png)](https://example.org)", files_closed=False)
    assert [link["href"] for link in page.select("a")] == ["https://example.org"]
    assert page.select_one("a > span.unshown").text == "a"


@pytest.mark.parametrize("src", ["data:image/png;base64,AAAA", "../secret.png", "#closed", "#x", ""])
def test_a_picture_that_comes_from_nowhere_is_its_description(src: str) -> None:
    page = card(f'<img src="{src}" alt="words">', files_closed=False)
    assert not page.select("img")
    assert page.select_one(".unshown").text == "words"
    assert not page.select(".closed")


def test_text_that_looks_like_a_tag_stays_as_it_is() -> None:
    page = card('`<img src="x.png">` and <abbr title="<img alt=1>">term</abbr>', files_closed=True)
    assert page.code.text == '<img src="x.png">'
    assert page.abbr["title"] == "<img alt=1>"
    assert not page.select(".unshown")


def test_prompts_too() -> None:
    html = render_prompt("![seal](seal.png) [terms](TERMS.md)", resolve_url=RESOLVE, files_closed=True)
    assert_safe(html)
    page = BeautifulSoup(html, "html.parser")
    assert page.select_one(".unshown.closed").text == "seal"
    assert page.a["href"] == f"{RESOLVE}TERMS.md"


LOGO = (
    '<picture><source media="(prefers-color-scheme: dark)" srcset="dark.svg 1x, https://example.org/d,2.svg 2x">'
    '<img src="light.svg" srcset="light-2.svg 2x" sizes="(max-width: 30em) 100vw, 50vw" alt="Logo"></picture>'
)


def test_a_picture_may_have_another_file_in_the_dark_and_on_fine_screens() -> None:
    page = card(LOGO, files_closed=False)
    assert page.picture.source["srcset"] == f"{RESOLVE}dark.svg 1x, https://example.org/d%2C2.svg 2x"
    assert page.picture.source["media"] == "(prefers-color-scheme: dark)"
    assert page.img["src"] == f"{RESOLVE}light.svg"
    assert page.img["srcset"] == f"{RESOLVE}light-2.svg 2x"
    assert page.img["sizes"] == "(max-width: 30em) 100vw, 50vw"


def test_none_of_its_files_is_asked_for_where_the_files_are_closed() -> None:
    page = card(LOGO, files_closed=True)
    assert RESOLVE not in str(page)
    assert page.select_one(".unshown.closed").text == "Logo"


@pytest.mark.parametrize(
    "srcset",
    ["http://example.org/a.png 2x", "javascript:alert(1)", "data:image/png;base64,AAAA 2x", "../a.png", "a.png 2y",
     "a.png expression(1)", ", ,"],
)  # fmt: skip
def test_candidates_that_the_browser_would_refuse_or_that_make_no_sense_go(srcset: str) -> None:
    page = card(f'<img src="plot.png" srcset="{srcset}" alt="Plot">', files_closed=False)
    assert "srcset" not in page.img.attrs
    assert page.img["src"] == f"{RESOLVE}plot.png"


def test_a_picture_may_have_candidates_alone() -> None:
    page = card('<img srcset="a.png 1x, http://example.org/b.png 2x" alt="Plot">', files_closed=False)
    assert page.img["srcset"] == f"{RESOLVE}a.png 1x"


@pytest.mark.parametrize("around", ["a", "p"])
def test_a_picture_stays_within_its_link_and_its_paragraph(around: str) -> None:
    opening = '<a href="https://example.org">' if around == "a" else '<p align="center">'
    page = card(f"{opening}{LOGO}</{around}>", files_closed=False)
    assert page.select_one(f"{around} > picture > img")["alt"] == "Logo"
    assert len(page.select("picture > source")) == 1


@pytest.mark.parametrize("media", ["(prefers-color-scheme: 'dark')", "x" * 301, "a{b}", "url(x);"])
def test_a_condition_that_is_none_chooses_its_file_never(media: str) -> None:
    page = card(LOGO.replace("(prefers-color-scheme: dark)", media), files_closed=False)
    assert page.picture.source["media"] == "not all"
