"""Rendering Markdown: what readers get, where links lead, and how long it may take."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from bs4 import BeautifulSoup

from repos.cards import code, markdown
from repos.cards.markdown import MAX_CHARACTERS, render_card, render_prompt
from tests.repos.cards.safe import assert_safe

pytestmark = pytest.mark.timeout(60)
RESOLVE = "/lab/toxic-bert/resolve/main/"


def card(text: str) -> str:
    html = render_card(text, resolve_url=RESOLVE)
    assert_safe(html)
    return html


def soup(text: str) -> BeautifulSoup:
    return BeautifulSoup(card(text), "html.parser")


def test_tables_with_alignment_and_without_style() -> None:
    html = card("| a | b |\n|--:|:-:|\n| 1 | 2 |\n")
    assert '<th align="right">a</th>' in html
    assert '<td align="center">2</td>' in html


def test_strikethrough_task_lists_and_alerts() -> None:
    html = card("~~gone~~\n\n- [x] one\n- [ ] two\n- three\n\n> [!WARNING]\n> careful\n")
    assert "<s>gone</s>" in html
    assert '<li class="task"><span role="img" aria-label="done">☑</span> one</li>' in html
    assert '<li class="task"><span role="img" aria-label="not done">☐</span> two</li>' in html
    assert "<li>three</li>" in html
    assert '<div class="markdown-alert markdown-alert-warning">' in html


@pytest.mark.parametrize(
    ("text", "href", "rest"),
    [
        ("see https://example.org/a.", "https://example.org/a", "."),
        ("(https://example.org/a_(b))", "https://example.org/a_(b)", ")"),
        ("**https://example.org**", "https://example.org", ""),
        ("http://example.org/?a=1&b=2!", "http://example.org/?a=1&b=2", "!"),
        ("www.example.org", "http://www.example.org", ""),
        ("write me@example.org", "mailto:me@example.org", ""),
        ("<https://example.org>", "https://example.org", ""),
        ("https://例え.example/道", "https://xn--r8jz45g.example/%E9%81%93", ""),
    ],
)
def test_addresses_in_the_text_become_links(text: str, href: str, rest: str) -> None:
    page = soup(text)
    link = page.a
    assert link is not None
    assert link["href"] == href
    assert page.get_text().strip().endswith(rest)


@pytest.mark.parametrize(
    "text", ["xhttps://example.org", "https://", "https:// x", "`https://example.org`", "a://b", "::"]
)
def test_what_is_no_address_stays_text(text: str) -> None:
    assert soup(text).a is None


def test_a_link_s_own_text_makes_no_second_link() -> None:
    assert card("[https://a.example](https://b.example)").count("<a ") == 1


@pytest.mark.parametrize(
    ("path", "leads_to"),
    [
        ("plot.png", "docs/en/plot.png"),
        ("./plot.png", "docs/en/plot.png"),
        ("../plot.png", "docs/plot.png"),
        ("../../plot.png", "plot.png"),
        ("..", "docs"),
        ("../../", ""),
        ("%2e%2e/a%20b%25.png", "docs/a b%.png"),
        ("../../docs/en/../plot.png?raw=1", "docs/plot.png"),
        ("../../../plot.png", None),
        ("../../../docs/en/plot.png", None),
        ("%2Fplot.png", None),
    ],
)
def test_paths_go_from_the_folder_that_the_text_stands_in_and_never_leave_the_repo(path, leads_to) -> None:
    html = render_card(
        f'<a href="{path}">x</a><img src="{path}" alt="y">',
        resolve_url=lambda path: f"/file:{path}",
        blob_url=lambda path: f"/page:{path}",
        folder="docs/en",
    )
    page = BeautifulSoup(html, "html.parser")
    if leads_to is None:
        assert not page.select("[href], [src]")
    else:
        assert page.a["href"] == f"/page:{leads_to}"
        assert page.img["src"] == f"/file:{leads_to}"


def test_repeated_headings_never_share_an_id_with_one_that_is_written_so() -> None:
    html = card("# A\n\n# A-1\n\n# A\n\n# A\n\n# A-1\n\n# A-1-1")
    ids = [element["id"] for element in BeautifulSoup(html, "html.parser").find_all(True, id=True)]
    assert ids == ["card-a", "card-a-1", "card-a-2", "card-a-3", "card-a-1-1", "card-a-1-1-1"]


def test_headings_get_ids_that_are_no_ids_of_the_page() -> None:
    html = card("# Model card\n## Use `it`, now!\n## Use it now\n## 使い方\n# ***\n# main")
    ids = [element["id"] for element in BeautifulSoup(html, "html.parser").find_all(True, id=True)]
    assert ids == [
        "card-model-card",
        "card-use-it-now",
        "card-use-it-now-1",
        "card-使い方",
        "card-section",
        "card-main",
    ]
    assert '<a href="#card-use-it-now"' in card("[x](#use-it-now)")


def test_code_is_coloured_by_classes_alone() -> None:
    html = card('```python\ndef f(x):\n    return "<b>"\n```\n')
    assert '<pre tabindex="0"><code class="language-python"><span class="k">def</span>' in html
    assert "&lt;b&gt;" in html


@pytest.mark.parametrize("language", ["", "nosuch", 'x" onload="y', "<b>", "cobol"])
def test_code_in_no_language_we_know_is_plain(language: str) -> None:
    html = card(f"```{language}\na < b\n```\n")
    assert "a &lt; b\n</code></pre>" in html
    assert "<span" not in html


def test_every_language_has_its_lexer() -> None:
    for language in code.LANGUAGES:
        assert code.highlighted("x = 1\n", language, seconds=60)


def test_the_time_for_colours_is_limited() -> None:
    started = time.process_time()
    card("".join(f"```java\n{'a ' * 9_000}\n```\n\n" for _ in range(10)))
    assert time.process_time() - started < 10


@pytest.mark.parametrize(
    ("src", "leads_to"),
    [
        ("figures/plot.png", "/lab/toxic-bert/resolve/main/figures/plot.png"),
        ("./plot.png", "/lab/toxic-bert/resolve/main/plot.png"),
        ("a/../plot.png", "/lab/toxic-bert/resolve/main/plot.png"),
        ("plot.png?raw=true", "/lab/toxic-bert/resolve/main/plot.png"),
        ("with%20space%23.png", "/lab/toxic-bert/resolve/main/with%20space%23.png"),
        ("図.png", "/lab/toxic-bert/resolve/main/%E5%9B%B3.png"),
        ("a%2Fb.png", "/lab/toxic-bert/resolve/main/a/b.png"),
        ("https://example.org/x.png", "https://example.org/x.png"),
        ("/lab/other/resolve/main/x.png", "/lab/other/resolve/main/x.png"),
        ("../../secret.png", None),
        ("%2e%2e/secret.png", None),
        ("a/../../secret.png", None),
        ("%2Fetc/passwd", None),
        ("x%00.png", None),
        ("mailto:a@b.example", None),
        ("data:image/png;base64,AAAA", None),
        ("#x", None),
    ],
)
def test_images_come_from_the_repo(src: str, leads_to: str | None) -> None:
    for html in (card(f"![alt](<{src}>)"), card(f'<img alt="alt" src="{src}">')):
        image = BeautifulSoup(html, "html.parser").img
        if image is None:  # Markdown itself took it for no image, or there is nothing to show: see test_pictures.
            assert leads_to is None
        else:
            assert image["src"] == leads_to
            assert image["alt"] == "alt"


@pytest.mark.parametrize(
    ("href", "leads_to"),
    [
        ("LICENSE.md", "/lab/toxic-bert/blob/main/LICENSE.md"),
        # Headings of a page have the prefix of ids of authors; lines of a text have none.
        ("./docs/use.md#how%20to", "/lab/toxic-bert/blob/main/docs/use.md#card-how%20to"),
        ("train.py#L12", "/lab/toxic-bert/blob/main/train.py#L12"),
        ("docs/", "/lab/toxic-bert/blob/main/docs"),
        (".", "/lab/toxic-bert/blob/main/"),
        ("../other", None),
        ("//evil.example/x", "//evil.example/x"),
        ("/docs", "/docs"),
        ("mailto:a@b.example", "mailto:a@b.example"),
        ("ftp://a.example", None),
        ("http://[bad", None),
    ],
)
def test_links_lead_to_the_files_pages(href: str, leads_to: str | None) -> None:
    link = BeautifulSoup(card(f'<a href="{href}">x</a>'), "html.parser").a
    assert link is not None
    assert link.get("href") == leads_to


def test_addresses_may_be_made_by_functions() -> None:
    html = render_card(
        "![a](a%20b.png) [c](d/e.md#f)",
        resolve_url=lambda path: f"/files?path={path}",
        blob_url=lambda path: f"/page?path={path}",
    )
    assert 'src="/files?path=a b.png"' in html
    assert 'href="/page?path=d/e.md#card-f"' in html


def test_headings_have_links_to_themselves_that_are_no_words_of_theirs() -> None:
    page = soup("# How to `use` it\n\n## Limits [x](y)\n\n<h2>Raw</h2>\n")
    first, second, raw = page.find_all(["h1", "h2"])
    assert first.get_text() == "How to use it"
    anchors = page.select("a.anchor")
    assert [anchor["href"] for anchor in anchors] == ["#card-how-to-use-it", "#card-limits-x"]
    assert [anchor["href"].removeprefix("#") for anchor in anchors] == [first["id"], second["id"]]
    assert all(anchor["aria-label"] == "Link to this section" for anchor in anchors)
    assert not raw.select("a")


def test_footnotes_stand_at_the_end_and_lead_back() -> None:
    page = soup("One[^1], two[^a b] and again[^1].\n\n[^1]: The *first*.\n[^never]: Not referred to.\n")
    assert "two[^a b]" in page.p.get_text()
    notes = page.select("section.footnotes li")
    assert [note.get_text().split("↩")[0].strip() for note in notes] == ["The first."]
    assert notes[0].em
    references = page.select("p > sup > a")
    assert [link["href"] for link in references] == [f"#{notes[0]['id']}"] * 2
    back = notes[0].select("a")
    assert [link["href"] for link in back] == [f"#{link['id']}" for link in references]
    assert {link["aria-label"] for link in back} == {"Back to the text"}


def test_many_footnotes_take_no_time() -> None:
    started = time.process_time()
    card("[^" * 16_000 + "\n\n[^1]: x\n")
    card("".join(f"x[^{n}]\n\n[^{n}]: note {n}\n\n" for n in range(5_000)))
    card("x[^1] " * 5_000 + "\n\n[^1]: x\n")
    assert time.process_time() - started < 15


def test_what_may_be_wider_than_the_page_is_reached_by_keyboard() -> None:
    page = soup("| a |\n|---|\n| 1 |\n\n```\nx\n```\n")
    assert page.table["tabindex"] == "0"
    assert page.pre["tabindex"] == "0"


def test_a_prompt_has_no_ids_and_leads_nowhere_by_itself() -> None:
    html = render_prompt("# Terms\n\n[here](LICENSE.md) [there](#terms) [web](https://example.org) ![i](x.png)\n")
    assert_safe(html)
    assert "id=" not in html
    assert html.count("href=") == 1
    assert "src=" not in html


def test_raw_html_on_the_list_stays() -> None:
    html = card(
        '<div align="center">\n\n# Title\n\n<img src="logo.png" width="200" alt="Logo">\n\n</div>\n\n'
        "<details open><summary>More</summary>\n\n*text*\n\n</details>\n\n"
        "H<sub>2</sub>O <kbd>Ctrl</kbd> <b>bold</b>\n\n<table><tr><td colspan=2>x</table>\n"
    )
    assert '<div align="center">\n<h1 id="card-title">Title<a ' in html
    assert 'width="200"' in html
    assert "<details open" in html
    assert "<p><em>text</em></p>\n</details>" in html
    assert "H<sub>2</sub>O <kbd>Ctrl</kbd> <b>bold</b>" in html
    assert '<td colspan="2">x' in html


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("<b>bold", "<p><b>bold</b></p>\n"),
        ("</b>text</p></div>", "text"),
        ("*a <i>b* c</i>", "<p><em>a <i>b</i></em> c</p>\n"),
        ("<b>a\n\nb</b>", "<p><b>a</b></p>\n<p>b</p>\n"),
        ('<a id="x"/>text', '<p><a id="card-x" rel="nofollow noopener"></a>text</p>\n'),
        ("a<br/>b<BR>c", "<p>a<br>b<br>c</p>\n"),
        ("x <!-- hidden --> y", "<p>x  y</p>\n"),
        ("x <script>alert(1)</script> y", "<p>x  y</p>\n"),
        ("x <style>*{}</style> y", "<p>x  y</p>\n"),
        ("x <svg><text>z</text></svg> y", "<p>x  y</p>\n"),
        ("x <unknown>y</unknown>", "<p>x y</p>\n"),
        ("- <div>\n- b", "<ul>\n<li>\n<div>\n</div></li>\n<li>b</li>\n</ul>\n"),
        ("a < b <c", "<p>a &lt; b &lt;c</p>\n"),
        ("<ul><li>a<li>b</ul>", "<ul><li>a</li><li>b</li></ul>"),
        ("<a href=x>w<a href=y>z", '<p><a href="/lab/toxic-bert/blob/main/x" rel="nofollow noopener">w</a>'),
        ("[<a>x</a>](y)", '<p><a href="/lab/toxic-bert/blob/main/y" rel="nofollow noopener">x</a></p>\n'),
    ],
)
def test_raw_html_is_closed_in_its_place(text: str, html: str) -> None:
    assert html in card(text)


def test_an_image_without_a_text_says_so() -> None:
    assert 'alt=""' in card('<img src="x.png">')
    assert 'alt="y"' in card('<img src="x.png" ALT="y">')


def test_unclosed_formatting_is_not_copied_into_each_paragraph() -> None:
    text = "<div>" + "".join(f"<b title=x{i}>" for i in range(500)) + "</div>" + "<p>x</p>" * 1_000
    assert len(card(text)) < 3 * len(text)


def test_a_card_beyond_the_limit_is_shown_as_it_was_written() -> None:
    html = card("# <b>\n" * (MAX_CHARACTERS // 4))
    assert html.startswith('<pre class="as-written"># &lt;b&gt;\n')


def test_a_paragraph_beyond_the_limit_is_text() -> None:
    assert card("*a* " * 20_000 + "\n\n*b*").endswith("<p><em>b</em></p>\n")


def test_beyond_the_deadline_a_card_is_shown_as_it_was_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(markdown, "SECONDS", -1.0)
    assert card("# a\n\n<b>") == '<pre class="as-written"># a\n\n&lt;b&gt;</pre>'


PATTERNS = (
    "[ ![ * **a  _a `a < <a & &a > ~a \\[ a**b_ | |- http:// https://a) www. @a a@b. a@ [^a] ( : :// http://a: ) ]"
    " ](  [a]( [a](<b [](  ![a](b <!-- <? <![CDATA[ <a\tb=' <div> <a><b> <ul><li> </div> <table><td> <table><b>x<tr>"
    ' <p> <p><b> <script> <b\ttitle=x><p> [x](y) [x][y] &#x ` ``` ~~a <https://a.b> <!--a--> ***a***_b_ \\ <a\tb="'
).split(" ")
BLOCKS = [
    "- ",
    "1. ",
    "> ",
    "> > > ",
    "    a\n",
    "# a\n",
    "a\n\n",
    "- a\n  - b\n",
    "* a\n ",
    "|a|b|\n|-|-|\n",
    "[a]: b\n",
]
MORE = [
    "<b>\n\n",
    "<div>\n\n",
    "a\n===\n",
    '```python\n"""\n```\n',
    "- [ ] a\n",
    "> [!NOTE]\n",
    "-\n",
    "\t- a\n",
    "a  \n",
    "\n",
    "\x00",
]


@pytest.mark.parametrize("pattern", [pattern for pattern in [*PATTERNS, *BLOCKS, *MORE] if pattern])
def test_hostile_markdown_of_20_kb_is_rendered_at_once(pattern: str) -> None:
    started = time.process_time()
    card((pattern * 20_000)[:20_000])
    assert time.process_time() - started < 10, "takes more than any honest card"


@pytest.mark.parametrize("pattern", ["[", ":", "# a\n", "<ul><li>", "-\n", "&"])
def test_hostile_markdown_of_any_size_comes_to_an_end(pattern: str) -> None:
    started = time.process_time()
    render_card((pattern * MAX_CHARACTERS)[:MAX_CHARACTERS], resolve_url=RESOLVE)
    render_card(pattern * (2_000_000 // len(pattern)), resolve_url=RESOLVE)
    assert time.process_time() - started < 30


def test_an_ordinary_card_of_200_kb_is_rendered_in_full() -> None:
    text = Path(__file__).with_name("wild").joinpath("14-prompt-of-20-kilobytes.md").read_text(encoding="utf-8") * 10
    assert "<h1" in card(text.replace("---", ""))
