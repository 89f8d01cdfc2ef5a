"""The beginning of a long text: where it may end."""

from __future__ import annotations

import pytest

from gatehub.web.excerpt import LONGEST, beginning_of

E_ACUTE = "e\u0301"
FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467"
FLAG = "\U0001f1eb\U0001f1f7"
THUMB = "\U0001f44d\U0001f3fd"
HEART = "\u2764\ufe0f"
KEYCAP = "1\ufe0f\u20e3"
HANGUL = "\u1112\u1161\u11ab"
KSSA = "\u0915\u094d\u0937\u093f"
SCOTLAND = "\U0001f3f4\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f"


def test_a_text_that_is_not_long_is_whole():
    for text in ("", "Example University", "x" * LONGEST, "word " * (LONGEST // 5)):
        assert beginning_of(text) == text


def test_a_long_text_ends_after_a_word():
    beginning = beginning_of("some-words " * 1_000)
    assert 900 <= len(beginning) <= 1_000
    assert beginning.endswith("some-words")
    assert beginning_of("a line\n" * 1_000).endswith("a line")


def test_a_text_without_spaces_is_cut_all_the_same():
    assert beginning_of("x" * 20_000) == "x" * 1_000
    assert beginning_of(" " + "李" * 20_000) == " " + "李" * 999


@pytest.mark.parametrize("cluster", [E_ACUTE, FAMILY, FLAG, THUMB, HEART, KEYCAP, HANGUL, KSSA, SCOTLAND])
def test_what_is_one_character_to_people_stays_whole(cluster):
    for shift in range(len(cluster)):
        beginning = beginning_of("x" * shift + cluster * 2_000)
        rest = beginning.removeprefix("x" * shift)
        assert len(beginning) > 980
        assert rest == cluster * (len(rest) // len(cluster))


def test_a_pile_of_marks_is_cut_at_some_place():
    assert len(beginning_of("a" + "\u0301" * 20_000)) == 1_000
