"""Reading `README.md`: what is metadata, what is text, and what is refused with which line."""

from __future__ import annotations

import time

import pytest

from repos.cards import Card, CardError, nodes, read
from repos.cards.reader import MAX_CARD_BYTES

pytestmark = pytest.mark.timeout(20)


def card(metadata: str, text: str = "text\n") -> str:
    return f"---\n{metadata}\n---\n{text}"


def refused(readme: str | bytes) -> CardError:
    with pytest.raises(CardError) as caught:
        read(readme)
    return caught.value


def test_metadata_and_text_are_told_apart() -> None:
    found = read(card("license: mit\ntags: [a, b]", "# Title\n\nText.\n"))
    assert found.metadata == {"license": "mit", "tags": ["a", "b"]}
    assert found.text == "# Title\n\nText.\n"


@pytest.mark.parametrize(
    "readme",
    [
        "",
        "\n\n",
        "# Title\n",
        "text\n---\na: 1\n---\n",
        "----\na: 1\n----\n",
        "---\nA line above\n\nand one below.\n",
        "---",
    ],
)
def test_a_card_without_metadata_is_a_card(readme: str) -> None:
    found = read(readme)
    assert found.metadata == {}
    assert found.text == readme


@pytest.mark.parametrize("metadata", ["", "# only a comment", "~", "\n\n"])
def test_an_empty_block_says_nothing(metadata: str) -> None:
    assert read(card(metadata)).metadata == {}


@pytest.mark.parametrize("before", ["\ufeff", "\n\n", "\ufeff\n", " \n\t\n"])
def test_a_mark_or_blank_lines_may_stand_first(before: str) -> None:
    assert read(f"{before}{card('a: 1')}").metadata == {"a": 1}


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_any_newline_will_do(newline: str) -> None:
    found = read(card("a: |\n  one\n  two", "x\ny\n").replace("\n", newline).encode())
    assert found == Card(metadata={"a": "one\ntwo\n"}, text="x\ny\n", gate={})


def test_the_block_may_end_the_file() -> None:
    assert read("---\na: 1\n---").metadata == {"a": 1}


def test_text_keeps_its_lines_across_the_page() -> None:
    assert read(card("a: 1", "x\n\n---\n\ny\n---\n")).text == "x\n\n---\n\ny\n---\n"


def test_nul_in_the_text_becomes_a_replacement_character() -> None:
    assert read(card("a: 1", "x\x00y\ud800")).text == "x\ufffdy\ufffd"


@pytest.mark.parametrize(
    ("written", "value"),
    [
        (r'"\uD83D\uDE00"', "\U0001f600"),
        (r'"a \ud83d\ude00\ud83d\ude01 b\n"', "a \U0001f600\U0001f601 b\n"),
        (r'"\\uD83D\uDE00 \uD83D\uDE00"', None),
        (r'"\\uD83D\\uDE00 \uD83D\uDE00"', "\\uD83D\\uDE00 \U0001f600"),
        (r"'\uD83D\uDE00'", r"\uD83D\uDE00"),
        (r"\uD83D\uDE00", r"\uD83D\uDE00"),
        (r'"\uD83D"', None),
        (r'"\uD83D \uDE00"', None),
        (r'"\uDE00\uD83D"', None),
        (r'"\uD83D\UDE00"', None),
        (r'"\\\\\uD83D\uDE00"', "\\\\\U0001f600"),
    ],
)
def test_pairs_of_escapes_as_json_writes_them_are_one_character(written: str, value: str | None) -> None:
    text = f"é: 😀\na: {written}\nb: 1"
    if value is None:
        assert refused(card(text)).line == 3
    else:
        assert read(card(text)).metadata == {"é": "😀", "a": value, "b": 1}


