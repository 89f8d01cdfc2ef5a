"""Answers to a gate form: what is stored, what is refused at which field."""

from __future__ import annotations

from typing import Any

import pytest
from django.http import QueryDict

from accounts.errors import InvalidFields
from repos import cards
from repos.cards import Field, FormSpec, Option, answers_from_post, clean_answers, control_name, countries, country_code
from repos.cards.answers import MAX_TEXT

pytestmark = pytest.mark.timeout(20)


def one(field_type: str, *, required: bool = True, options: tuple[Option, ...] = ()) -> FormSpec:
    return FormSpec(fields=(Field("Q", field_type, required=required, options=options),))  # type: ignore[arg-type]


SELECT = one("select", options=(Option("Research", "research"), Option("Yes", "Yes"), Option("1.0", "1.0")))


def refused(spec: FormSpec, given: dict[str, Any]) -> dict[str, str]:
    with pytest.raises(InvalidFields) as caught:
        clean_answers(spec, given)
    return caught.value.fields


@pytest.mark.parametrize(
    ("spec", "given", "stored"),
    [
        (one("text"), "  Example University ", "Example University"),
        (one("text"), "=1+1", "=1+1"),
        (one("text"), 42, "42"),
        (one("text"), 1.5, "1.5"),
        (one("text"), "x" * MAX_TEXT, "x" * MAX_TEXT),
        (one("textarea"), "one\r\ntwo\rthree\n", "one\ntwo\nthree"),
        (one("checkbox"), True, "true"),
        (one("checkbox"), "on", "true"),
        (one("checkbox"), "TRUE", "true"),
        (one("checkbox"), "1", "true"),
        (one("checkbox"), 1, "true"),
        (one("checkbox"), "yes", "true"),
        (one("checkbox"), "checked", "true"),
        (one("checkbox"), "Q", "true"),
        (one("checkbox", required=False), False, "false"),
        (one("checkbox", required=False), "off", "false"),
        (one("checkbox", required=False), "", "false"),
        (one("date_picker"), "2024-02-29", "2024-02-29"),
        (one("country"), "FR", "FR"),
        (one("country"), "fr", "FR"),
        (one("country"), "FRA", "FR"),
        (one("country"), " united  kingdom ", "GB"),
        (one("country"), "UK", "GB"),
        (one("country"), "Türkiye", "TR"),
        (one("country"), "turkey", "TR"),
        (one("country"), "COTE D’IVOIRE", "CI"),
        (one("country"), "South Korea", "KR"),
        (one("country"), "Korea, Republic of", "KR"),
        (SELECT, "research", "research"),
        (SELECT, "Research", "research"),
        (SELECT, " Yes ", "Yes"),
        (SELECT, 1.0, "1.0"),
        (one("email"), "noor@example.org", "noor@example.org"),
        (one("url"), "https://example.org/a?b=c#d", "https://example.org/a?b=c#d"),
        (one("url"), "http://münchen.example", "http://münchen.example"),
    ],
)
def test_what_is_stored(spec: FormSpec, given: Any, stored: str) -> None:
    assert clean_answers(spec, {"Q": given}) == {"Q": stored}


