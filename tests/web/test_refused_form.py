"""The gate's form, sent back: `gate_page`, which the ask-access view calls."""

from __future__ import annotations

from django.contrib.messages.storage.fallback import FallbackStorage
from django.contrib.sessions.backends.db import SessionStore
from django.test import RequestFactory

from accounts.actor import Actor
from gatehub.web.repo import gate_page
from tests.support.cast import add_files
from tests.web.pages import described, form_to, soup, words

PATH = "/lab/toxic-bert"


def refused(repo, user, problems, given):
    request = RequestFactory().post(f"{PATH}/ask-access")
    request.user, request.session = user, SessionStore()
    request._messages = FallbackStorage(request)
    repo.refresh_from_db()
    return gate_page(request, repo, Actor(user=user), problems, given)


def test_each_problem_stands_at_its_field_and_what_was_typed_is_kept(gated_repo, sam):
    given = {"Company": "Example & <Sons>", "Country": "france", "I agree": "true"}
    response = refused(gated_repo, sam, {"Country": "must be a country", "I agree": "must be ticked"}, given)
    assert response.status_code == 400
    page = soup(response)
    form = form_to(page, f"{PATH}/ask-access")
    assert form.find(attrs={"name": "Company"})["value"] == "Example & <Sons>"
    country = form.find(attrs={"name": "Country"})
    assert country.select_one("option[selected]")["value"] == "FR"
    assert country["aria-invalid"] == "true"
    assert described(page, country) == "Must be a country"
    assert form.find(attrs={"name": "I agree"}).has_attr("checked")
    assert not form.find(attrs={"name": "Company"}).has_attr("aria-invalid")
    assert "The form is not complete" in words(page.select_one("[role=alert]"))


def test_all_kinds_of_answers_are_kept(gated_repo, ada, sam):
    card = b"""---
extra_gated_fields:
  Born: date_picker
  Purpose: {type: select, options: [Research, {label: Else, value: other}]}
  Story: textarea
---
"""
    add_files(gated_repo, {"README.md": card}, by=ada)
    given = {"Born": "soon", "Purpose": "other", "Story": "</textarea><b>one\ntwo", "Unasked": "x"}
    page = soup(refused(gated_repo, sam, {"Born": "must be a date"}, given))
    form = form_to(page, f"{PATH}/ask-access")
    assert form.find(attrs={"name": "Born"})["value"] == "soon"
    assert form.select_one("select[name=Purpose] option[selected]")["value"] == "other"
    assert form.find("textarea").text.strip() == "</textarea><b>one\ntwo"


def test_answers_that_are_no_text_do_no_harm(gated_repo, sam):
    page = soup(refused(gated_repo, sam, {"Company": "must be a text"}, {"Company": {"a": 1}, "Country": None}))
    assert form_to(page, f"{PATH}/ask-access").find(attrs={"name": "Company"})["value"] == ""
