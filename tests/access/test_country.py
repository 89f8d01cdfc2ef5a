"""The country of a request: what its answers tell, in a column of its own, also of those sent before there was one."""

from __future__ import annotations

from importlib import import_module

import pytest
from django.apps import apps

from access import answers, services
from access.models import AccessRequest
from accounts.actor import Actor
from tests.support.cast import add_files

fill_country = import_module("access.migrations.0007_staff").fill_country

BOTH = {"fields": [{"label": "Where", "type": "ip_location"}, {"label": "Country", "type": "country"}]}
ONE = {"fields": [{"label": "Where", "type": "ip_location"}]}
TEXT = {"fields": [{"label": "Country", "type": "text"}]}


@pytest.mark.parametrize(
    ("spec", "given", "country"),
    [
        (BOTH, {"Where": "DE", "Country": "FR"}, "FR"),
        (BOTH, {"Where": "DE", "Country": ""}, "DE"),
        (BOTH, {"Where": "DE"}, "DE"),
        (BOTH, {}, ""),
        (ONE, {"Where": ""}, ""),
        (ONE, {"Where": "Germany"}, ""),
        (ONE, {"Where": None}, ""),
        (ONE, {"Where": ["DE"]}, ""),
        (TEXT, {"Country": "FR"}, ""),
        ({}, {"Country": "FR"}, ""),
    ],
)
def test_which_country_the_answers_tell(spec, given, country):
    assert answers.country_of(spec, given) == country


def card(fields: str) -> bytes:
    return f"---\nextra_gated_fields:\n{fields}---\n# A model\n".encode()


@pytest.fixture
def asked(ada, lab, make_repo, make_user) -> dict[str, AccessRequest]:
    """By what they tell: a country that was chosen, one in a text, and a person to whom access was given unasked."""
    made = {}
    for name, fields, given in (
        ("chosen", "  Country: country\n", {"Country": "NG"}),
        ("written", "  Country: text\n", {"Country": "NG"}),
    ):
        repo = make_repo(f"lab/{name}", by=ada, gated="manual", files={"README.md": card(fields)})
        made[name] = services.ask(repo=repo, answers=given, by=Actor(user=make_user(f"who-{name}")))
        made["granted " + name] = services.grant(repo=repo, user=make_user(f"other-{name}"), by=Actor(user=ada))
    return made


def countries(asked: dict[str, AccessRequest]) -> dict[str, str]:
    return {name: AccessRequest.objects.get(pk=request.pk).country for name, request in asked.items()}


EXPECTED = {"chosen": "NG", "written": "", "granted chosen": "", "granted written": ""}


def test_a_new_request_has_it(asked):
    assert countries(asked) == EXPECTED


def test_those_sent_before_get_it_by_the_migration(asked, monkeypatch):
    AccessRequest.objects.update(country="")
    fill_country(apps, None)
    assert countries(asked) == EXPECTED
    fill_country(apps, None)  # As after an attempt that was broken off.
    assert countries(asked) == EXPECTED


def test_the_migration_goes_on_after_its_first_thousand(asked, make_user, monkeypatch):
    monkeypatch.setattr(import_module("access.migrations.0007_staff"), "AT_ONCE", 2)
    repo = asked["chosen"].repo
    for number in range(5):
        services.ask(repo=repo, answers={"Country": "FR"}, by=Actor(user=make_user(f"more-{number}")))
    AccessRequest.objects.update(country="")
    fill_country(apps, None)
    assert AccessRequest.objects.filter(country="FR").count() == 5
    assert countries(asked) == EXPECTED


def test_a_version_of_the_form_counts_for_those_who_answered_it(asked, ada):
    request = asked["chosen"]
    add_files(request.repo, {"README.md": card("  Country: text\n")}, by=ada)
    AccessRequest.objects.update(country="")
    fill_country(apps, None)
    assert countries(asked)["chosen"] == "NG"
