"""Gate forms: what a card must say, and what is refused with which line."""

from __future__ import annotations

import json
from textwrap import dedent, indent

import pytest

from repos.cards import CardError, Field, FormSpec, Option, form_of, read
from repos.cards.form import FIELD_TYPES, MAX_FIELDS, MAX_LABEL, MAX_OPTIONS


def form(metadata: str) -> FormSpec:
    return form_of(read(f"---\n{dedent(metadata).strip()}\n---\n"))


def fields(said: str) -> tuple[Field, ...]:
    """The fields of a card whose `extra_gated_fields` start on line 3."""
    return form("extra_gated_fields:\n" + indent(dedent(said).strip(), "  ")).fields


def refused(said: str) -> CardError:
    with pytest.raises(CardError) as caught:
        fields(said)
    return caught.value


def test_a_card_that_says_nothing_makes_the_empty_form() -> None:
    assert form_of(read("# Title\n")) == FormSpec()


def test_the_first_example_of_the_hub_s_docs() -> None:
    spec = form_of(
        read(
            """---
extra_gated_prompt: "You agree to not use the model to conduct experiments that cause harm to human subjects."
extra_gated_fields:
 Company: text
 Country: text
 I agree to use this model for non-commercial use ONLY: checkbox
---
"""
        )
    )
    assert spec == FormSpec(
        prompt="You agree to not use the model to conduct experiments that cause harm to human subjects.",
        fields=(
            Field("Company", "text"),
            Field("Country", "text"),
            Field("I agree to use this model for non-commercial use ONLY", "checkbox"),
        ),
    )


def test_the_second_example_of_the_hub_s_docs() -> None:
    spec = form_of(
        read(
            """---
extra_gated_heading: "Acknowledge license to accept the repository"
extra_gated_button_content: "Acknowledge license"
---"""
        )
    )
    assert spec == FormSpec(
        heading="Acknowledge license to accept the repository", button_content="Acknowledge license"
    )


@pytest.mark.parametrize("field_type", sorted(set(FIELD_TYPES) - {"select"}))
def test_every_type_as_a_word_and_as_a_mapping(field_type: str) -> None:
    (word,) = fields(f"Label: {field_type}")
    (mapping,) = fields(f"Label:\n  type: {field_type}")
    assert word == mapping
    assert (word.label, word.type, word.required) == ("Label", field_type, True)


@pytest.mark.parametrize("said", ["false", "False", "no", "No", "off", "'false'", "n"])
def test_a_field_may_be_left_empty_when_the_card_says_so(said: str) -> None:
    assert not fields(f"Label: {{type: text, required: {said}}}")[0].required


@pytest.mark.parametrize("said", ["true", "yes", "On", "", "~"])
def test_a_field_is_required_otherwise(said: str) -> None:
    assert fields(f"Label: {{type: text, required: {said}}}")[0].required


@pytest.mark.parametrize(("said", "value"), [("true", True), ("Yes", True), ("false", False), ("", False)])
def test_eu_disallowed(said: str, value: bool) -> None:
    assert form(f"extra_gated_eu_disallowed: {said}").eu_disallowed is value


def test_options_have_a_label_and_a_value() -> None:
    said = "Use:\n  type: select\n  options: [One, {label: Two, value: 2}, {label: Three}, {value: four}]"
    assert fields(said)[0].options == (
        Option("One", "One"),
        Option("Two", "2"),
        Option("Three", "Three"),
        Option("four", "four"),
    )