@pytest.mark.parametrize(
    ("spec", "given", "problem"),
    [
        (one("text"), "", "this field is required"),
        (one("text"), "  \n ", "this field is required"),
        (one("text"), None, "this field is required"),
        (one("text"), True, "must be a text"),
        (one("text"), ["a"], "must be a text"),
        (one("text"), {"a": 1}, "must be a text"),
        (one("text"), 10**5000, "must be a text"),
        (one("text"), "x" * (MAX_TEXT + 1), "is longer than 20,480 characters"),
        (one("text"), "a\x00b", "control character U+0000"),
        (one("text"), "a\x1b[2Jb", "control character U+001B"),
        (one("text"), "a\ud800b", "control character U+D800"),
        (one("textarea"), "a\x0bb", "control character U+000B"),
        (one("checkbox"), None, "must be ticked"),
        (one("checkbox"), "", "must be ticked"),
        (one("checkbox"), False, "must be ticked"),
        (one("checkbox"), "false", "must be ticked"),
        (one("checkbox"), "perhaps", "must be ticked"),
        (one("checkbox"), 2, "must be ticked"),
        (one("checkbox"), [True], "must be a text"),
        (one("date_picker"), "2023-02-29", "must be a date"),
        (one("date_picker"), "29.02.2024", "must be a date"),
        (one("date_picker"), "20240229", "must be a date"),
        (one("date_picker"), "2024-W09-4", "must be a date"),
        (one("date_picker"), "0000-01-01", "must be a date"),
        (one("date_picker"), "٢٠٢٤-٠٢-٢٩", "must be a date"),
        (one("date_picker"), "2024-02-29T10:00", "must be a date"),
        (one("country"), "Atlantis", "must be a country"),
        (one("country"), "XX", "must be a country"),
        (one("country"), "250", "must be a country"),
        (SELECT, "other", "must be one of the options"),
        (SELECT, "yes", "must be one of the options"),
        (SELECT, True, "must be a text"),
        (one("email"), "noor@", "must be an email address"),
        (one("email"), "noor@example.org\nbcc: x@example.org", "must be an email address"),
        (one("email"), "x" * 10_000 + "@example.org", "must be an email address"),
        (one("url"), "example.org", "must be a full address"),
        (one("url"), "javascript:alert(1)", "must be a full address"),
        (one("url"), "file:///etc/passwd", "must be a full address"),
        (one("url"), "https://example.org/" + "x" * 3_000, "must be a full address"),
        (one("url"), "https://" + "a." * 10_000, "must be a full address"),
    ],
)
def test_what_is_refused(spec: FormSpec, given: Any, problem: str) -> None:
    assert problem in refused(spec, {"Q": given})["Q"]
    if given is None:
        assert problem in refused(spec, {})["Q"]


@pytest.mark.parametrize("field_type", ["text", "textarea", "date_picker", "country", "email", "url"])
def test_what_may_be_left_empty_has_then_no_answer(field_type: str) -> None:
    for given in ({}, {"Q": ""}, {"Q": "  "}, {"Q": None}):
        assert clean_answers(one(field_type, required=False), given) == {}


@pytest.mark.parametrize("field_type", ["date_picker", "country", "email", "url"])
def test_what_may_be_left_empty_may_not_be_wrong(field_type: str) -> None:
    assert refused(one(field_type, required=False), {"Q": "!"})


def test_a_select_may_be_left_empty() -> None:
    assert clean_answers(one("select", required=False, options=(Option("a", "a"),)), {"Q": ""}) == {}


def test_every_problem_is_told_at_once_and_under_its_label() -> None:
    spec = FormSpec(fields=(Field("Name", "text"), Field("Since", "date_picker"), Field("Agree", "checkbox")))
    assert refused(spec, {"Since": "yesterday"}) == {
        "Name": "this field is required",
        "Since": "must be a date of the form YYYY-MM-DD",
        "Agree": "must be ticked",
    }


def test_the_message_is_one_short_line_however_large_the_form() -> None:
    spec = FormSpec(fields=tuple(Field(f"line one\nline two {i} " * 50, "text") for i in range(100)))
    with pytest.raises(InvalidFields) as caught:
        clean_answers(spec, {})
    assert len(caught.value.fields) == 100
    assert len(caught.value.message) < 700
    assert "\n" not in caught.value.message
    assert caught.value.message.endswith("and 95 more")


def test_ip_location_is_never_what_the_caller_says() -> None:
    assert clean_answers(one("ip_location"), {"Q": "US"}, country="FR") == {"Q": "FR"}
    assert clean_answers(one("ip_location"), {"Q": "US"}) == {"Q": ""}
    assert clean_answers(one("ip_location"), {}, country="<b>") == {"Q": ""}


