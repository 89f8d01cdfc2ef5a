"""The gate form that a model card describes with its `extra_gated_*` metadata.

Sources: the seed's "Modifying the prompt" and "Additional Customization", the Hub's docs on gated models.  Ours in
addition: the types `textarea`, `email` and `url`, and `required: false` and `help` on any field.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any, Final, Literal, get_args

import yaml

from repos.cards.nodes import CardError, Faults, is_null, line_of, shorten, written
from repos.cards.reader import Card

FieldType = Literal["text", "textarea", "checkbox", "date_picker", "country", "select", "ip_location", "email", "url"]
FIELD_TYPES: Final[tuple[str, ...]] = get_args(FieldType)

MAX_FIELDS: Final = 100
MAX_OPTIONS: Final = 1_000
MAX_LABEL: Final = 5_000
MAX_HELP: Final = 5_000
# Keys of the metadata, and how many characters each may have.
TEXTS: Final = {
    "extra_gated_heading": 2_000,
    "extra_gated_description": 100_000,
    "extra_gated_prompt": 200_000,
    "extra_gated_button_content": 500,
}
KNOWN_KEYS: Final = {*TEXTS, "extra_gated_fields", "extra_gated_eu_disallowed"}
FIELD_KEYS: Final = {"type", "options", "required", "help"}
# The page's own controls: a field of this name would break every form that has it.
_RESERVED_LABELS: Final = {"csrfmiddlewaretoken"}
_YES: Final = {"true", "yes", "on", "y"}
_NO: Final = {"false", "no", "off", "n"}


@dataclass(frozen=True)
class Option:
    """One choice of a `select`: what people read, and what is stored."""

    label: str
    value: str


@dataclass(frozen=True)
class Field:
    """One question.  `label` is the key of its answer, and so is kept letter for letter."""

    label: str
    type: FieldType
    required: bool = True
    help: str = ""
    options: tuple[Option, ...] = ()


@dataclass(frozen=True)
class FormSpec:
    """A gate as its author wrote it.  Texts are "" where the card gives none: what then stands there is the page's."""

    heading: str = ""
    description: str = ""
    prompt: str = ""
    button_content: str = ""
    fields: tuple[Field, ...] = field(default=())
    eu_disallowed: bool = False

    def to_json(self) -> dict[str, Any]:
        """All of it, for a JSON column."""
        return json.loads(json.dumps(asdict(self)))  # type: ignore[no-any-return]  # Tuples become lists.

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> FormSpec:
        """The form that `to_json` wrote."""
        fields = tuple(
            Field(**{**entry, "options": tuple(Option(**option) for option in entry.get("options", ()))})
            for entry in data.get("fields", ())
        )
        return cls(**{**data, "fields": fields})

    @cached_property
    def digest(self) -> str:
        """sha-256 (hex) of the form: equal forms, equal digests."""
        canonical = json.dumps(asdict(self), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()


def form_of(card: Card) -> FormSpec:
    """The gate form of a card; the empty form when the card says nothing about its gate.

    Raises CardError, naming the field and the line, for whatever does not make a form: for all of it at once.
    """
    faults = Faults()
    texts = {}
    for key, limit in TEXTS.items():
        with faults.gathered():
            texts[key.removeprefix("extra_gated_")] = _text(card.gate.get(key), key, limit)
    fields = _fields(card.gate.get("extra_gated_fields"), faults)
    eu_disallowed = False
    with faults.gathered():
        name = "extra_gated_eu_disallowed"
        eu_disallowed = _flag(card.gate.get(name), name, default=False)
    faults.raise_any()
    return FormSpec(**texts, fields=fields, eu_disallowed=eu_disallowed)


def answer_key(label: str) -> str:
    """What two labels must differ in: browsers send each newline in a control's name as CR LF."""
    return label.replace("\r\n", "\n").replace("\r", "\n")


def option_key(text: str) -> str:
    """What two options must differ in: the value of a control is sent as its name is, and spaces around it are none."""
    return answer_key(text).strip()


def known_again(said: str, options: Iterable[str]) -> str | None:
    """The option, as the card has it, that arrived as `said`; the one with the same spaces around it first.  None for
    none of them."""
    alike = [option for option in options if option_key(option) == option_key(said)]
    exact = (option for option in alike if answer_key(option) == answer_key(said))
    return next(exact, alike[0] if alike else None)


def _text(node: yaml.Node | None, name: str, limit: int) -> str:
    if node is None or is_null(node):
        return ""
    if not isinstance(node, yaml.ScalarNode):
        raise CardError(f"{name} must be a text, not a list or a mapping", line=line_of(node))
    text = written(node)
    if len(text) > limit:
        raise CardError(f"{name} is longer than {limit:,} characters", line=line_of(node))
    return text


def _flag(node: yaml.Node | None, name: str, *, default: bool) -> bool:
    if node is None or is_null(node):
        return default
    word = written(node).strip().lower() if isinstance(node, yaml.ScalarNode) else ""
    if word not in _YES | _NO:
        raise CardError(f"{name} must be true or false", line=line_of(node))
    return word in _YES


def _fields(node: yaml.Node | None, faults: Faults) -> tuple[Field, ...]:
    """The fields that can be made, the others being faults."""
    if node is None or is_null(node):
        return ()
    fields: list[Field] = []
    seen: set[str] = set()
    for count, (label_node, value) in enumerate(_entries(node, faults), start=1):
        if count > MAX_FIELDS:
            faults.add(CardError(f"the form has more than {MAX_FIELDS} fields", line=line_of(label_node)))
            break
        with faults.gathered():
            label = _label(label_node)
            if answer_key(label) in seen:
                raise CardError(f"the field {shorten(label)} is given twice", line=line_of(label_node))
            seen.add(answer_key(label))
            fields.append(_field(label, value, faults))
    return tuple(fields)


def _entries(node: yaml.Node, faults: Faults) -> Iterator[tuple[yaml.ScalarNode, yaml.Node]]:
    """Labels and what is said of them, from a mapping or from a list of mappings."""
    for mapping in node.value if isinstance(node, yaml.SequenceNode) else [node]:
        if isinstance(mapping, yaml.MappingNode):
            yield from mapping.value
        else:
            faults.add(CardError("extra_gated_fields must be made of 'label: type' lines", line=line_of(mapping)))


def _label(node: yaml.ScalarNode) -> str:
    label = written(node)
    if not label.strip():
        raise CardError("a field has an empty label", line=line_of(node))
    if len(label) > MAX_LABEL:
        raise CardError(f"the label {shorten(label)} is longer than {MAX_LABEL:,} characters", line=line_of(node))
    if label in _RESERVED_LABELS:
        raise CardError(f"the field {shorten(label)}: this label is reserved", line=line_of(node))
    return label


def _field(label: str, node: yaml.Node, faults: Faults) -> Field:
    name = f"the field {shorten(label)}"
    if isinstance(node, yaml.SequenceNode):
        raise CardError(f"{name} must have a type, not a list", line=line_of(node))
    said = {key.value: value for key, value in node.value} if isinstance(node, yaml.MappingNode) else {"type": node}
    required, help_text = True, ""
    with faults.gathered():
        required = _flag(said.get("required"), f"'required' of {name}", default=True)
    with faults.gathered():
        help_text = _text(said.get("help"), f"'help' of {name}", MAX_HELP)
    if "type" not in said:
        raise CardError(f"{name} has no type: say 'type: text', for example", line=line_of(node))
    field_type = _type(said["type"], name)
    options = _options(said.get("options"), name, line_of(node), faults) if field_type == "select" else ()
    return Field(label, field_type, required=required, help=help_text, options=options)


def _type(node: yaml.Node, name: str) -> FieldType:
    word = written(node).strip().lower() if isinstance(node, yaml.ScalarNode) and not is_null(node) else ""
    if word not in FIELD_TYPES:
        said = f"the unknown type {shorten(node.value)}" if word else "no type"
        raise CardError(f"{name} has {said}; the types are {', '.join(FIELD_TYPES)}", line=line_of(node))
    return word  # type: ignore[return-value]  # One of FIELD_TYPES, as just tested.


def _options(node: yaml.Node | None, name: str, line: int, faults: Faults) -> tuple[Option, ...]:
    if node is None or not isinstance(node, yaml.SequenceNode) or not node.value:
        raise CardError(f"{name} is a select and needs a list of options", line=line_of(node) if node else line)
    if len(node.value) > MAX_OPTIONS:
        raise CardError(f"{name} has more than {MAX_OPTIONS:,} options", line=line_of(node))
    options: dict[str, Option] = {}
    labels: set[str] = set()
    for item in node.value:
        with faults.gathered():
            option = _option(item, name)
            if option_key(option.value) in options or option_key(option.label) in labels:
                raise CardError(f"{name} has the option {shorten(option.label)} twice", line=line_of(item))
            options[option_key(option.value)] = option
            labels.add(option_key(option.label))
    return tuple(options.values())


def _option(node: yaml.Node, name: str) -> Option:
    if isinstance(node, yaml.MappingNode):
        said = {key.value: value for key, value in node.value}
        if not said or not set(said) <= {"label", "value"}:
            raise CardError(f"{name}: an option is a text, or has a label and a value", line=line_of(node))
        label = _text(said.get("label", said.get("value")), f"an option of {name}", MAX_LABEL)
        value = _text(said.get("value", said.get("label")), f"an option of {name}", MAX_LABEL)
    elif isinstance(node, yaml.ScalarNode):
        label = value = written(node)
    else:
        raise CardError(f"{name}: an option is a text, or has a label and a value", line=line_of(node))
    if not label.strip() or not value.strip():
        raise CardError(f"{name} has an empty option", line=line_of(node))
    return Option(label, value)
