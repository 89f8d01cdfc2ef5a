"""Whatever a card says, reading it ends in a card or a CardError, and rendering it in safe HTML."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from accounts.errors import InvalidFields
from repos import cards
from repos.cards.form import FIELD_TYPES
from repos.cards.markdown import render_card, render_prompt
from tests.repos.cards.safe import assert_safe
from tests.repos.cards.test_wild import NAMES, card

# The machine that runs this may be busy; a hang is what the timeout is for.
SECONDS = 10  # Far above what any of these takes here, and far below a hang.
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
    """The card and its form, or None when it was refused as it should be: soon, with one line, and with a reason."""
    started = time.process_time()
    try:
        card = cards.read(readme)
        return card, cards.form_of(card)
    except cards.CardError as caught:
        error = caught
    finally:
        assert time.process_time() - started < SECONDS
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


# Classes of YAML that soups of bits do not hit upon, woven into metadata that are otherwise in order.  Each is a
# function of a text that was drawn, and gives lines of `extra_gated_fields`, indented by two.
@st.composite
def nested(draw: st.DrawFn) -> str:
    depth = draw(st.integers(1, 4000))
    open_, close = draw(
        st.sampled_from([("[", "]"), ("{a: ", "}"), ("- ", ""), ("? ", ""), ("&a [", "]"), ("!!seq [", "]")])
    )
    return f"  Deep: {open_ * depth}x{close * draw(st.sampled_from([depth, depth - 1, 0]))}"


@st.composite
def aliased(draw: st.DrawFn) -> str:
    names = draw(st.lists(st.sampled_from("abcdef"), min_size=1, max_size=12))
    lines = []
    for place, name in enumerate(names):
        used = draw(st.lists(st.sampled_from("abcdef"), max_size=9))
        inside = ", ".join(f"*{alias}" for alias in used)
        lines.append(
            f"  k{place}: &{name} "
            + draw(st.sampled_from([f"[{inside}]", f"{{x: [{inside}]}}", "text", "{type: text}"]))
        )
    lines.append(f"  last: *{draw(st.sampled_from('abcdef'))}")
    lines.append(draw(st.sampled_from(["  *a : text", "  ? *b\n  : *c", "  end: text"])))
    return "\n".join(lines)


@st.composite
def merged(draw: st.DrawFn) -> str:
    key = draw(st.sampled_from(["<<", "'<<'", "!!merge <<", "? <<\n   ", "=", "!!str <<"]))
    value = draw(st.sampled_from(["*base", "[*base, *base]", "{type: text}", "text", "*nowhere"]))
    return f"  Base: &base {{type: text}}\n  Other:\n    {key}: {value}\n    required: no"


@st.composite
def tagged(draw: st.DrawFn) -> str:
    tags = ["!!str", "!!int", "!!float", "!!bool", "!!null", "!!map", "!!seq", "!!set", "!!omap", "!!pairs",
            "!!binary", "!!timestamp", "!!python/name:os.system", "!!python/object/apply:os.system", "!mine", "!",
            "!<tag:x,2024:y>", "!!js/function"]  # fmt: skip
    tag, other = draw(st.sampled_from(tags)), draw(st.sampled_from(tags))
    return f"  {tag} Label: {other} {draw(st.sampled_from(['text', '[id]', '{type: text}', '1', 'aGk=', '~', '']))}"


@st.composite
def repeated(draw: st.DrawFn) -> str:
    labels = draw(
        st.lists(st.sampled_from(["A", "'A'", '"A"', '"\\x41"', "a", "A ", "? A\n ", "1", "'1'", "1.0"]), min_size=2)
    )
    return "\n".join(
        f"  {label}: {draw(st.sampled_from(['text', 'checkbox', '{type: text, type: url}']))}" for label in labels
    )


@st.composite
def lengthy(draw: st.DrawFn) -> str:
    unit = draw(
        st.sampled_from(["x", "é", "👩‍🔬", "0", "1_", "1:", ". ", "\\n", "''", '\\"', "a: ", "- ", "#", "\t", "%00"])
    )
    text = unit * draw(st.integers(1, 40_000))
    form_ = draw(st.sampled_from(['"{}"', "'{}'", "{}", "|\n    {}", ">-\n    {}"]))
    place = draw(
        st.sampled_from(
            [
                "  Label: {{type: text, help: {}}}",
                "  ? {}\n  : text",
                "  Label: {}",
                "  L: {{type: select, options: [{}]}}",
            ]
        )
    )
    return place.format(form_.format(text))


@st.composite
def controlled(draw: st.DrawFn) -> str:
    code = draw(
        st.sampled_from(
            [*range(0x20), *range(0x7F, 0xA1), 0x2028, 0x2029, 0xFEFF, 0xFFFE, 0xFFFF, 0x202E, 0xE000, 0x10FFFF]
        )
    )
    raw = draw(
        st.sampled_from(
            [chr(code), f'"\\u{code:04x}"' if code <= 0xFFFF else f'"\\U{code:08x}"', '"\\ud83d\\ude00"', '"\\udc00"']
        )
    )
    return draw(
        st.sampled_from([f"  a{raw}: text", f"  {raw}: text", f"  Label: {{type: text, help: {raw}}}", f"  L: {raw}"])
    )


many = settings(unhurried, max_examples=500)
fields_of_all_kinds = st.one_of(nested(), aliased(), merged(), tagged(), repeated(), lengthy(), controlled())


@many
@given(st.lists(fields_of_all_kinds, min_size=1, max_size=3), st.sampled_from(["\n", "\r\n", "\r"]), st.booleans())
def test_any_kind_of_yaml_ends_soon(parts: list[str], newline: str, closed: bool) -> None:
    fields = "\n".join(parts)
    end = "\n---\ntext" if closed else ""
    check(f"---\nextra_gated_prompt: x\nextra_gated_fields:\n{fields}{end}".replace("\n", newline))


@many
@given(st.lists(fields_of_all_kinds, min_size=1, max_size=2))
def test_whatever_kind_of_yaml_a_label_comes_from_it_lets_no_markup_through(parts: list[str]) -> None:
    found = read_or_refused("---\nextra_gated_fields:\n" + "\n".join(parts) + "\n---\n")
    for field in found[1].fields if found is not None else ():
        assert_safe(render_prompt(field.help))
        assert field.type in FIELD_TYPES
        assert field.label.strip()


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
@example("<td>https://a.b/")
@example("<td>a.html")
def test_no_active_markup_in_any_card(readme: str) -> None:
    found = read_or_refused(readme)
    if found is not None:
        card, spec = found
        assert_safe(render_card(card.text, resolve_url="/lab/x/resolve/main/"))
        for text in (spec.prompt, spec.description, *(field.help for field in spec.fields)):
            assert_safe(render_prompt(text))
