"""Answers in the words of the form that was answered, as reviewers read them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from repos import cards


def in_words(spec: cards.FormSpec, answers: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Each question with its answer as the person saw it on the form: `France (FR)`, `Yes`, an option's label."""
    fields = {entry.label: entry for entry in spec.fields}
    return [(label, answer_in_words(fields.get(label), answer)) for label, answer in answers]


def answer_in_words(entry: cards.Field | None, answer: str) -> str:
    match entry.type if entry else "":
        case "checkbox":
            return "Yes" if answer == "true" else "No"
        case "country" | "ip_location":
            return country_in_words(answer) or "Not known"
        case "select" if entry:
            return next((option.label for option in entry.options if option.value == answer), answer)
        case _:
            return answer


def country_of(spec: Mapping[str, Any], answers: Mapping[str, Any]) -> str:
    """The country that answers to the form `spec` tell, by its two letters: the one that was chosen, else the one that
    the address was in; "" for none."""
    fields = spec.get("fields", [])
    for type_ in ("country", "ip_location"):
        for entry in fields:
            code = answers.get(entry["label"]) if entry["type"] == type_ else None
            if isinstance(code, str) and len(code) == 2:
                return code
    return ""


def country_in_words(code: str) -> str:
    name = cards.country_name(code)
    return code if name == code else f"{name} ({code})"
