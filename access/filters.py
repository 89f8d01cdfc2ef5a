"""Which requests a reviewer looks at: by status, search, answers, country and age."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import reduce
from typing import Any

from django.db import connection
from django.db.models import Exists, OuterRef, Q, QuerySet, TextField, Value
from django.db.models.functions import Cast, StrIndex
from django.db.models.lookups import GreaterThan

from access import search
from access.models import AccessRequest
from accounts.compiled import rows
from repos import cards
from repos.models import GateForm, Repo

NEWEST_FORMS = 20
"""Of how many form versions the questions can be filtered by: an author may have written hundreds."""
MOST_OPTIONS = 300
AGES: dict[str, tuple[str, timedelta | None, timedelta | None]] = {
    # Words, at most this old, at least this old.
    "1d": ("in the last 24 hours", timedelta(days=1), None),
    "7d": ("in the last 7 days", timedelta(days=7), None),
    "30d": ("in the last 30 days", timedelta(days=30), None),
    "over-7d": ("more than 7 days ago", None, timedelta(days=7)),
    "over-30d": ("more than 30 days ago", None, timedelta(days=30)),
    "over-90d": ("more than 90 days ago", None, timedelta(days=90)),
}


@dataclass(frozen=True, slots=True)
class RequestFilter:
    """What a list of requests is narrowed to.  `answers` are pairs of a question's label and a stored answer."""

    status: str = AccessRequest.Status.PENDING
    search: str = ""
    answers: tuple[tuple[str, str], ...] = ()
    country: str = ""
    countries_in: tuple[str, ...] = ()  # Labels of the questions that tell a country.
    asked_after: datetime | None = None
    asked_before: datetime | None = None

    @property
    def narrows(self) -> bool:
        """Whether it leaves out some of the list of its status."""
        return self != RequestFilter(self.status, countries_in=self.countries_in)

    def requests(self, repo: Repo) -> QuerySet[AccessRequest]:
        """Those of the repo, in no order."""
        rows = AccessRequest.objects.filter(self.contents(), self.times(), repo=repo, status=self.status)
        return rows.order_by()

    def contents(self, by: Sequence[str] = ()) -> Q:
        """What it asks of names, addresses and answers; empty for nothing.  `by` as in `search.matching`."""
        found, answers = search.matching(self.search, by), self.answers
        if self.country and len(self.countries_in) == 1:
            answers = (*answers, (self.countries_in[0], self.country))
        elif self.country:
            found &= _has_one([(label, self.country) for label in self.countries_in])
        return found & _has_all(answers)

    def times(self) -> Q:
        """When they were sent; empty for any time."""
        after = Q() if self.asked_after is None else Q(requested_at__gte=self.asked_after)
        return after if self.asked_before is None else after & Q(requested_at__lte=self.asked_before)

    def until(self, moment: datetime) -> RequestFilter:
        """The same, without requests that were sent later."""
        return replace(self, asked_before=moment if self.asked_before is None else min(moment, self.asked_before))

    def to_json(self) -> dict[str, Any]:
        return {
            "status": self.status,
            "search": self.search,
            "answers": [list(pair) for pair in self.answers],
            "country": self.country,
            "countries_in": list(self.countries_in),
            "asked_after": None if self.asked_after is None else self.asked_after.isoformat(),
            "asked_before": None if self.asked_before is None else self.asked_before.isoformat(),
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> RequestFilter:
        """What `to_json` gave.  Raises for anything else: nothing may be decided by a filter that nobody understood."""
        moments = {name: data[name] for name in ("asked_after", "asked_before")}
        return cls(
            status=AccessRequest.Status(data["status"]),
            search=str(data["search"]),
            answers=tuple((str(label), str(answer)) for label, answer in data["answers"]),
            country=str(data["country"]),
            countries_in=tuple(str(label) for label in data["countries_in"]),
            **{name: None if said is None else datetime.fromisoformat(said) for name, said in moments.items()},
        )


def _has_all(pairs: Sequence[tuple[str, str]]) -> Q:
    """With each of the answers."""
    if connection.vendor == "postgresql" and len(dict(pairs)) == len(pairs) > 1:
        return Q(answers__contains=dict(pairs))  # Compared at once.  Two to one question nobody has.
    return reduce(Q.__and__, (_has(label, answer) for label, answer in pairs), Q())


def _has_one(pairs: Iterable[tuple[str, str]]) -> Q:
    """With at least one of the answers."""
    return reduce(Q.__or__, (_has(label, answer) for label, answer in pairs), Q(pk__in=[]))


def _has(label: str, answer: str) -> Q:
    if connection.vendor == "postgresql":
        return Q(answers__contains={label: answer})
    # SQLite's paths into JSON know no quotes in keys, but the text is as Django wrote it.  A quote within a label or an
    # answer has a backslash before it there, so that neither can look like the beginning of a pair.
    pair = f"{json.dumps(label)}: {json.dumps(answer)}"
    text = Cast("answers", TextField())
    first, later = (GreaterThan(StrIndex(text, Value(before + pair)), 0) for before in ("{", ", "))
    return Q(first) | Q(later)


@dataclass(frozen=True, slots=True)
class Question:
    """A question whose answers can be told apart by a choice, over all form versions that asked it.

    `key` stands for the label, which may be a page long, in addresses.  `options` are stored answers with their words.
    """

    key: str
    label: str
    options: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Questions:
    """What the requests of one repo can be filtered by."""

    choices: tuple[Question, ...] = ()
    countries_in: tuple[str, ...] = ()

    def answer(self, said: str) -> tuple[str, str] | None:
        """The label and the stored answer that `key:answer` names; None for what is no answer of these questions.

        Browsers send an option's newlines as CR LF.
        """
        key, _, text = said.partition(":")
        for question in self.choices:
            if question.key == key:
                answer = cards.known_again(text, (stored for stored, _ in question.options))
                return None if answer is None else (question.label, answer)
        return None


def questions_of(repo: Repo) -> Questions:
    """The questions of the form in force and of those that were answered, the newest first."""
    fields_of_versions = rows(_fields_of_versions, repo=repo.pk, in_force=repo.gate_form_id or 0)  # No key is 0.
    options: dict[str, dict[str, str]] = {}
    countries: dict[str, None] = {}
    for fields in fields_of_versions:
        for entry in cards.FormSpec.from_json({"fields": fields or []}).fields:
            if entry.type in ("country", "ip_location"):
                countries[entry.label] = None
            elif entry.type == "checkbox":
                options.setdefault(entry.label, {}).update({"true": "Yes", "false": "No"})
            elif entry.type == "select":
                offered = {option.value: option.label for option in entry.options}
                options[entry.label] = offered | options.get(entry.label, {})
    choices = (
        Question(_key(label), label, tuple(offered.items())[:MOST_OPTIONS]) for label, offered in options.items()
    )
    return Questions(tuple(choices), tuple(countries))


def _fields_of_versions(repo: int, in_force: int) -> QuerySet[GateForm, Any]:
    answered = AccessRequest.objects.filter(form=OuterRef("pk")).order_by()
    versions = GateForm.objects.filter(Q(Exists(answered)) | Q(pk=in_force), repo=repo)
    return versions.order_by("-pk").values_list("spec__fields", flat=True)[:NEWEST_FORMS]


def _key(label: str) -> str:
    return hashlib.sha256(label.encode()).hexdigest()[:10]
