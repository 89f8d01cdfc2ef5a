"""The live preview of card and gate, in the editor and on the settings page.  ada manages lab/toxic-bert; sam asks."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import urlencode

import pytest
from bs4 import BeautifulSoup
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from access.models import AccessRequest
from gatehub.caches import kept
from repos import content
from repos.cards import markdown
from repos.models import Repo
from tests.repos.cards.safe import assert_safe
from tests.support.cast import GATE_CARD, add_files
from tests.web.pages import assert_nothing_inline, form_to, label_of, press, soup, words

PATH = "/lab/toxic-bert"
EDIT = f"{PATH}/edit/main/README.md"
PREVIEW = f"{PATH}/edit/preview"
FORM = "application/x-www-form-urlencoded"
HTMX = {"HX-Request": "true", "HX-Target": "edit-preview"}
TRICKS = (Path(__file__).parents[1] / "repos/cards/tricks.txt").read_text(encoding="utf-8")
EVIL = "\"><script>alert(1)</script><img src=x onerror=alert(1)><form action=/x><input name=y>{{ 7777|add:1111111 }}'"


def look(client, text, path=PREVIEW):
    """What the script gets while somebody types."""
    return client.post(path, urlencode({"text": text}), content_type=FORM, headers=HTMX)


def html_of(page: BeautifulSoup, selector: str) -> str:
    return page.select_one(selector).decode_contents()


def test_the_answer_is_a_part_with_the_card_and_the_gate_of_the_text(gated_repo, browser, ada):
    text = GATE_CARD.replace("Company: text", "Supervisor: text").replace("# A model", "# Another *model*")
    response = look(browser(ada), text)
    assert response.status_code == 200
    page = soup(response)
    assert not page.select("html, header, form, [type=submit], script")
    assert page.select_one("article h1 em").text == "model"
    gate = page.select_one("#gate")
    assert "You agree to not use the model for harm." in words(gate)
    assert [label_of(page, control) for control in gate.select("input, select")] == ["Supervisor", "Country", "I agree"]
    assert gate.select_one("button[disabled]").text.strip() == "Agree and send request to access repo"
    assert words(page.select_one('#edit-findings[hx-swap-oob="true"]')) == "No problems found."
    assert content.open_git(gated_repo).head() == gated_repo.head_sha


def test_an_error_comes_with_its_line_instead(gated_repo, browser, ada):
    page = soup(look(browser(ada), "---\nlicense: mit\nextra_gated_fields:\n  Company: nonsense\n---\n# A\n"))
    assert not page.select("article, #gate")
    findings = page.select_one("#edit-findings")
    assert findings.select_one("a[data-line]")["data-line"] == "4"
    assert 'unknown type "nonsense"' in words(findings)
    assert findings.pre.text == "  Company: nonsense"


def test_what_is_probably_not_meant_is_a_warning(gated_repo, browser, ada):
    text = "---\nextra_gated_filds:\n  Company: text\n---\n# A\n"
    findings = soup(look(browser(ada), text)).select_one("#edit-findings")
    assert 'line 2: "extra_gated_filds" is not known and has no effect; did you mean extra_gated_fields?' in words(
        findings
    )
    assert "has no license" in words(findings)
    assert not findings.select(".error")


def test_the_preview_is_what_the_requester_gets_once_it_is_saved(gated_repo, browser, ada, sam):
    text = """---
license: mit
extra_gated_heading: Read <this> first
extra_gated_description: Usually **quick**.
extra_gated_prompt: |
  # Terms
  See [them](TERMS.md) and ![a plot](img/plot.png).
extra_gated_button_content: Ask nicely
extra_gated_fields:
  Born: date_picker
  Purpose: {type: select, options: [Yes, {label: Something else, value: other}]}
  Story: {type: textarea, required: false, help: "Some *lines*."}
  Where: ip_location
---
# A model

