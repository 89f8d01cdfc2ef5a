"""What `POST /api/validate-yaml` says about a card before it is uploaded."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

import yaml

from repos.cards.form import FIELD_KEYS, KNOWN_KEYS, form_of
from repos.cards.metadata import license_link
from repos.cards.nodes import CardError, line_of, shorten
from repos.cards.reader import Card, read

_LISTS_OF_WORDS = ("language", "tags", "datasets", "metrics", "base_model", "license")


def validate(readme: str | bytes, repo_type: str) -> tuple[list[str], list[str]]:
    """Errors, with which the card is refused, and warnings, with which it is not."""
    try:
        card = read(readme)
        form_of(card)
    except CardError as error:
        return [each.message for each in error.all], []
    return [], warnings_of(card, repo_type)


def warnings_of(card: Card, repo_type: str) -> list[str]:
    """What is probably not what the author meant, in a card that can be read."""
    return [*_metadata_warnings(card, repo_type), *_gate_warnings(card)]


def _metadata_warnings(card: Card, repo_type: str) -> Iterator[str]:
    if not card.metadata:
        yield "empty or missing yaml metadata in repo card"
        return
    if "license" not in card.metadata:
        yield f"the {repo_type} has no license: add a line such as 'license: apache-2.0'"
    if "gated" in card.metadata:
        yield "gated has no effect in a card: access requests are turned on in the settings of the repo"
    link = license_link(card.metadata)
    if link and not _is_address(link):
        yield "license_link is neither an address nor the path of a file, so it is not shown"
    for key in _LISTS_OF_WORDS:
        value = card.metadata.get(key)
        items = value if isinstance(value, list) else [value]
        if any(isinstance(item, dict | list | bool) for item in items):
            yield f"{shorten(key)} should be a text or a list of texts"


def _is_address(said: str) -> bool:
    try:
        urlsplit(said)
    except ValueError:  # Such as `https://[your-org]/LICENSE`.
        return False
    return True


def _gate_warnings(card: Card) -> Iterator[str]:
    for key, node in card.gate.items():
        if key not in KNOWN_KEYS:
            yield f"line {line_of(node)}: {shorten(key)} is not known and has no effect"
    fields = card.gate.get("extra_gated_fields")
    entries = fields.value if isinstance(fields, yaml.SequenceNode) else [fields]
    for mapping in entries:
        if isinstance(mapping, yaml.MappingNode):
            for label, value in mapping.value:
                yield from _field_warnings(label, value)


def _field_warnings(label: yaml.ScalarNode, value: yaml.Node) -> Iterator[str]:
    if not isinstance(value, yaml.MappingNode):
        return
    said = {key.value: node for key, node in value.value}
    for key in said.keys() - FIELD_KEYS:
        yield f"line {line_of(value)}: {shorten(key)} of {shorten(label.value)} is not known and has no effect"
    if "options" in said and said["type"].value.strip().lower() != "select":
        yield f"line {line_of(value)}: only a select has options: those of {shorten(label.value)} have no effect"
