"""Filters of requests, as a bulk review keeps them.  sam and noor ask for lab/toxic-bert."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from access import filters, search, services
from access.filters import Question, RequestFilter
from access.models import AccessRequest
from accounts.actor import Actor
from tests.support.cast import ANSWERS, add_files

ODD = 'He said: "yes", \\n and 100%_?'
"""A label that JSON, LIKE and JSON paths each would trip over."""


@pytest.fixture
def asked(gated_repo, sam, noor):
    return [services.ask(repo=gated_repo, answers=ANSWERS, by=Actor(user=user)) for user in (sam, noor)]


def found(repo, **said) -> list[str]:
    rows = RequestFilter(**said).requests(repo).order_by("pk")
    return [row.user.username for row in rows.select_related("user")]


def test_requests_of_other_repos_and_states_are_never_found(asked, gated_repo, make_repo, ada, olu):
    other = make_repo("lab/other", by=ada, gated="manual")
    services.ask(repo=other, answers={}, by=Actor(user=olu))
    services.review(access_request=asked[0], status="accepted", by=Actor(user=ada))
    assert found(gated_repo) == ["noor"]
    assert found(gated_repo, status="accepted") == ["sam"]


@pytest.mark.parametrize(
    ("label", "answer", "answers"),
    [
        ("Company", "Acme", {"Company": "Acme"}),
        (ODD, ODD, {ODD: ODD}),
        ("Größe", "très \u2028 grand 🎉", {"Größe": "très \u2028 grand 🎉"}),
        ("a__b", "x", {"a__b": "x"}),
        ("$.a", "'", {"$.a": "'"}),
        ("", "x", {"": "x"}),
    ],
)
def test_an_answer_is_matched_letter_for_letter(asked, gated_repo, label, answer, answers):
    AccessRequest.objects.filter(user__username="noor").update(answers=answers | {"more": "things"})
    assert found(gated_repo, answers=((label, answer),)) == ["noor"]
    assert found(gated_repo, answers=((label, answer), ("more", "things"))) == ["noor"]
    assert found(gated_repo, answers=((label, answer), ("more", "other"))) == []
    assert found(gated_repo, answers=((label, answer + "x"),)) == []


def test_two_answers_to_one_question_nobody_has(asked, gated_repo):
    for number in (1, 2):
        more = (("I agree", "true"),) * (number - 1)
        assert found(gated_repo, answers=(("Company", "Acme"), ("Company", "Other"), *more)) == []


def test_an_answer_that_looks_like_another_pair_is_not_mistaken(asked, gated_repo):
    AccessRequest.objects.filter(user__username="noor").update(answers={"Free text": '"I agree": "true"'})
    AccessRequest.objects.filter(user__username="sam").update(answers={'x"I agree': "true"})
    assert found(gated_repo, answers=(("I agree", "true"),)) == []


def test_a_country_is_found_in_each_question_that_tells_one(asked, gated_repo):
    AccessRequest.objects.filter(user__username="noor").update(answers={"Where from": "FR"})
    assert found(gated_repo, country="FR", countries_in=("Country", "Where from")) == ["sam", "noor"]
    assert found(gated_repo, country="FR", countries_in=("Where from",)) == ["noor"]
    assert found(gated_repo, country="FR", countries_in=()) == []


def test_times_include_their_bounds(asked, gated_repo):
    now = timezone.now()
    AccessRequest.objects.filter(user__username="sam").update(requested_at=now - timedelta(days=2))
    AccessRequest.objects.filter(user__username="noor").update(requested_at=now)
    assert found(gated_repo, asked_before=now - timedelta(days=2)) == ["sam"]
    assert found(gated_repo, asked_after=now) == ["noor"]
    assert RequestFilter(asked_before=now).until(now - timedelta(days=1)).asked_before == now - timedelta(days=1)
    assert RequestFilter(asked_before=now).until(now + timedelta(days=1)).asked_before == now


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)


@given(
    st.builds(
        RequestFilter,
        status=st.sampled_from(["pending", "accepted", "rejected"]),
        search=texts,
        answers=st.lists(st.tuples(texts, texts), max_size=3).map(tuple),
        country=st.sampled_from(["", "FR"]),
        countries_in=st.lists(texts, max_size=2).map(tuple),
        asked_after=st.none() | st.datetimes(timezones=st.just(timezone.get_fixed_timezone(60))),
    )
)
def test_a_filter_is_kept_and_read_again(chosen):
    assert RequestFilter.from_json(chosen.to_json()) == chosen


@pytest.mark.parametrize("damage", [{"status": "open"}, {"asked_after": "yesterday"}, {"answers": [["x"]]}])
def test_a_filter_that_cannot_be_read_decides_nothing(damage):
    with pytest.raises(ValueError, match=r"."):
        RequestFilter.from_json(RequestFilter().to_json() | damage)


def test_what_narrows():
    assert not RequestFilter().narrows
    assert not RequestFilter("accepted", countries_in=("Country",)).narrows
    for narrower in ({"search": "x"}, {"answers": (("a", "b"),)}, {"country": "FR"}, {"asked_after": timezone.now()}):
        assert replace(RequestFilter(), **narrower).narrows


@pytest.mark.parametrize(("text", "said", "hit"), [
    ("Ada Lovelace", "lovelace ADA", True), ("Ada Lovelace", "lace", True), ("Ada Lovelace", "ov", False),
    ("Ada Lovelace", "lo", True), ("Łukasz Straße", "łukasz", True), ("Łukasz Straße", "STRASSE", True),
    ("José", "jose\u0301", True), ("李明", "李", True), ("李明", "明", False), ("100%", "100%", True),
    ("1000", "100%", False), ("a_b_c", "a_b", True), ("axb_c", "a_b", False), ("x", "", True),
    ("to a_b", "a_b", True), ("aa_b", "a_b", False), ("aa_bcd", "a_bcd", True), ("x@ab", "@ab", True),
    ("शर्मा", "र्मा", True), ("o’brien", "rien", True), ("jo’b", "o’b", False),
    ("r & d", "d & r", True), ("r & d", "&", False), ("100%", "%", False),
    ("ﬁnance", "finance", True), ("two words", "two  \t words", True),
])  # fmt: skip
def test_search(asked, gated_repo, text, said, hit):
    AccessRequest.objects.filter(user__username="sam").update(search_text=search.searchable([text]))
    assert ("sam" in found(gated_repo, search=said)) == hit


def test_questions_are_those_of_the_forms_that_were_answered(asked, gated_repo):
    questions = filters.questions_of(gated_repo)
    assert [(question.label, question.options) for question in questions.choices] == [
        ("I agree", (("true", "Yes"), ("false", "No")))
    ]
    assert questions.countries_in == ("Country",)
    key = questions.choices[0].key
    assert questions.answer(f"{key}:true") == ("I agree", "true")
    for nonsense in ("", ":", "true", f"{key}:", f"{key}:maybe", "0000000000:true"):
        assert questions.answer(nonsense) is None


def test_an_option_of_several_lines_is_known_again_as_browsers_send_it(gated_repo, ada):
    options = b"    - |\n      Two\n      lines\n    - >\n      Fold\n      ed\n"
    card = b"---\nextra_gated_fields:\n  Use:\n    type: select\n    options:\n" + options + b"---\n"
    add_files(gated_repo, {"README.md": card}, by=ada)
    gated_repo.refresh_from_db()
    questions = filters.questions_of(gated_repo)
    (question,) = questions.choices
    assert [value for value, _ in question.options] == ["Two\nlines\n", "Fold ed\n"]
    for said in ("Two\nlines\n", "Two\r\nlines\r\n", "Two\rlines\r"):
        assert questions.answer(f"{question.key}:{said}") == ("Use", "Two\nlines\n")
    assert questions.answer(f"{question.key}:Fold ed\r\n") == ("Use", "Fold ed\n")
    assert questions.answer(f"{question.key}:Two lines") is None


def test_options_of_two_forms_that_differ_in_their_last_newline_are_told_apart():
    question = Question("k", "Use", (("one", "one"), ("one\n", "one\n")))
    questions = filters.Questions((question,))
    assert questions.answer("k:one\r\n") == ("Use", "one\n")
    assert questions.answer("k:one") == ("Use", "one")
