"""Cards as they are found in the wild, in `wild/*.md`, and the forms that each must come to, in the `.json` beside it.

A field is `[label, type]` or `[label, type, more]`; an option is a text or `[label, value]`.  Those in `wild/refused/`
make no form, and the `.json` has the line and some of the words that the author must be told.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from repos import cards
from repos.cards.markdown import render_card, render_prompt

WILD = Path(__file__).parent / "wild"
NAMES = sorted(path.stem for path in WILD.glob("*.md"))


def card(name: str) -> bytes:
    return (WILD / f"{name}.md").read_bytes()


def form(name: str) -> cards.FormSpec:
    return cards.form_of(cards.read(card(name)))


def expected(name: str) -> cards.FormSpec:
    said: dict[str, Any] = json.loads((WILD / f"{name}.json").read_text(encoding="utf-8"))
    fields = []
    for label, kind, *more in said.pop("fields"):
        rest = dict(*more)
        pairs = [(option, option) if isinstance(option, str) else option for option in rest.pop("options", [])]
        fields.append(cards.Field(label, kind, options=tuple(cards.Option(*pair) for pair in pairs), **rest))
    return cards.FormSpec(fields=tuple(fields), **said)


def answers_to(spec: cards.FormSpec) -> dict[str, str]:
    """What somebody might send."""
    sent = {
        "text": "Noor Haddad",
        "textarea": "Two\nlines.",
        "checkbox": "on",
        "date_picker": "2024-02-29",
        "country": "France",
        "email": "noor@example.org",
        "url": "https://example.org/noor",
        "ip_location": "XX",
    }
    return {field.label: field.options[-1].label if field.options else sent[field.type] for field in spec.fields}


def test_there_are_at_least_25_of_them() -> None:
    assert len(NAMES) >= 25


@pytest.mark.parametrize("name", NAMES)
def test_the_form_is_as_its_author_meant_it(name: str) -> None:
    spec = form(name)
    if name == "14-prompt-of-20-kilobytes":
        spec = cards.FormSpec(fields=spec.fields)  # The prompt has a test of its own.
    assert spec == expected(name)


@pytest.mark.parametrize("name", NAMES)
def test_the_form_survives_json(name: str) -> None:
    spec = form(name)
    stored = json.loads(json.dumps(spec.to_json()))
    assert cards.FormSpec.from_json(stored) == spec
    assert cards.FormSpec.from_json(stored).digest == spec.digest


@pytest.mark.parametrize("name", NAMES)
def test_the_metadata_is_json(name: str) -> None:
    metadata = cards.read(card(name)).metadata
    assert json.loads(json.dumps(metadata, allow_nan=False)) == metadata


@pytest.mark.parametrize("name", NAMES)
def test_answers_come_back_under_the_labels_letter_for_letter(name: str) -> None:
    spec = form(name)
    cleaned = cards.clean_answers(spec, answers_to(spec), country="KE")
    assert list(cleaned) == [field.label for field in spec.fields]
    assert [cleaned[field.label] for field in spec.fields if field.type == "ip_location"] in ([], ["KE"])


@pytest.mark.parametrize("name", NAMES)
def test_a_browser_s_post_finds_every_field(name: str) -> None:
    spec = form(name)
    posted = {label.replace("\n", "\r\n"): value for label, value in answers_to(spec).items()}
    assert cards.answers_from_post(spec, posted) == answers_to(spec)


@pytest.mark.parametrize("name", NAMES)
def test_validation_finds_no_error(name: str) -> None:
    errors, _ = cards.validate(card(name).decode("utf-8"), "model")
    assert errors == []


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.timeout(20)
def test_it_renders(name: str) -> None:
    found = cards.read(card(name))
    spec = cards.form_of(found)
    for html in (render_card(found.text, resolve_url="/x/resolve/main/"), render_prompt(spec.prompt)):
        assert "<pre class=" not in html, "shown as it was written, as if it were too much work"


def test_the_long_prompt_is_whole_and_rendered() -> None:
    text = card("14-prompt-of-20-kilobytes").decode("utf-8")
    block = text.partition("extra_gated_prompt: |-\n")[2].partition("extra_gated_fields:")[0]
    prompt = form("14-prompt-of-20-kilobytes").prompt
    assert prompt == "\n".join(line.removeprefix("  ") for line in block.split("\n")).rstrip("\n")
    assert len(prompt.encode()) >= 20_000
    html = render_prompt(prompt)
    assert html.count("<li>") > 100
    assert "<blockquote>" in html
    assert 'href="https://archive.example.org/ask"' in html


REFUSED = sorted(path.stem for path in (WILD / "refused").glob("*.md"))


@pytest.mark.parametrize("name", REFUSED)
def test_what_makes_no_form_is_refused_with_its_line(name: str) -> None:
    readme = card(f"refused/{name}")
    said = json.loads((WILD / "refused" / f"{name}.json").read_text(encoding="utf-8"))
    with pytest.raises(cards.CardError) as refused:
        cards.form_of(cards.read(readme))
    assert (refused.value.line, said["words"] in refused.value.reason) == (said["line"], True), refused.value
    errors, _ = cards.validate(readme.decode("utf-8"), "model")
    assert errors == [refused.value.message]


def test_long_keys_are_long() -> None:
    assert len(form("05-complex-keys-of-300-characters").fields[0].label) >= 300