[more](docs/more.md)
"""
    client = browser(ada)
    shown = soup(look(client, text))
    press(client, soup(client.get(EDIT)), EDIT, text=text)
    real = soup(browser(sam).get(PATH))
    assert str(shown.select_one("article")) == str(real.select_one("article"))
    for part in (".description", ".prompt", "#gate-heading"):
        assert words(shown.select_one(f"#gate {part}")) == words(real.select_one(f"#gate {part}"))
        assert html_of(shown, f"#gate {part}").split() == html_of(real, f"#gate {part}").split()
    fields = [[" ".join(str(field).split()) for field in page.select("#gate .field")] for page in (shown, real)]
    assert fields[0] == fields[1]
    assert words(shown.select_one("#gate button")) == words(form_to(real, f"{PATH}/ask-access").button) == "Ask nicely"


def test_nothing_of_a_preview_can_be_sent(gated_repo, browser, ada):
    client = browser(ada)
    for response in (client.get(EDIT), client.get(f"{PATH}/settings"),
                     client.post(PREVIEW, urlencode({"text": GATE_CARD}), content_type=FORM)):  # fmt: skip
        page = soup(response)
        gate = page.select_one("#gate")
        assert gate.select("input, select")
        for control in gate.select("input, select, textarea, button"):
            assert control.find_parent("form") is None
            assert not control.has_attr("form")
            assert not control.has_attr("formaction")
        assert [button["type"] for button in gate.select("button")] == ["button"]
        assert not page.select('form[action*="/ask-access"]')
    assert not AccessRequest.objects.exists()


def test_no_id_is_there_twice(gated_repo, browser, ada):
    text = f"{GATE_CARD}\n# Gate\n\n## Content\n\n<a id='edit-text'></a>\n\n<p id=gate>x</p>\n"
    client = browser(ada)
    add_files(gated_repo, {"README.md": text.encode()}, by=ada)
    for response in (client.get(EDIT), client.get(f"{PATH}/settings"),
                     client.post(PREVIEW, urlencode({"text": text}), content_type=FORM)):  # fmt: skip
        ids = [node["id"] for node in soup(response).select("[id]")]
        assert len(ids) == len(set(ids)), sorted(ids)


def test_without_scripts_the_whole_editor_comes_back_with_what_was_typed(gated_repo, browser, ada):
    client = browser(ada)
    text = GATE_CARD.replace("# A model", "# B model")
    given = {"text": text.replace("\n", "\r\n"), "title": "Mine <b>", "description": "two\r\nlines", "parent": "0" * 40}
    response = client.post(PREVIEW, urlencode(given), content_type=FORM)
    assert response.status_code == 200
    assert_nothing_inline(response)
    page = soup(response)
    assert page.select_one("#edit-text").text.removeprefix("\n") == text
    assert page.select_one("[name=title]")["value"] == "Mine <b>"
    assert page.select_one("textarea[name=description]").text.split() == ["two", "lines"]
    assert page.select_one("[name=parent]")["value"] == "0" * 40, "what was seen then, so that nothing is overwritten"
    assert page.select_one("#edit-preview article h1").text == "B model"
    assert page.select_one("form[data-unsaved]")
    button = page.select_one("button[formaction]")
    assert (button["formaction"], button.text) == (PREVIEW, "Preview")


def test_a_gate_without_questions_says_what_the_requester_sees(gated_repo, browser, ada):
    page = soup(look(browser(ada), "# A\n"))
    assert "asks no questions" in words(page.select_one(".gate-preview"))
    assert "You need to agree to share your contact information" in words(page.select_one("#gate-heading"))
    assert page.select_one("#gate button[disabled]")


def test_the_form_of_an_open_repo_is_shown_and_its_meaning_said(make_repo, lab, ada, browser):
    repo = make_repo("lab/open", by=ada)
    client, path = browser(ada), "/lab/open/edit/preview"
    shown = soup(look(client, GATE_CARD, path))
    assert "nobody sees it until the gate is closed" in words(shown.select_one(".gate-preview"))
    assert not soup(look(client, "# A\n", path)).select("#gate"), "a card without a gate has none to show"
    assert repo.gated == "no"


def test_a_gate_that_europe_does_not_see_says_so(gated_repo, browser, ada):
    page = soup(look(browser(ada), "---\nextra_gated_eu_disallowed: true\n---\n"))
    assert "European Union" in words(page.select_one(".gate-preview"))
    assert "nobody is refused for their region" in words(page.select_one(".gate-preview")), "no database is set"


@pytest.mark.parametrize("trick", [*TRICKS.strip().split("\n"), TRICKS, EVIL])
def test_no_trick_gets_through(gated_repo, browser, ada, trick):
    gate = {
        "extra_gated_heading": trick[:2000],
        "extra_gated_prompt": trick,
        "extra_gated_description": trick,
        "extra_gated_button_content": trick[:500],
        "extra_gated_fields": {trick[:300]: {"type": "select", "options": [trick[:300]], "help": trick[:5000]}},
    }
    assert_harmless(look(browser(ada), f"---\n{json.dumps(gate)}\n---\n{trick}\n"))
    assert_harmless(look(browser(ada), trick))
    assert_harmless(look(browser(ada), f"---\n{trick}\n---\n"))


def assert_harmless(response) -> None:
    """What authors wrote is safe by the parser of the card's own tests; all around it is what our templates say."""
    assert response.status_code == 200
    assert_nothing_inline(response)
    page = soup(response)
    for author in page.select("article, .prompt, .description, div.help"):
        assert_safe(author.decode_contents())
        author.decompose()
    allowed = set("div section h2 p span strong a ul li label select option input textarea button pre code".split())
    assert {node.name for node in page.find_all(True)} <= allowed
    for link in page.select("a"):
        assert link["href"] == "#edit-text"
    assert "8888888" not in response.content.decode()


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(
    st.lists(
        st.sampled_from(TRICKS.strip().split("\n"))
        | st.sampled_from(["---", "extra_gated_fields:", "extra_gated_prompt: |", "  a: text", "  ", "\0", "\r", EVIL])
        | st.text(max_size=40),
        max_size=8,
    )
)
def test_nothing_typed_comes_back_as_active_markup(gated_repo, browser, ada, lines):
    assert_harmless(look(browser(ada), "\n".join(lines)))


