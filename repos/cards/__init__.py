"""Model cards and the gate forms they describe: pure functions, no tables, no HTTP."""

from __future__ import annotations

from repos.cards.answers import answers_from_post, chosen_value, clean_answers, control_name, is_ticked
from repos.cards.countries import countries, country_code, country_name, located_countries, located_country_code
from repos.cards.form import Field, FormSpec, Option, form_of, known_again
from repos.cards.nodes import CardError
from repos.cards.reader import Card, read
from repos.cards.validation import NO_METADATA, validate, warnings_of

__all__ = [
    "NO_METADATA",
    "Card",
    "CardError",
    "Field",
    "FormSpec",
    "Option",
    "answers_from_post",
    "chosen_value",
    "clean_answers",
    "control_name",
    "countries",
    "country_code",
    "country_name",
    "form_of",
    "is_ticked",
    "known_again",
    "located_countries",
    "located_country_code",
    "read",
    "validate",
    "warnings_of",
]