def test_a_card_may_have_many_such_texts_and_takes_no_longer_for_them() -> None:
    text = "x:\n" + "- [a]\n" * 25_000 + "\n".join(rf'"{n} \ud83d\ude00": 1' for n in range(1_000))
    before = time.process_time()
    assert "999 \U0001f600" in read(card(text)).metadata
    assert time.process_time() - before < 4


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("Yes", "Yes"),
        ("no", "no"),
        ("on", "on"),
        ("OFF", "OFF"),
        ("y", "y"),
        ("true", True),
        ("False", False),
        ("~", None),
        ("", None),
        ("null", None),
        ("2024-01-01", "2024-01-01"),
        ("2001-12-14t21:59:43.10-05:00", "2001-12-14t21:59:43.10-05:00"),
        ("12:30:45", "12:30:45"),
        ("7", 7),
        ("-7", -7),
        ("007", "007"),
        ("0x1F", "0x1F"),
        ("1_000", "1_000"),
        ("1.5", 1.5),
        ("1e-5", 1e-5),
        ("1.0e999", "1.0e999"),
        ("1e999999", "1e999999"),
        (".inf", ".inf"),
        (".nan", ".nan"),
        ("9" * 400, "9" * 400),
        ("9" * 100_000, "9" * 100_000),
        ("1:" * 5_000 + "1", "1:" * 5_000 + "1"),
        ("!!str 1.0", "1.0"),
        ("!!int nine", "nine"),
        ("!!float nine", "nine"),
        ("!!bool maybe", "maybe"),
        ("=", "="),
    ],
)
def test_a_value_is_json_or_what_was_written(written: str, value: object) -> None:
    found = read(card(f"key: {written}")).metadata["key"]
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize("key", ["Yes", "1.0", "0x1F", "~", "null", "2024-01-01", "true"])
def test_keys_are_texts_as_written(key: str) -> None:
    assert read(card(f"{key}: x")).metadata == {key: "x"}


def test_all_keys_that_are_wrong_are_told_at_once() -> None:
    error = refused(card('a: 1\nb: {c: 1, c: 2}\na: 2\n? [x]\n: 3\n<<: {d: 1}\ne: "\\x01"'))
    assert [(each.line, each.reason) for each in error.all] == [
        (3, 'the key "c" is given twice'),
        (4, 'the key "a" is given twice'),
        (5, "a key must be a text, not a list or a mapping"),
        (7, "merge keys (<<) are not supported: write the entries out"),
        (8, "the control character U+0001 is not allowed"),
    ]


@pytest.mark.parametrize(
    ("metadata", "line", "words"),
    [
        ("a: 1\na: 2", 3, 'the key "a" is given twice'),
        ("a:\n  b: 1\n  c: 2\n  b: 3", 5, 'the key "b" is given twice'),
        ("'1': x\n1: y", 3, 'the key "1" is given twice'),
        ("- a\n- b", 2, "must be a list of 'name: value' lines"),
        ("only words", 2, "must be a list of 'name: value' lines"),
        ("ok: 1\nCompany: name: text", 3, "must stand in quotes"),
        ("ok: 1\n\ttab: 2", 3, "indent with spaces"),
        ("ok: 1\nbad: [1, 2", 4, "expected"),
        ("ok: 1\nbad: 'open", 4, "is not closed"),
        ("ok: 1\nbad: *missing", 3, "undefined alias"),
        ("ok: 1\nbad: @handle", 3, "must stand in quotes"),
        ("ok:\n* en", 3, "the items of a list start with '- '"),
        ("ok:\n- en\nbad: 1\n- de", 5, "indentation"),
        ("- en\nbad: 1", 3, "each below the one before it"),
        ("ok: 1\nbad: ['a'b]", 3, "must stand in quotes"),
        ("ok: 1\nbad: {a: 'b'c}", 3, "must stand in quotes"),
        ("ok: 1\nbad: > text", 3, "starts on the next line"),
        (" ok: 1\nbad: 2", 3, "the same column"),
        ("ok: 1\nbad: - a", 3, "lines of their own"),
        ("ok: 1\nbad: 'a'\nworse: \"\\d\"", 4, "take single quotes"),
        ("ok: 1\n? [a, b]\n: c", 3, "a key must be a text"),
        ("ok: 1\n? {a: b}\n: c", 3, "a key must be a text"),
        ("ok: &x {a: 1}\nbad:\n  <<: *x", 4, "merge keys"),
        ("ok: 1\nbad: !!python/object/apply:os.system [id]", 3, "YAML tag"),
        ("ok: 1\nbad: !!binary aGVsbG8=", 3, "YAML tag"),
        ("ok: 1\nbad: !!set {a, b}", 3, "YAML tag"),
        ("ok: 1\nbad: !mine x", 3, "YAML tag"),
        ("ok: 1\nbad: ! x", 3, "YAML tag"),
        ("ok: 1\nbad: !<tag:evil.example,2024:x> x", 3, "YAML tag"),
        ('ok: 1\nbad: "\\0"', 3, "control character U+0000"),
        ('ok: 1\nbad: "\\x1b[2J"', 3, "control character U+001B"),
        ('ok: 1\n"bad\\x07": 1', 3, "control character U+0007"),
        ('ok: 1\nbad: "\\ud800"', 3, ""),
        ("ok: 1\nbad: \x00", 3, "control character U+0000"),
        ("ok: 1\nbad: \x1b", 3, "control character U+001B"),
        ("ok: 1\nbad: \ufffe", 3, "U+FFFE"),
        ("a: &x [*x]", 2, "refer to themselves"),
        ("a: &x {b: *x}", 2, "refer to themselves"),
        ("ok: 1\n...\nb: 2", 4, ""),
        ("ok: 1\n--- b\nc: 1", 4, ""),
    ],
)
def test_bad_metadata_is_refused_with_line_and_reason(metadata: str, line: int, words: str) -> None:
    error = refused(card(metadata))
    assert error.line == line
    assert words in error.reason
    assert error.message == f"line {line}: {error.reason}"
    assert "\n" not in error.message


