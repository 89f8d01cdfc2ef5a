"""YAML as authors of model cards write it, read without trust.

PyYAML turns the text into nodes.  What a node means is decided here, because a card is not configuration: `Yes`, `on`,
`2024-01-01` and `12:30` are words that somebody wrote, and stay what was written.

Nothing here may hang, whatever the text.  One pass over the events, which neither recurses nor follows aliases, bounds
depth and tags before any node is built; turning nodes into values then spends a budget of nodes and characters, so
that aliases cannot multiply.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

import yaml

from accounts.errors import BadRequest

MAX_YAML_CHARACTERS: Final = 256 * 1024
MAX_DEPTH: Final = 32
MAX_VALUES: Final = 60_000
# What texts may come to once aliases are written out.
MAX_EXPANDED_CHARACTERS: Final = 4 * MAX_YAML_CHARACTERS
# As many as anybody mends before looking again.
MAX_FAULTS: Final = 20
TOLD_IN_SUMMARY: Final = 3

_PREFIX: Final = "tag:yaml.org,2002:"
_KNOWN_TAGS: Final = {None, *(_PREFIX + name for name in ("str", "map", "seq", "bool", "int", "float", "null"))}
# YAML has no form for these; they come in as they are, or as an escape such as "\0" in double quotes.
_FORBIDDEN: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")
# As JSON writes a character beyond U+FFFF, behind pairs of backslashes that are characters themselves.
_ESCAPED_PAIR: Final = re.compile(r"(?<!\\)((?:\\\\)*)\\u([Dd][89ABab][0-9A-Fa-f]{2})\\u([Dd][C-Fc-f][0-9A-Fa-f]{2})")
_AS_LONG: Final = r"\1\\u0041\\u0041"
_INTEGER: Final = re.compile(r"[-+]?[0-9]{1,18}")  # What fits 64 bits, and so any database and any client.
_HINTS: Final = {
    "mapping values are not allowed": (
        "indent the line as those beside it; a text with ': ' in it must stand in quotes, and a label of more than "
        "1,024 characters is written as '? \"label\"'"
    ),
    "cannot start any token": "a text that starts with this character must stand in quotes; indent with spaces only",
    "could not find expected ':'": "a label must be followed by ': ' on the same line, or be written as '? \"label\"'",
    "tab character": "indent with spaces only",
    "undefined alias": "a text that starts with '*' must stand in quotes",
    "did not find expected key": "check the indentation of this line and the quotes above it",
    "expected <block end>": "check the indentation of this line and the quotes above it",
    "unexpected end of stream": "a quote or a bracket is not closed",
    "alphabetic or numeric character": (
        "a text that starts with '*' or '&' must stand in quotes; the items of a list start with '- '"
    ),
    "expected '-' indicator": "the items of a list start with '- ', each below the one before it",
    "expected ',' or ']'": "a list in brackets is not closed, or a text with a bracket or a quote must stand in quotes",
    "expected ',' or '}'": "a brace is not closed, or a text with a brace or a quote must stand in quotes",
    "expected comment or line break": "the text behind '|' or '>' starts on the next line, indented",
    "expected <document start>": "all names must start in the same column",
    "sequence entries are not allowed": "the items of a list stand on lines of their own",
    "Unicode character escape": "half of a character: write it as it is, or as '\\\\U' with eight digits",
    "unknown escape character": "between double quotes write '\\\\' for '\\', or take single quotes",
}


class CardError(BadRequest):
    """A model card that cannot be read, or whose gate makes no form.

    `line` counts from 1 in `README.md` and is None where no line can be named; `reason` is the message without it.
    `all` are this one and what else is wrong, in the order of the lines.
    """

    def __init__(self, reason: str, *, line: int | None = None) -> None:
        self.reason = reason
        self.line = line
        self.all: tuple[CardError, ...] = (self,)
        place = f"line {line}: " if line else ""
        super().__init__(f"{place}{reason}", extra={"line": line} if line else None)

    @property
    def summary(self) -> str:
        """The first few messages, and how many more there are: for one line, such as a header."""
        more = len(self.all) - TOLD_IN_SUMMARY
        told = "; ".join(error.message for error in self.all[:TOLD_IN_SUMMARY])
        return f"{told}; and {more} more" if more > 0 else told


class Faults:
    """Gathers what is wrong with a card, so that its author learns of all of it at once."""

    def __init__(self) -> None:
        self._found: dict[str, CardError] = {}

    def add(self, error: CardError) -> None:
        """Keep it for `raise_any`.  What an alias repeats is told once."""
        if len(self._found) < MAX_FAULTS:
            self._found.setdefault(error.message, error)

    @contextmanager
    def gathered(self) -> Iterator[None]:
        """A CardError ends this block alone, and is kept."""
        try:
            yield
        except CardError as error:
            self.add(error)

    def raise_any(self) -> None:
        """Raise the first CardError, by line, which knows of the others; nothing when there is none."""
        if self._found:
            ordered = sorted(self._found.values(), key=lambda error: error.line or 0)
            ordered[0].all = tuple(ordered)
            raise ordered[0]


class CardLoader(yaml.CSafeLoader):
    """The safe loader with YAML 1.2's scalars: `true` is a boolean, `Yes`, dates and `12:30` are texts.

    libyaml's, which every PyYAML wheel has: the one in Python takes seconds for what is allowed here.
    """

    yaml_implicit_resolvers: dict[str, Any] = {}


for _name, _pattern, _first in (
    ("bool", r"^(?:true|True|TRUE|false|False|FALSE)$", "tTfF"),
    ("null", r"^(?:~|null|Null|NULL|)$", ["~", "n", "N", ""]),
    ("int", r"^[-+]?(?:0|[1-9][0-9]*)$", "-+0123456789"),
    ("float", r"^[-+]?(?:[0-9]+\.[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?$", "-+.0123456789"),
    ("float", r"^[-+]?[0-9]+[eE][-+][0-9]+$", "-+0123456789"),
):
    CardLoader.add_implicit_resolver(_PREFIX + _name, re.compile(_pattern), list(_first))


def compose(text: str) -> yaml.MappingNode | None:
    """Read `text` into its mapping, or None when it says nothing.  Line marks count from the start of `text`.

    Raises CardError for anything that is not one YAML document with one mapping within the limits.
    """
    if len(text) > MAX_YAML_CHARACTERS:
        raise CardError(f"the metadata is longer than {MAX_YAML_CHARACTERS // 1024} KiB", line=1)
    if found := _FORBIDDEN.search(text):
        line = text.count("\n", 0, found.start()) + 1
        raise CardError(f"the control character U+{ord(found[0]):04X} is not allowed in metadata", line=line)
    try:
        # YAML 1.2 takes JSON as it is, but libyaml knows no pairs: it reads others first, and learns where they may be.
        quoted = _checked_events(_ESCAPED_PAIR.sub(_AS_LONG, text))
        loader = CardLoader(_with_joined_pairs(text, quoted))
        try:
            root = loader.get_single_node()
        finally:
            loader.dispose()
    except yaml.YAMLError as error:
        raise _explained(error) from error
    if root is None or (isinstance(root, yaml.ScalarNode) and root.tag == _PREFIX + "null"):
        return None
    if not isinstance(root, yaml.MappingNode):
        raise CardError("the metadata between the --- lines must be a list of 'name: value' lines", line=line_of(root))
    return root


def _checked_events(text: str) -> list[tuple[int, int]]:
    """Where the texts in double quotes stand.

    Refuses depth and tags before anything is built from them: composing recurses, this does not.
    """
    depth, quoted = 0, []
    for count, event in enumerate(yaml.parse(text, Loader=CardLoader)):
        line = line_of(event)
        if count > 2 * MAX_VALUES:  # A collection is two events.
            raise CardError(f"the metadata has more than {MAX_VALUES:,} entries", line=line)
        tag = getattr(event, "tag", None)
        if tag not in _KNOWN_TAGS:
            raise CardError(f"the YAML tag {shorten(tag)} is not supported", line=line)
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > MAX_DEPTH:
                raise CardError(f"the metadata is nested more than {MAX_DEPTH} levels deep", line=line)
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        elif isinstance(event, yaml.ScalarEvent) and event.style == '"' and event.start_mark and event.end_mark:
            quoted.append((event.start_mark.index, event.end_mark.index))
    return quoted


def _with_joined_pairs(text: str, quoted: Sequence[tuple[int, int]]) -> str:
    """The text with the characters themselves within double quotes; elsewhere a backslash is a backslash."""
    parts, position = [], 0
    for start, end in quoted:
        parts += [text[position:start], _ESCAPED_PAIR.sub(_character, text[start:end])]
        position = end
    return "".join([*parts, text[position:]])


def _character(pair: re.Match[str]) -> str:
    return pair[1] + bytes.fromhex(pair[2] + pair[3]).decode("utf-16-be")


def _explained(error: yaml.YAMLError) -> CardError:
    """Say a parser's problem with its line and, where we know one, the usual remedy."""
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    problem = getattr(error, "problem", None) or getattr(error, "reason", None) or "not valid YAML"
    hint = next((hint for words, hint in _HINTS.items() if words in problem), "")
    return CardError(f"{problem} ({hint})" if hint else str(problem), line=mark.line + 1 if mark else None)


