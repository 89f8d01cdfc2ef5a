"""The examples of the text that the project started from, letter for letter.

sam asks for the model lab/toxic-bert, whose card is the text's own; ada calls the five addresses with her token.
"""

from __future__ import annotations

import pytest
from django.test import Client

from access.models import AccessRequest
from repos.models import Repo
from tests.support.cast import add_files, make_token, text_of
from tests.web.pages import soup, words

FIRST_CARD = b"""---
extra_gated_prompt: "You agree to not use the model to conduct experiments that cause harm to human subjects."
extra_gated_fields:
 Company: text
 Country: text
 I agree to use this model for non-commercial use ONLY: checkbox
---
"""
SECOND_CARD = b"""---
extra_gated_heading: "Acknowledge license to accept the repository"
extra_gated_button_content: "Acknowledge license"
---
"""
LICENSE = "I agree to use this model for non-commercial use ONLY"
ANSWERS = {"Company": "Example University", "Country": "France", LICENSE: "true"}


@pytest.fixture
def repo_id(ada, lab, make_repo):
    make_repo("lab/toxic-bert", by=ada, gated="manual", files={"README.md": FIRST_CARD, "config.json": b"{}"})
    return "lab/toxic-bert"


@pytest.fixture
def headers(ada):
    token = make_token(ada)
    return {"authorization": f"Bearer {token}"}


@pytest.fixture
def asked(repo_id, sam):
    sent = Client().post(f"/{repo_id}/ask-access", ANSWERS, headers={"authorization": f"Bearer {make_token(sam)}"})
    assert sent.status_code == 303


def listed(repo_id, status, headers) -> list[str]:
    answer = Client().get(f"/api/models/{repo_id}/user-access-request/{status}", headers=headers)
    assert answer.status_code == 200
    return [request["user"]["user"] for request in answer.json()]


def call(repo_id, what, json, headers):
    return Client().post(
        f"/api/models/{repo_id}/user-access-request/{what}", json, content_type="application/json", headers=headers
    )


def test_get_pending_accepted_and_rejected(asked, repo_id, headers):
    assert listed(repo_id, "pending", headers) == ["sam"]
    assert listed(repo_id, "accepted", headers) == []
    assert listed(repo_id, "rejected", headers) == []


@pytest.mark.parametrize("status", ["accepted", "rejected"])
def test_post_handle(status, asked, repo_id, headers):
    assert call(repo_id, "handle", {"status": status, "user": "sam"}, headers).status_code == 200
    assert listed(repo_id, status, headers) == ["sam"]
    assert call(repo_id, "handle", {"status": "pending", "user": "sam"}, headers).status_code == 200
    assert listed(repo_id, "pending", headers) == ["sam"]


def test_post_grant(repo_id, headers, noor):
    assert call(repo_id, "grant", {"user": "noor"}, headers).status_code == 200
    assert listed(repo_id, "accepted", headers) == ["noor"]


def test_the_token_must_have_write_access_to_the_gated_repository(asked, repo_id, ada, rea):
    for token in (make_token(ada, "read"), make_token(rea)):
        headers = {"authorization": f"Bearer {token}"}
        assert call(repo_id, "handle", {"status": "accepted", "user": "sam"}, headers).status_code == 403
        assert call(repo_id, "grant", {"user": "sam"}, headers).status_code == 403
    assert AccessRequest.objects.get().is_pending


def test_only_whose_request_was_approved_can_download(asked, repo_id, headers, sam):
    files = f"/{repo_id}/resolve/main/config.json"
    own = {"authorization": f"Bearer {make_token(sam)}"}
    assert Client().get(files).status_code == 401
    assert Client().get(files, headers=own).status_code == 403
    call(repo_id, "handle", {"status": "accepted", "user": "sam"}, headers)
    assert text_of(Client().get(files, headers=own)) == b"{}"


def test_owners_can_download_a_copy_of_the_report(asked, repo_id, headers):
    answer = Client().get(f"/{repo_id}/user-access-report", headers=headers)
    assert b'"sam@example.org"' in text_of(answer)
    assert "attachment" in answer["Content-Disposition"]


def test_the_first_card_asks_two_texts_and_a_checkbox_below_its_prompt(repo_id, browser, sam):
    gate = soup(browser(sam).get(f"/{repo_id}")).select_one("#gate")
    assert "You agree to not use the model to conduct experiments that cause harm to human subjects." in words(gate)
    kinds = {control["name"]: control.get("type") for control in gate.select("input[name]")}
    assert [kinds["Company"], kinds["Country"], kinds[LICENSE]] == ["text", "text", "checkbox"]


def test_answers_are_kept_under_the_labels_of_the_card(asked):
    assert AccessRequest.objects.get().answers == ANSWERS


def test_the_second_card_changes_the_heading_and_the_button(repo_id, browser, ada, sam):
    add_files(Repo.objects.get(), {"README.md": SECOND_CARD}, by=ada)
    gate = soup(browser(sam).get(f"/{repo_id}")).select_one("#gate")
    assert words(gate.select_one("#gate-heading")) == "Acknowledge license to accept the repository"
    assert words(gate.select_one("button[type=submit]")) == "Acknowledge license"
