"""Answers to a gate form, as the Hub API gives them back: label -> text.

HTML forms and JSON bodies arrive alike.  An answer is stored as text, whatever its type:

- checkbox: "true", or "false" for one that may be left empty and was;
- date_picker: `YYYY-MM-DD`; country: ISO 3166-1 alpha-2; select: the option's value;
- ip_location: the country of the caller's address, "" when it is not known.  Never what the caller says.

A field that may be left empty, and was, has no answer.
"""

from __future__ import annotations

import datetime
import math
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.core.validators import URLValidator, validate_email

from accounts.errors import InvalidFields
from repos.cards.countries import country_code
from repos.cards.form import Field, FormSpec, answer_key, known_again
from repos.cards.nodes import shorten

MAX_TEXT: Final = 20 * 1024  # Characters, after trimming.
MAX_URL: Final = 2_048

_TICKED: Final = {"true", "on", "1", "yes", "checked", "y", "t", "x"}
_UNTICKED: Final = {"", "false", "off", "0", "no", "unchecked", "n", "f"}
# Tab and newline are text; the rest cannot be stored or shown.  Half a surrogate pair is not a character.
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_ISO_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_is_url: Final = URLValidator(schemes=["http", "https"])


class _Problem(Exception):
    """What is wrong with one answer, in words for the one who gave it."""


def control_name(index: int) -> str:
    """A short name for the field at `index`, for ids in HTML.  The control's `name` is the label itself."""
    return f"gate-field-{index}"


def answers_from_post(spec: FormSpec, data: Mapping[str, Any]) -> dict[str, Any]:
    """The answers in a posted form (a QueryDict or a plain mapping), label -> last value; other keys are left out.

    Browsers send newlines in a control's name as CR LF.  A control named by `control_name` is found too, unless a
    label is called so.
    """
    values = {answer_key(key): _last(data, key) for key in data}
    labels = {answer_key(entry.label) for entry in spec.fields}
    answers: dict[str, Any] = {}
    for index, entry in enumerate(spec.fields):
        own = answer_key(entry.label)
        for key in (own, control_name(index)):
            if key in values and (key == own or key not in labels):
                answers[entry.label] = values[key]
                break
    return answers


def _last(data: Mapping[str, Any], key: str) -> Any:
    """The last value of `key`: a QueryDict's item is that already, a plain mapping may hold a list."""
    value = data[key]
    return value[-1] if isinstance(value, list) and value else value


def clean_answers(spec: FormSpec, given: Mapping[str, Any], *, country: str = "") -> dict[str, str]:
    """The answers as they are to be stored, in the order of the form.

    `country` is the alpha-2 code of the caller's address.  Keys that the form does not have are ignored, so that
    scripts may send more.  Raises InvalidFields with a problem per label.
    """
    values = {answer_key(key): value for key, value in given.items()}
    answers: dict[str, str] = {}
    problems: dict[str, str] = {}
    for entry in spec.fields:
        if entry.type == "ip_location":
            answers[entry.label] = country if re.fullmatch("[A-Z]{2}", country) else ""
            continue
        try:
            answer = _answer(entry, values.get(answer_key(entry.label)))
        except _Problem as problem:
            problems[entry.label] = str(problem)
        else:
            if answer:
                answers[entry.label] = answer
    if problems:
        raise InvalidFields(problems, _summary(problems))
    return answers


def _summary(problems: Mapping[str, str], shown: int = 5) -> str:
    """One line, however many and however long the labels are; `InvalidFields.fields` has them all."""
    listed = [f"{shorten(label, 60)[1:-1]}: {problem}" for label, problem in list(problems.items())[:shown]]
    more = [f"and {len(problems) - shown} more"] if len(problems) > shown else []
    return f"The form is not complete. {'; '.join(listed + more)}"


def _answer(entry: Field, given: Any) -> str:
    if entry.type == "checkbox":
        return _checkbox(entry, given)
    text = _text(given)
    if not text:
        if entry.required:
            raise _Problem("this field is required")
        return ""
    return _CLEANERS[entry.type](entry, text)


def _text(given: Any) -> str:
    if given is None:
        return ""
    if isinstance(given, bool) or not isinstance(given, str | int | float):
        raise _Problem("must be a text")
    if isinstance(given, int) and given.bit_length() > 64:
        raise _Problem("must be a text")
    if isinstance(given, float) and not math.isfinite(given):
        raise _Problem("must be a text")
    text = str(given).replace("\r\n", "\n").replace("\r", "\n").strip()
    if len(text) > MAX_TEXT:
        raise _Problem(f"is longer than {MAX_TEXT:,} characters")
    if found := _CONTROL.search(text):
        raise _Problem(f"contains the control character U+{ord(found[0]):04X}")
    return text


def is_ticked(given: str) -> bool:
    """Whether a checkbox that was sent with that value was ticked."""
    return given.strip().lower() not in _UNTICKED


def _checkbox(entry: Field, given: Any) -> str:
    if isinstance(given, bool):
        given = str(given)
    text = _text(given)
    word = text.lower()
    if word not in _TICKED | _UNTICKED and text != answer_key(entry.label).strip():
        raise _Problem('must be ticked ("true") or not ("false")')
    ticked = is_ticked(word)
    if entry.required and not ticked:
        raise _Problem("must be ticked")
    return "true" if ticked else "false"


def _plain(entry: Field, text: str) -> str:
    return text


def _date(entry: Field, text: str) -> str:
    try:
        if not _ISO_DATE.fullmatch(text):
            raise ValueError
        return datetime.date.fromisoformat(text).isoformat()
    except ValueError:
        raise _Problem("must be a date of the form YYYY-MM-DD") from None


def _country(entry: Field, text: str) -> str:
    code = country_code(text)
    if not code:
        raise _Problem("must be a country: its name, or its two letters as in ISO 3166-1")
    return code


def chosen_value(entry: Field, text: str) -> str | None:
    """The value of the option that was chosen, by its value or by its label; None for none."""
    value = known_again(text, (option.value for option in entry.options))
    if value is not None:
        return value
    label = known_again(text, (option.label for option in entry.options))
    return next((option.value for option in entry.options if option.label == label), None)


def _select(entry: Field, text: str) -> str:
    value = chosen_value(entry, text)
    if value is not None:
        return value
    raise _Problem("must be one of the options: " + ", ".join(shorten(option.label) for option in entry.options[:10]))


def _email(entry: Field, text: str) -> str:
    try:
        validate_email(text)
    except ValidationError:
        raise _Problem("must be an email address") from None
    return text


def _url(entry: Field, text: str) -> str:
    try:
        if len(text) > MAX_URL:
            raise ValidationError("too long")
        _is_url(text)
    except ValidationError:
        raise _Problem("must be a full address that starts with https:// or http://") from None
    return text


_CLEANERS: Final[dict[str, Callable[[Field, str], str]]] = {
    "text": _plain,
    "textarea": _plain,
    "date_picker": _date,
    "country": _country,
    "select": _select,
    "email": _email,
    "url": _url,
}