def line_of(node: yaml.Node | yaml.Event) -> int:
    """The line on which `node` starts, from 1."""
    return node.start_mark.line + 1 if node.start_mark else 1


def shorten(text: object, length: int = 80) -> str:
    """`text` in quotes, cut to `length` characters: labels may be pages long, error messages may not."""
    line = " ".join(str(text).split())
    return f'"{line}"' if len(line) <= length else f'"{line[:length]}…"'


def plain(node: yaml.Node) -> Any:
    """`node` as JSON has it.  Keys are texts, and so is each scalar that JSON has no exact form for.

    Raises CardError for a key given twice, a key that is no scalar, `<<`, and for aliases that refer to themselves or
    multiply beyond the budget.
    """
    values = _Values()
    made = values.value(node, depth=0)
    values.faults.raise_any()
    return made


class _Values:
    """Turns nodes into values, with what is left of the budget."""

    def __init__(self) -> None:
        self.values_left = MAX_VALUES
        self.characters_left = MAX_EXPANDED_CHARACTERS
        self.faults = Faults()

    def value(self, node: yaml.Node, depth: int) -> Any:
        self._spend(node, depth)
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(item, depth + 1) for item in node.value]
        mapping: dict[str, Any] = {}
        for key_node, value_node in node.value:
            self._spend(key_node, depth)
            value = self.value(value_node, depth + 1)
            with self.faults.gathered():
                key = _key(key_node)
                if key in mapping:
                    raise CardError(f"the key {shorten(key)} is given twice", line=line_of(key_node))
                mapping[key] = value
        return mapping

    def _scalar(self, node: yaml.ScalarNode) -> Any:
        with self.faults.gathered():
            return _scalar(node)

    def _spend(self, node: yaml.Node, depth: int) -> None:
        self.values_left -= 1
        if isinstance(node, yaml.ScalarNode):
            self.characters_left -= len(node.value)
        if depth > MAX_DEPTH or self.values_left < 0 or self.characters_left < 0:
            raise CardError("aliases (*name) repeat too much, or refer to themselves", line=line_of(node))