@pytest.mark.parametrize(
    ("said", "line", "words"),
    [
        ("Name: text\nCompany: slider", 4, 'the field "Company" has the unknown type "slider"; the types are text, '),
        ("Company:\n  type: slider", 4, 'the field "Company" has the unknown type "slider"'),
        ("Company: ", 3, 'the field "Company" has no type'),
        ("Company: ~", 3, "has no type"),
        ("Company: {}", 3, "has no type"),
        ("Company:\n  required: false", 4, "has no type"),
        ("Company: {type: [text]}", 3, "has no type"),
        ("Company: [text]", 3, "must have a type, not a list"),
        ("Company: true", 3, 'the unknown type "true"'),
        ("just text", 3, "must be made of 'label: type' lines"),
        ("- just text", 3, "must be made of 'label: type' lines"),
        ("- Name: text\n- [Company, text]", 4, "must be made of 'label: type' lines"),
        ("- Name: text\n- Name: text", 4, 'the field "Name" is given twice'),
        ("- Name: text\n- Company:\n  type: text", 4, 'the field "Company" has no type'),
        ('"two\\nlines": text\n"two\\r\\nlines": text', 4, "is given twice"),
        ("'': text", 3, "empty label"),
        ("'   ': text", 3, "empty label"),
        ("csrfmiddlewaretoken: text", 3, "reserved"),
        (f"? {'x' * (MAX_LABEL + 1)}\n: text", 3, "longer than 5,000 characters"),
        ("Use: select", 3, "needs a list of options"),
        ("Use:\n  type: select", 4, "needs a list of options"),
        ("Use:\n  type: select\n  options: []", 5, "needs a list of options"),
        ("Use:\n  type: select\n  options: one", 5, "needs a list of options"),
        ("Use:\n  type: select\n  options: {a: b}", 5, "needs a list of options"),
        ("Use:\n  type: select\n  options:\n    - a\n    - b\n    - a", 8, 'has the option "a" twice'),
        ("Use:\n  type: select\n  options:\n    - a\n    - {label: a, value: b}", 7, "twice"),
        ('Use:\n  type: select\n  options:\n    - "a\\nb"\n    - "a\\r\\nb"', 7, "twice"),
        ("Use:\n  type: select\n  options:\n    - a\n    - {label: b, value: a}", 7, "twice"),
        ("Use:\n  type: select\n  options:\n    - a\n    -", 7, "empty option"),
        ("Use:\n  type: select\n  options: ['  ']", 5, "empty option"),
        ("Use:\n  type: select\n  options: [{label: ~}]", 5, "empty option"),
        ("Use:\n  type: select\n  options: [[a]]", 5, "an option is a text, or has a label and a value"),
        ("Use:\n  type: select\n  options: [{Other: other}]", 5, "an option is a text, or has a label and a value"),
        ("Use:\n  type: select\n  options: [{}]", 5, "an option is a text, or has a label and a value"),
        ("Use:\n  type: select\n  options: [{label: [a]}]", 5, "must be a text, not a list"),
        ("Name: {type: text, required: perhaps}", 3, "must be true or false"),
        ("Name: {type: text, required: [no]}", 3, "must be true or false"),
        ("Name: {type: text, help: [a]}", 3, "must be a text, not a list"),
    ],
)
def test_what_makes_no_form_is_refused_with_line_and_field(said: str, line: int, words: str) -> None:
    error = refused(said)
    assert words in error.message
    assert error.line == line


@pytest.mark.parametrize("key", ["heading", "description", "prompt", "button_content"])
def test_texts_must_be_texts_of_some_size(key: str) -> None:
    with pytest.raises(CardError, match=f"line 2: extra_gated_{key} must be a text"):
        form(f"extra_gated_{key}: [a]")
    with pytest.raises(CardError, match=f"line 2: extra_gated_{key} is longer than"):
        form(f"extra_gated_{key}: {'x' * 200_001}")


def test_eu_disallowed_must_be_plain_for_a_gate_must_not_guess() -> None:
    with pytest.raises(CardError, match="extra_gated_eu_disallowed must be true or false"):
        form("extra_gated_eu_disallowed: sometimes")