def test_a_prompt_of_20_kilobytes_is_shown(gated_repo, browser, ada):
    prompt = "\n\n".join(f"  Clause {number}: **no** harm, see [the terms](#x)." for number in range(450))
    text = f"---\nextra_gated_prompt: |\n{prompt}\n---\n# A\n"
    assert len(text) > 20_000
    page = soup(look(browser(ada), text))
    assert "Clause 449" in words(page.select_one("#gate .prompt"))


def test_a_text_up_to_the_limit_is_previewed_and_one_beyond_is_refused(gated_repo, browser, ada):
    line = "Ünïcödé and 漢字 on each line\n"
    text = line * (content.CARD_MAX_BYTES // len(line.encode()))
    client = browser(ada)
    assert text.rstrip() in look(client, text).content.decode()
    assert "larger than" in words(soup(look(client, text + line * 2)).select_one("#edit-findings"))


def test_a_hundred_laborious_texts_get_the_time_of_one(gated_repo, browser, ada, monkeypatch):
    monkeypatch.setattr(markdown, "SECONDS", 0.4)  # Enough for each of them, and for few together.
    laborious = "[" * 2000 + "](" * 100
    fields = {f"{number}": {"type": "text", "help": laborious} for number in range(100)}
    page = soup(look(browser(ada), f"---\n{json.dumps({'extra_gated_fields': fields})}\n---\n# A\n"))
    helps = page.select("#gate div.help")
    assert [words(text) for text in helps] == [laborious] * 100
    assert helps[-1].select_one("pre.as-written")


def test_what_is_typed_fills_no_cache(gated_repo, browser, ada, monkeypatch):
    written = []
    monkeypatch.setattr(kept, "set", lambda key, *args, **kwargs: written.append(key))
    client = browser(ada)
    look(client, GATE_CARD.replace("harm", "profit").replace("# A model", "# Typed"))
    client.get(EDIT)
    assert [key for key in written if str(key).startswith(("card:", "gate:", "page:"))] == []
    assert "no-store" in look(client, GATE_CARD)["Cache-Control"]


def test_a_preview_needs_a_text_and_a_post(gated_repo, browser, ada):
    client = browser(ada)
    assert client.post(PREVIEW, "", content_type=FORM, headers=HTMX).status_code == 400
    assert client.get(PREVIEW).status_code == 405


def test_only_writers_preview(gated_repo, make_repo, browser, rea, sam, con, wes, ada):
    make_repo("lab/secret", by=ada, private=True, files={"README.md": b"# S\n"})
    for user in (rea, sam, con):
        assert look(browser(user), "# A").status_code == 403
    assert look(browser(wes), "# A").status_code == 200
    for path in ("/lab/secret/edit/preview", "/lab/nothin/edit/preview"):
        assert look(browser(sam), "# A", path).status_code == 404
        findings = soup(look(browser(), "# A", path)).select_one("#edit-findings[hx-swap-oob]")
        assert "You have been signed out." in words(findings), "in place of what was found before"
    Repo.objects.update(disabled=True)
    assert look(browser(ada), "# A").status_code == 403


def test_a_card_without_metadata_is_warned_of_in_words_for_its_author(gated_repo, browser, ada):
    said = words(soup(look(browser(ada), "# A card")))
    assert "The card has no metadata" in said
    assert "yaml" not in said.lower()


def test_a_preview_costs_few_queries(gated_repo, browser, ada, django_assert_num_queries):
    client = browser(ada)
    with django_assert_num_queries(3):  # The session and its person; the repo.
        look(client, GATE_CARD)