def _key(node: yaml.Node) -> str:
    if not isinstance(node, yaml.ScalarNode):
        raise CardError("a key must be a text, not a list or a mapping", line=line_of(node))
    if node.value == "<<" and not node.style:
        raise CardError("merge keys (<<) are not supported: write the entries out", line=line_of(node))
    return written(node)


def written(node: yaml.ScalarNode) -> str:
    """The scalar as its author wrote it: `Yes`, `1.0`, `~`.  Raises CardError for control characters."""
    text = str(node.value)
    if found := _FORBIDDEN.search(text):
        raise CardError(f"the control character U+{ord(found[0]):04X} is not allowed", line=line_of(node))
    return text


def is_null(node: yaml.Node) -> bool:
    """True for a value that was left out (`key:`) or written as `null` or `~`."""
    return bool(node.tag == _PREFIX + "null")


def _scalar(node: yaml.ScalarNode) -> Any:
    text = written(node)
    kind = node.tag.removeprefix(_PREFIX)
    if kind == "null":
        return None
    if kind == "bool" and text.lower() in ("true", "false"):
        return text.lower() == "true"
    if kind == "int" and _INTEGER.fullmatch(text):
        return int(text)
    if kind == "float" and len(text) <= 40 and re.fullmatch(r"[-+0-9.eE]+", text):
        return _finite(text)
    return text


def _finite(text: str) -> float | str:
    """The number, or the text where it is none or has no end (1.0e999): JSON cannot say infinity."""
    try:
        number = float(text)
    except ValueError:
        return text
    return number if math.isfinite(number) else text