def test_all_that_is_wrong_is_told_at_once_in_the_order_of_the_lines() -> None:
    error = refused(
        """
        Company: nonsense
        Country: country
        Use:
          type: select
          required: perhaps
          help: [1]
          options: [a, "", a, {text: b}]
        Company: text
        Name: [text]
        " ": text
        """.replace("Company: text", "'Company ': text")
    )
    assert [(each.line, each.reason.partition(";")[0]) for each in error.all] == [
        (3, 'the field "Company" has the unknown type "nonsense"'),
        (7, "'required' of the field \"Use\" must be true or false"),
        (8, "'help' of the field \"Use\" must be a text, not a list or a mapping"),
        (9, 'the field "Use" has an empty option'),
        (9, 'the field "Use" has the option "a" twice'),
        (9, 'the field "Use": an option is a text, or has a label and a value'),
        (11, 'the field "Name" must have a type, not a list'),
        (12, "a field has an empty label"),
    ]
    assert error is error.all[0]
    assert error.summary == "; ".join(each.message for each in error.all[:3]) + "; and 5 more"


def test_texts_and_fields_that_are_wrong_are_told_together() -> None:
    with pytest.raises(CardError) as caught:
        form(
            """
            extra_gated_eu_disallowed: maybe
            extra_gated_prompt: [a]
            extra_gated_fields:
            - Company: text
            - Country
            - Company: text
            """
        )
    assert [each.line for each in caught.value.all] == [2, 3, 6, 7]


def test_as_many_faults_are_told_as_anybody_mends_at_once() -> None:
    error = refused("\n".join(f"Field {number}: nonsense" for number in range(60)))
    assert [each.line for each in error.all] == list(range(3, 23))
    repeated = "extra_gated_fields:\n- &a {Company: nonsense}\n- *a\n- *a"
    with pytest.raises(CardError) as caught:
        form(repeated)
    told = [each.reason.partition(";")[0] for each in caught.value.all]
    assert told == ['the field "Company" has the unknown type "nonsense"', 'the field "Company" is given twice']


def test_numbers_of_fields_and_options_are_limited() -> None:
    assert len(fields("\n".join(f"F{i}: text" for i in range(MAX_FIELDS)))) == MAX_FIELDS
    assert "more than 100 fields" in refused("\n".join(f"F{i}: text" for i in range(MAX_FIELDS + 1))).reason
    assert "more than 100 fields" in refused("\n".join(f"- F{i}: text" for i in range(MAX_FIELDS + 1))).reason
    many = ", ".join(f"o{i}" for i in range(MAX_OPTIONS + 1))
    assert "more than 1,000 options" in refused(f"Use: {{type: select, options: [{many}]}}").reason


def test_messages_stay_short_when_labels_are_long() -> None:
    assert len(refused(f"? {'long label ' * 200}\n: slider").message) < 300


def test_the_digest_tells_forms_apart_and_only_forms() -> None:
    said = "extra_gated_fields: {Name: text}"
    same = form_of(read(f"---\n# comment\nlicense: mit\n{said}\n---\n# Another text\n"))
    assert form(said).digest == same.digest == form("extra_gated_fields:\n- Name: {type: text}").digest
    others = [
        FormSpec(),
        form("extra_gated_fields: {name: text}"),
        form("extra_gated_fields: {Name: textarea}"),
        form("extra_gated_fields: {Name: {type: text, required: no}}"),
        form("extra_gated_fields: {Name: {type: text, help: x}}"),
        form(f"{said}\nextra_gated_heading: x"),
        form(f"{said}\nextra_gated_prompt: x"),
        form(f"{said}\nextra_gated_eu_disallowed: true"),
    ]
    assert len({spec.digest for spec in [*others, form(said)]}) == len(others) + 1
    assert len(form(said).digest) == 64


def test_the_order_of_fields_is_part_of_the_form() -> None:
    assert (
        form("extra_gated_fields: {A: text, B: text}").digest != form("extra_gated_fields: {B: text, A: text}").digest
    )


def test_forms_stored_by_earlier_versions_can_be_read() -> None:
    assert FormSpec.from_json({}) == FormSpec()
    assert FormSpec.from_json(json.loads('{"fields": [{"label": "A", "type": "text"}]}')).fields == (
        Field("A", "text"),
    )
