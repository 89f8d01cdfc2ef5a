"""The gate's form, sent back: `gate_page`, which the ask-access view calls."""

from __future__ import annotations

import json

from django.contrib.messages.storage.fallback import FallbackStorage
from django.contrib.sessions.backends.db import SessionStore
from django.test import RequestFactory

from access.models import AccessRequest
from accounts.actor import Actor
from gatehub.web.repo import gate_page
from tests.support.cast import add_files
from tests.web.pages import described, form_to, press, soup, words

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


def test_an_empty_line_at_the_beginning_is_kept(gated_repo, ada, sam):
    """A browser leaves out the first line end after `<textarea>`."""
    add_files(gated_repo, {"README.md": b"---\nextra_gated_fields: {Story: textarea, Age: text}\n---\n"}, by=ada)
    page = soup(refused(gated_repo, sam, {"Age": "this field is required"}, {"Story": "\nonce"}))
    assert form_to(page, f"{PATH}/ask-access").find("textarea").text == "\n\nonce"


def test_answers_that_are_no_text_do_no_harm(gated_repo, sam):
    page = soup(refused(gated_repo, sam, {"Company": "must be a text"}, {"Company": {"a": 1}, "Country": None}))
    assert form_to(page, f"{PATH}/ask-access").find(attrs={"name": "Company"})["value"] == ""


def test_the_form_as_a_browser_sends_it(gated_repo, browser, sam):
    client = browser(sam, enforce_csrf_checks=True)
    page = soup(client.get(PATH))
    response = press(client, page, f"{PATH}/ask-access", Company="Example <U>", Country="FR")
    assert response.status_code == 400
    page = soup(response)
    assert described(page, page.find(attrs={"name": "I agree"})) == "Must be ticked"
    response = press(client, page, f"{PATH}/ask-access", **{"I agree": "true"})
    assert response.status_code == 303
    assert AccessRequest.objects.get().answers == {"Company": "Example <U>", "Country": "FR", "I agree": "true"}
    assert "awaiting review" in words(soup(client.get(PATH)))


def test_long_and_odd_labels_come_back_letter_for_letter(gated_repo, browser, ada, sam):
    labels = ["a: 'b', \"c\" & <i>d</i>", "Ж" * 300, "two\nlines", "next", "submit", "csrf"]
    fields = dict.fromkeys(labels, "text")
    add_files(
        gated_repo,
        {"README.md": f"---\nextra_gated_fields: {json.dumps(fields, ensure_ascii=False)}\n---\n".encode()},
        by=ada,
    )
    client = browser(sam)
    page = soup(client.get(PATH))
    response = press(client, page, f"{PATH}/ask-access", **dict.fromkeys(labels, "x"))
    assert response.status_code == 303, [words(problem.parent) for problem in soup(response).select(".problem")]
    assert list(AccessRequest.objects.get().answers) == labels


def test_a_chosen_option_of_several_lines_is_kept_as_browsers_send_it(gated_repo, ada, sam):
    card = b"""---
extra_gated_fields:
  Use:
    type: select
    options:
    - |
      Two
      lines
    - >
      Fold
      ed
    - {label: Else, value: other}
  Company: text
---
"""
    add_files(gated_repo, {"README.md": card}, by=ada)
    problems = {"Company": "this field is required"}
    for said, kept in (
        ("Two\r\nlines\r\n", ["Two\nlines\n"]),
        ("Fold ed\r\n", ["Fold ed\n"]),
        ("Else", ["other"]),
        ("nonsense", []),
        ("", []),
    ):
        page = soup(refused(gated_repo, sam, problems, {"Use": said}))
        options = form_to(page, f"{PATH}/ask-access").select("select[name=Use] option[selected]")
        assert [option["value"] for option in options] == kept
