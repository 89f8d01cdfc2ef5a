"""What people wrote, as it may stand in a mail."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifications.plain import one_line, unlinked, within_a_sentence, wrapped

ANYTHING = st.text(alphabet=st.characters(categories=["C", "L", "M", "N", "P", "S", "Z"]))


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("Ada Lovelace", "Ada Lovelace"),
        ("Zoë  Żółć", "Zoë Żółć"),
        ("a\r\nBcc: x@evil.example", "a Bcc: x@evil.example"),
        ("a\u2028b\u2029c\x85d\x0be\tf", "a b c d e f"),
        ("nul\0 bell\x07", "nul bell"),
        ("\u202egpj.exe\u202c", "gpj.exe"),
        ("\u2066x\u2069\u200e\u200f\u061c", "x"),
        ("zero\u200bwidth\ufeff", "zerowidth"),
        ("👩\u200d🔬", "👩\u200d🔬"),
        ("\u0645\u06cc\u200c\u062e", "\u0645\u06cc\u200c\u062e"),
        ("half \ud800 a pair", "half a pair"),
        ("   ", ""),
    ],
)
def test_it_is_one_line_that_reads_in_one_direction(written, shown):
    assert one_line(written) == shown


def test_it_is_as_long_as_it_may_be():
    assert one_line("x" * 300, 120) == "x" * 119 + "…"
    assert one_line("x" * 120, 120) == "x" * 120


@pytest.mark.parametrize(
    ("written", "is_broken_at"),
    [
        ("https://evil.example", ["://", "evil.e"]),
        ("HTTP://evil.example/a?b=c", ["://", "evil.e"]),
        ("www.evil.example", ["www.e", "evil.e"]),
        ("evil.example", ["evil.e"]),
        ("evil。example", ["evil。e"]),
        ("x@evil.example", ["evil.e"]),
        (r"file:\\evil", [r":\\"]),
    ],
)
def test_nothing_in_it_becomes_a_link(written, is_broken_at):
    shown = unlinked(written)
    for place in is_broken_at:
        assert place in written
        assert place not in shown
    assert shown.replace("\u2060", "") == written, "and it still reads the same"


@pytest.mark.parametrize("written", ["bert-v1.5", "No. Not yet.", "3.14", "Ph.D.", "a:b", "10:30", "e.g. this"])
def test_what_is_no_link_stays_letter_for_letter(written):
    assert unlinked(written) == written


def test_a_name_from_right_to_left_turns_nothing_else_around():
    assert within_a_sentence("Noor") == "Noor"
    name = "\N{HEBREW LETTER NUN}\N{HEBREW LETTER HE}"
    assert within_a_sentence(name) == f"\u2068{name}\u2069"
    assert within_a_sentence("\u202eevil") == "evil"


@given(ANYTHING)
def test_nothing_that_controls_gets_through(text):
    for shown in (one_line(text), unlinked(text, 50)):
        shown.encode()
        kinds = {unicodedata.category(character) for character in shown} - {"Cf"}
        assert not kinds & {"Cc", "Cs", "Zl", "Zp"}
        assert not set(shown) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c")
        assert "://" not in unlinked(shown)


@given(ANYTHING, st.integers(min_value=1, max_value=40))
def test_it_is_never_longer_than_it_may_be(text, most):
    assert len(one_line(text, most)) <= most


def test_paragraphs_are_wrapped_and_lists_addresses_and_code_are_not():
    address = "https://gate.example.org/" + "x" * 200
    text = f"{'word ' * 30}\n\n{address}\n\n    {'code ' * 30}\n\n- {'item ' * 30}\n  more\n\n-- \nGateHub"
    shown = wrapped(text)
    first, second, code, item, end = shown.split("\n\n")
    assert all(len(line) <= 76 for line in first.split("\n"))
    assert " ".join(first.split()) == ("word " * 30).strip()
    assert second == address
    assert code == "    " + ("code " * 30).strip()
    assert item == "- " + ("item " * 30).strip() + "\n  more"
    assert end == "-- \nGateHub\n", "mail programs know the two dashes with the space as the end"
