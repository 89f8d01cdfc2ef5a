"""What `POST /api/validate-yaml` says about a card before it is uploaded."""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import get_close_matches
from typing import Final
from urllib.parse import urlsplit

import yaml

from repos.cards.form import FIELD_KEYS, KNOWN_KEYS, form_of
from repos.cards.metadata import license_link
from repos.cards.nodes import CardError, line_of, shorten
from repos.cards.reader import Card, read

LONGEST_MISTAKE: Final = 60
"""Characters of a key; longer ones are not compared with those of a gate."""
NO_METADATA: Final = "empty or missing yaml metadata in repo card"
"""As the Hub says it, and its clients show it."""
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
        yield NO_METADATA
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
    for key, line in card.lines.items():
        meant = None if key in KNOWN_KEYS else _meant_by(key)
        if meant or (key in card.gate and key not in KNOWN_KEYS):
            hint = f"; did you mean {meant}?" if meant else ""
            yield f"line {line}: {shorten(key)} is not known and has no effect{hint}"
    fields = card.gate.get("extra_gated_fields")
    entries = fields.value if isinstance(fields, yaml.SequenceNode) else [fields]
    for mapping in entries:
        if isinstance(mapping, yaml.MappingNode):
            for label, value in mapping.value:
                yield from _field_warnings(label, value)


def _meant_by(key: str) -> str | None:
    """The key of the gate that was meant, as far as one is like it: `Extra-Gated-Fields`, `extra_gate_prompt`."""
    plain = re.sub(r"[\s-]", "_", key.strip().lower())
    if len(key) > LONGEST_MISTAKE or not ("extra" in plain or "gate" in plain):
        return None
    like = get_close_matches(plain, KNOWN_KEYS, n=1, cutoff=0.85)
    return next(iter(like), None)


def _field_warnings(label: yaml.ScalarNode, value: yaml.Node) -> Iterator[str]:
    if not isinstance(value, yaml.MappingNode):
        return
    said = {key.value: node for key, node in value.value}
    for key in said.keys() - FIELD_KEYS:
        yield f"line {line_of(value)}: {shorten(key)} of {shorten(label.value)} is not known and has no effect"
    if "options" in said and said["type"].value.strip().lower() != "select":
        yield f"line {line_of(value)}: only a select has options: those of {shorten(label.value)} have no effect"