@pytest.mark.parametrize("above", [0, 1, 7])
def test_lines_count_from_the_top_of_the_file(above: int) -> None:
    assert refused("\n" * above + card("a: 1\na: 2")).line == 3 + above


def test_a_block_that_is_not_closed_is_refused() -> None:
    error = refused("\n---\n# about\nlicense: mit\n\n# Title\n")
    assert (error.line, error.reason) == (2, "the metadata that starts here is not closed by a line ---")


def test_bytes_that_are_not_utf_8_are_refused() -> None:
    assert refused(card("a: 1").encode() + b"\xff").line == 5
    assert refused("---\na: é\n---\n".encode("latin-1")).line == 2
    refused("---\na: 1\n---\n".encode("utf-16"))


def test_too_large_a_file_is_refused() -> None:
    assert "8 MiB" in refused(b"x" * (MAX_CARD_BYTES + 1)).reason


BILLION_LAUGHS = "a0: &a0 [x,x,x,x,x,x,x,x,x]\n" + "\n".join(
    f"a{i}: &a{i} [{','.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 12)
)
QUADRATIC_BLOWUP = f"a: &a {'x' * 100_000}\nb: [{','.join(['*a'] * 20_000)}]"


@pytest.mark.parametrize(
    ("metadata", "words"),
    [
        (BILLION_LAUGHS, "aliases"),
        (QUADRATIC_BLOWUP, "aliases"),
        ("a: &a [x]\n" + "b: {" + ", ".join(f"k{i}: *a" for i in range(10)) + "}\nc: &c [*c, *c, *c]", "aliases"),
        ("[" * 200_000, "nested"),
        ("a: " + "{" * 200_000, "nested"),
        ("a: " + "[" * 100_000 + "]" * 100_000, "nested"),
        ("a: " + "{a: " * 40 + "1" + "}" * 40, "nested"),
        ("- " * 100_000, "nested"),
        ("? " * 100_000, "nested"),
        ("\n".join(" " * i + f"k{i}:" for i in range(500)), "nested"),
        ("a: [" + "1," * 120_000 + "]", "more than 60,000 entries"),
        ("a: " + "&a " * 80_000, ""),
        ("a: " + "*a " * 80_000, ""),
        ("a: " + "!!str " * 40_000, ""),
        ("a: '" + "x\n" * 100_000, ""),
        ("a: " + "'" * 200_001, ""),
        ("%YAML 1.1\n" * 10_000, ""),
        ("a: " + "x" * (nodes.MAX_YAML_CHARACTERS + 1), "256 KiB"),
        ("\n" * (nodes.MAX_YAML_CHARACTERS + 1), "256 KiB"),
    ],
)
@pytest.mark.timeout(5)
def test_a_hostile_block_is_refused_at_once(metadata: str, words: str) -> None:
    assert words in refused(card(metadata)).reason


@pytest.mark.parametrize(
    "metadata",
    [
        "a: " + "x" * 200_000,
        "a: [" + "1," * 50_000 + "]",
        "\n".join(f"key{i}: value" for i in range(15_000)),
        "a: " + "0" * 200_000,
        "a: " + "1_" * 100_000,
        "a: " + "1." * 100_000,
        "a: " + "1:" * 100_000 + "1",
        "a: |\n" + "  x\n" * 60_000,
        "a: >\n" + "  x\n\n" * 40_000,
        'a: "' + "\\u0041" * 40_000 + '"',
        "# comment\n" * 25_000,
        "a: &a x\nb: [" + "*a, " * 50_000 + "]",
    ],
)
@pytest.mark.timeout(10)
def test_a_large_block_is_read_at_once(metadata: str) -> None:
    read(card(metadata))


def test_merge_is_a_word_in_quotes() -> None:
    assert read(card("'<<': x")).metadata == {"<<": "x"}
