"""Links and cells without words, as authors write them."""

from __future__ import annotations

import pytest
from bs4 import BeautifulSoup
from hypothesis import given
from hypothesis import strategies as st

from repos.cards.markdown import render_card
from repos.cards.naming import named

ADDRESS = "/lab/m/resolve/main/"


def rendered(text: str, **options) -> BeautifulSoup:
    return BeautifulSoup(render_card(text, resolve_url=ADDRESS, **options), "html.parser")


@pytest.mark.parametrize(
    ("text", "alt"),
    [
        ("[![](docs/a_small-picture.png)](https://example.org)", "a small picture"),
        (
            '<a href="https://discord.example/x"><img src="https://cdn.example/join%20us.svg" width="200"></a>',
            "join us",
        ),
        ('<a href="https://discord.example/x"><img src="https://cdn.example/"></a>', "discord.example"),
        ("[![Our badge](a.png)](https://example.org)", "Our badge"),
        ('<a href="https://example.org"><img src="a&quot;b.png" alt=" "></a>', 'a"b'),
    ],
)
def test_a_link_around_a_picture_has_a_name(text, alt):
    (link,) = rendered(text).select("a[href]")
    assert link.img["alt"] == alt
    assert len(rendered(text).select("img")) == 1


def test_a_picture_beside_words_needs_no_name():
    link = rendered('<a href="https://example.org"><img src="a.png">Words</a>').a
    assert not link.img.get("alt")


@pytest.mark.parametrize("text", ["before [](https://example.org) after", '<a href="https://example.org"></a>'])
def test_a_link_that_holds_nothing_goes(text):
    page = rendered(text)
    assert not page.select("a")
    assert page.get_text(" ").split() == [word for word in text.split() if word.isalpha()]


def test_a_place_that_links_lead_to_stays():
    assert rendered('<a id="here"></a>\n\ntext').select_one("a#card-here") is not None


def test_a_cell_of_the_head_without_words_is_an_ordinary_one():
    page = rendered("| | b |\n|---|---|\n| c | d |\n")
    assert [cell.name for cell in page.select("tr")[0].find_all(["td", "th"])] == ["td", "th"]


def test_closed_pictures_keep_their_words():
    page = rendered("[![](a.png)](https://example.org)", files_closed=True)
    assert page.a.get_text() == "Picture"


@pytest.mark.parametrize(
    ("lang", "kept"), [("de", "de"), ("de-CH", "de-CH"), ("yue", "yue"), ("zz-nope", None), ("", None)]
)
def test_a_language_that_is_none_is_left_out(lang, kept):
    assert rendered(f'<p lang="{lang}">x</p>').p.get("lang") == kept


@given(st.text(alphabet=st.sampled_from('<>a/"= imgthsrcfle#&;x\n'), max_size=200))
def test_no_text_breaks_it(html):
    named(html)


@given(st.lists(st.sampled_from(["[![](", "a.png", ")](", "https://e.org", ")", "<a href='x'>", "</a>", "<img src=y>",
                                 "<script>", "x", "\n\n", "|", "---"]), max_size=30))  # fmt: skip
def test_what_it_adds_is_no_markup(parts):
    page = rendered("".join(parts))
    assert not page.select("script, [onerror]")
    for link in page.select("a[href]"):
        assert link.get_text(strip=True) or any(image.get("alt", "").strip() for image in link.select("img"))
