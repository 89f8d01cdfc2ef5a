"""What a name or a reason may be written with."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts import names
from accounts.errors import InvalidFields
from accounts.texts import can_be_shown

PERSIAN = "می\u200cپرسم"
WRITTEN = {
    "nothing": "",
    "a word": "No.",
    "Persian": PERSIAN,
    "Hindi": "क्\u200dषमा",
    "Hindi with a joiner at the end": "क्\u200d",
    "Hebrew": "לא, תודה",
    "a family": "👩\u200d👩\u200d👧",
    "a heart on fire": "❤\ufe0f\u200d🔥",
    "Wales": "\U0001f3f4\U000e0067\U000e0062\U000e0077\U000e006c\U000e0073\U000e007f",
    "an emoji younger than Python's Unicode": "\U0001fae9",
    "a soft hyphen": "Zugangs\u00adanfrage",
    "an Arabic sign of numbers": "\u0600٣٤",
    "a combining accent": "e\u0301",
}
REFUSED = {
    "a control": "a\x07b",
    "an escape": "\x1b[31mred",
    "a line break": "a\nb",
    "an override": "a\u202eb",
    "an isolate": "a\u2067b",
    "a mark of direction": "a\u200fb",
    "a space without width": "a\u200bb",
    "a mark of byte order": "a\ufeffb",
    "a word joiner": "a\u2060b",
    "half a character": "a\ud83db",
    "a private character": "a\ue000b",
    "no character": "a\ufffeb",
    "a joiner between ASCII": "ad\u200dmin",
    "a joiner at the beginning": "\u200dक",
    "two joiners": "क\u200d\u200dष",
    "a joiner alone": "\u200d",
    "a soft hyphen at the end": "a\u00ad",
    "a soft hyphen alone": "\u00ad",
    "two soft hyphens": "a\u00ad\u00adb",
    "letters of a flag without the flag": "a\U000e0067\U000e007f",
    "a flag that does not end": "\U0001f3f4\U000e0067\U000e0062",
    "a space alone": " ",
    "a filler alone": "\u3164",
    "an empty pattern of Braille": "\u2800\u2800",
    "an accent alone": "\u0301",
}


@pytest.mark.parametrize("text", WRITTEN.values(), ids=WRITTEN.keys())
def test_what_people_write_can_be_shown(text):
    assert can_be_shown(text)


@pytest.mark.parametrize("text", REFUSED.values(), ids=REFUSED.keys())
def test_what_nobody_sees_or_what_turns_other_text_cannot_be_shown(text):
    assert not can_be_shown(text)


@given(st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1))
def test_what_is_drawn_can_be_shown_wherever_it_stands(text):
    fillers_only = all(unicodedata.category(c)[0] == "M" or c in "\u115f\u1160\u2800\u3164\uffa0" for c in text)
    assert can_be_shown(text) != fillers_only


@given(st.text(max_size=20), st.sampled_from([chr(code) for code in range(0x202A, 0x202F)]), st.text(max_size=20))
def test_no_text_around_it_lets_a_turn_of_direction_in(before, turn, behind):
    assert not can_be_shown(before + turn + behind)


def test_a_full_name_keeps_its_joiners():
    assert names.clean_fullname(f" {PERSIAN}  👩\u200d💻 ") == f"{PERSIAN} 👩\u200d💻"


def test_a_full_name_that_nobody_sees_is_refused():
    with pytest.raises(InvalidFields):
        names.clean_fullname("\u3164")
