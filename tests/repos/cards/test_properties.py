"""Whatever a card says, reading it ends in a card or a CardError, and rendering it in safe HTML."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.errors import InvalidFields
from repos import cards
from repos.cards.form import FIELD_TYPES
from repos.cards.markdown import render_card, render_prompt
from tests.repos.cards.safe import assert_safe
from tests.repos.cards.test_wild import NAMES, card

# The machine that runs this may be busy; a hang is what the timeout is for.
unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
pytestmark = pytest.mark.timeout(240)

YAML = """--- ... a: - ? : &a *a !!str !x <<: | >- ' " # { } [ ] , %YAML \\x00 ~ Yes 1.0 2024-01-01 0x1F checkbox text
extra_gated_fields: extra_gated_prompt: type: select options: required:""".split()
HTML = """< </ > /> ' " = <b> </b> <a¬href= <img¬src= <script> </script> <style> <!-- --> <svg> <math> <p> </p>
<div¬ <table> <td> <tr> <li> <ul> ¬onerror=alert(1) javascript: data: x * _ ` ``` [ ]( ) ![ > - # | &lt; &# \\
https://a.b/ www. @
~~ 1. <details> <summary> <h1¬id=x> <x-y> <![CDATA[ &Tab; &colon;""".split()
yaml_bits = st.sampled_from([*YAML, " ", "  ", "\n", "\r\n", "\t", "\ufeff"])
html_bits = st.sampled_from([*(bit.replace("¬", " ") for bit in HTML), " ", "\n", "\n\n", "\x00"])
texts = st.text(max_size=200)


def soup_of(bits: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.lists(bits | st.text(max_size=6), max_size=40).map("".join)


def read_or_refused(readme: bytes | str) -> tuple[cards.Card, cards.FormSpec] | None:
    """The card and its form, or None when it was refused as it should be: with one line, and with a reason."""
    try:
        card = cards.read(readme)
        return card, cards.form_of(card)
    except cards.CardError as caught:
        error = caught
    assert error.reason
    assert "\n" not in error.message
    assert error.line is None or error.line >= 1
    return None


def check(readme: bytes | str) -> None:
    found = read_or_refused(readme)
    if found is None:
        return
    card, spec = found
    stored = json.dumps(card.metadata, allow_nan=False, ensure_ascii=False).encode("utf-8")
    assert json.loads(stored) == card.metadata
    card.text.encode("utf-8")
    again = cards.FormSpec.from_json(json.loads(json.dumps(spec.to_json()).encode("utf-8")))
    assert again == spec
    assert again.digest == spec.digest


@unhurried
@given(st.binary(max_size=400))
def test_any_bytes(readme: bytes) -> None:
    check(readme)


@unhurried
@given(soup_of(yaml_bits))
def test_any_metadata(metadata: str) -> None:
    check(f"---\n{metadata}\n---\ntext")


@unhurried
@given(st.sampled_from(NAMES).map(card), st.data())
def test_any_card_with_a_few_bytes_changed(readme: bytes, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(readme)))
    end = data.draw(st.integers(start, min(len(readme), start + 20)))
    check(readme[:start] + data.draw(st.binary(max_size=6)) + readme[end:])


@unhurried
@given(st.dictionaries(texts.filter(lambda label: "\r" not in label), st.sampled_from(FIELD_TYPES), max_size=6))
def test_labels_come_back_letter_for_letter(fields: dict[str, str]) -> None:
    said = {
        label: {"type": kind, "options": [label, {"label": "x" + label, "value": "y" + label}]}
        if kind == "select"
        else kind
        for label, kind in fields.items()
    }
    # JSON is YAML, but for code points that YAML must not have unescaped.
    found = read_or_refused(f"---\n{json.dumps({'extra_gated_fields': said})}\n---\n")
    if found is not None:
        assert [(field.label, field.type) for field in found[1].fields] == list(fields.items())
        for field in found[1].fields:
            if field.type == "select":
                assert [option.value for option in field.options] == [field.label, "y" + field.label]


anything = (
    st.none() | st.booleans() | st.integers() | st.floats() | texts | st.lists(texts) | st.dictionaries(texts, texts)
)
FORM = cards.FormSpec(
    fields=tuple(
        cards.Field(
            kind,
            kind,  # type: ignore[arg-type]
            required=required,
            options=(cards.Option("One", "1"), cards.Option("Two", "2")) if kind == "select" else (),
        )
        for kind, required in zip(FIELD_TYPES, [True, False] * 5, strict=False)
    )
)


def cleaned_or_problems(given: dict[str, Any]) -> dict[str, str]:
    """Answers always have the country; problems never do."""
    try:
        return cards.clean_answers(FORM, given, country="FR")
    except InvalidFields as refused:
        return refused.fields


@unhurried
@given(st.dictionaries(st.sampled_from(FIELD_TYPES) | texts, anything))
def test_any_answers_are_cleaned_or_refused_by_label(given: dict[str, Any]) -> None:
    answers = cleaned_or_problems(given)
    assert set(answers) <= set(FIELD_TYPES)
    if "ip_location" not in answers:
        assert all(answers.values())
        return
    assert answers["ip_location"] == "FR"
    for answer in answers.values():
        answer.encode("utf-8")
        assert "\x00" not in answer


@unhurried
@given(soup_of(html_bits))
def test_no_active_markup_in_any_text(text: str) -> None:
    assert_safe(render_card(text, resolve_url="/lab/x/resolve/main/"))
    assert_safe(render_prompt(text))


@unhurried
@given(soup_of(yaml_bits | html_bits))
def test_no_active_markup_in_any_card(readme: str) -> None:
    found = read_or_refused(readme)
    if found is not None:
        card, spec = found
        assert_safe(render_card(card.text, resolve_url="/lab/x/resolve/main/"))
        for text in (spec.prompt, spec.description, *(field.help for field in spec.fields)):
            assert_safe(render_prompt(text))
