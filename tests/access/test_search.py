"""What of a search an index is asked for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from access import search
from access.models import AccessRequest
from access.search import ENOUGH_TEXTS, having, matching, searchable, telling

MANY = 300
PEOPLE = [searchable([f"person-{n * 37}", f"{n}@example.org"]) for n in range(MANY)]


@pytest.mark.parametrize(
    ("said", "parts"),
    [
        ("person-1234", ["-1234"]),  # Everybody has a "person".
        ("Person-1234", ["-1234"]),
        ("example zanzibar", ["zanzibar"]),
        ("exampleresearch", ["leresearch"]),  # Of which nobody has the first three, but everybody the rest.
        ("zanzibar", []),  # Nothing is common.
        ("person example", []),  # Everything is.
        ("zz", []),
        ("", []),
        ("%%%", []),
    ],
)
def test_of_a_search_the_index_is_not_asked_for_what_everybody_has(said, parts):
    assert telling(said, PEOPLE) == parts


def test_of_common_words_the_rarest_are_asked_for_until_hardly_anybody_has_them_all():
    words = [("half", 2), ("third", 3), ("fourth", 4)]
    texts = [searchable([*(word for word, nth in words if n % 12 < 12 // nth), "all"]) for n in range(MANY)]
    assert telling("half third", texts) == []  # A third has both, and there is nothing else.
    texts = [text.replace("fourth", "") if " third" in text else f"{text} fourth" for text in texts]
    assert telling("half third fourth all", texts) == ["half", "third", "fou"]  # Nobody has all.
    assert telling("third all", texts) == []


def test_few_texts_tell_nothing():
    assert telling("person-1234", PEOPLE[: ENOUGH_TEXTS - 1]) == []
    assert telling("person-1234", PEOPLE[:ENOUGH_TEXTS]) == ["-1234"]
    assert telling("person-1234", []) == []


def test_texts_that_have_each_word_are_counted():
    texts = [searchable(["Zoë", "Straße"]), searchable(["ZOË", "Paris"]), ""]
    assert [having(said, texts) for said in ("zoë", "STRASSE zoe\u0308", "aß", "ßa", "ë", "")] == [2, 1, 1, 0, 0, 3]


def test_of_a_paragraph_some_parts_do():
    said = " ".join(f"person-{n}" for n in range(1000, 1008)) + " " + "example" * 20
    parts = telling(said, PEOPLE)
    assert parts
    assert sum(len(part) - 2 for part in parts) <= search.MOST_GROUPS
    assert telling("pqrstuvwxyz" * 18, PEOPLE) == []  # Of that, everything tells.


def test_a_word_is_cut_only_where_the_index_knows_words_to_begin_or_in_letters():
    """Of `a_b`, or of signs alone, it holds nothing that tells."""
    texts = [searchable([f"a_b-{n}", "---"]) for n in range(MANY)]
    for part in telling("a_b-77 xx---yy9", texts):
        assert any(map(str.isalnum, part)), part
        assert part[:3].isalnum() or not part[0].isalnum(), part


@given(st.lists(st.text("ab-9 ü李", max_size=8), max_size=4), st.integers(0, 2**20))
def test_parts_are_of_the_words_and_hardly_anybody_has_them_all(words, seed):
    texts = [searchable([f"a{(n * seed) % 97} b-{n % 7} ü李 {'9' * (n % 5)}a"]) for n in range(ENOUGH_TEXTS)]
    said = " ".join(words)
    parts = telling(said, texts)
    whole = search._words(said)
    assert all(any(part in word for word in whole) for part in parts)
    if parts:
        assert sum(all(part in text for part in parts) for text in texts) <= 1


@pytest.mark.postgresql
@pytest.mark.parametrize("said", ["person-1234", "person-123 9", "example 77@", "1%4 person", "a\\b_1 person"])
def test_asked_for_by_its_parts_a_search_finds_the_same(said, gated_repo, sam):
    texts = [*PEOPLE, searchable(["person-1234", "1%4"]), searchable(["a\\b_1", "person-9"]), searchable(["1234"])]
    AccessRequest.objects.create(repo=gated_repo, user=sam)
    row = AccessRequest.objects.get()
    for text in texts:
        AccessRequest.objects.filter(pk=row.pk).update(search_text=text)
        whole = AccessRequest.objects.filter(matching(said)).exists()
        for parts in (telling(said, PEOPLE), [word[:3] for word in search._words(said)]):
            assert AccessRequest.objects.filter(matching(said, parts)).exists() == whole, (text, parts)