def test_keys_that_the_form_does_not_have_are_ignored() -> None:
    given = {"Q": "x", "csrfmiddlewaretoken": "t", "Company": "y", "q": "z", "status": "accepted"}
    assert clean_answers(one("text"), given) == {"Q": "x"}


def test_answers_stand_in_the_order_of_the_form() -> None:
    spec = FormSpec(fields=(Field("B", "text"), Field("A", "text")))
    assert list(clean_answers(spec, {"A": "1", "B": "2"})) == ["B", "A"]


LABELS = FormSpec(
    fields=(Field("two\nlines", "text"), Field("I agree: <b>yes</b> & 100%", "checkbox"), Field("名前", "text"))
)


def test_a_browser_s_post_is_read_by_labels() -> None:
    data = QueryDict(
        "csrfmiddlewaretoken=t&two%0D%0Alines=a&I+agree%3A+%3Cb%3Eyes%3C%2Fb%3E+%26+100%25=on&%E5%90%8D%E5%89%8D=b"
    )
    answers = answers_from_post(LABELS, data)
    assert answers == {"two\nlines": "a", "I agree: <b>yes</b> & 100%": "on", "名前": "b"}
    assert clean_answers(LABELS, answers)["two\nlines"] == "a"


def test_the_last_of_several_values_counts() -> None:
    assert answers_from_post(one("text"), QueryDict("Q=a&Q=b")) == {"Q": "b"}
    assert answers_from_post(one("text"), {"Q": ["a", "b"]}) == {"Q": "b"}
    assert answers_from_post(one("text"), {"Q": []}) == {"Q": []}


def test_a_control_may_be_named_by_its_number_and_the_label_goes_first() -> None:
    assert answers_from_post(one("text"), {control_name(0): "a"}) == {"Q": "a"}
    assert answers_from_post(one("text"), {control_name(0): "a", "Q": "b"}) == {"Q": "b"}


def test_a_label_that_looks_like_a_number_is_no_other_control() -> None:
    spec = FormSpec(fields=(Field("I agree", "checkbox"), Field(control_name(0), "text")))
    assert answers_from_post(spec, {control_name(0): "yes"}) == {control_name(0): "yes"}


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
def test_a_number_that_is_none_is_no_answer(number: float) -> None:
    assert refused(one("text"), {"Q": number}) == {"Q": "must be a text"}


def test_scripts_may_send_labels_with_either_newline() -> None:
    spec = FormSpec(fields=(Field("two\nlines", "text"),))
    assert clean_answers(spec, {"two\r\nlines": "a"}) == {"two\nlines": "a"}


def test_all_countries_are_offered_once_and_each_can_be_answered() -> None:
    offered = countries()
    assert len(offered) == len({code for code, _ in offered}) == 249
    assert ("FR", "France") in offered
    assert [name for _, name in offered[:2]] == ["Afghanistan", "Åland Islands"]
    for code, name in offered:
        assert country_code(code) == country_code(code.lower()) == country_code(name) == code


LINES = ["one\n", "one", "two\nlines\n"]


@pytest.mark.parametrize(
    ("said", "chosen"),
    [
        ("one\n", "one\n"),
        ("one\r\n", "one\n"),
        ("one\r", "one\n"),
        ("one", "one"),
        (" one ", "one\n"),
        ("two\r\nlines\r\n", "two\nlines\n"),
        ("two\nlines", "two\nlines\n"),
        ("two lines", None),
        ("", None),
        ("One", None),
    ],
)
def test_an_option_is_known_again_however_its_newlines_arrive_and_the_nearest_comes_first(
    said: str, chosen: str | None
) -> None:
    assert cards.known_again(said, LINES) == chosen


def test_an_option_of_several_lines_is_stored_as_the_card_has_it() -> None:
    spec = FormSpec(fields=(Field("Q", "select", options=(Option("Two\nlines\n", "two\nlines\n"), Option("b", "b"))),))
    for said in ("two\r\nlines\r\n", "two\nlines", "Two\r\nlines", "Two\rlines\n"):
        assert clean_answers(spec, {"Q": said}) == {"Q": "two\nlines\n"}
