"""Reviewing on the settings page.  ada reviews lab/toxic-bert; sam and noor ask."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from access import services
from access.models import AccessRequest
from accounts.actor import Actor
from accounts.models import AuditEvent, User
from repos import services as repo_services
from tests.support.cast import ANSWERS, add_files
from tests.web.pages import form_to, people_on, press, soup, words

OTHER_CARD = b"---\nextra_gated_fields:\n  Other: {type: select, options: [a, b]}\n---\n"
SETTINGS = "/lab/toxic-bert/settings"
REVIEW = f"{SETTINGS}/review"


def status_of(user: User) -> str:
    return AccessRequest.objects.get(user=user).status


def test_each_pending_request_has_an_accept_and_a_reject_control(asked, browser, ada):
    page = soup(browser(ada).get(SETTINGS))
    rows = page.select("#requests .rows > li")
    assert [row.select_one(".who a").text for row in rows] == ["sam", "noor"]
    for row in rows:
        assert [words(button) for button in row.select("form button")] == ["Accept", "Reject"]
        form = row.select_one("form[id]")
        with_reason = row.select_one(".why")
        assert {node["form"] for node in with_reason.select("input, button")} == {form["id"]}
    row = words(rows[0])
    assert "Sam Requester" in row
    assert "sam@example.org verified" in row
    answers = [(words(pair.dt), words(pair.dd)) for pair in rows[0].select(".answers dl > div")]
    assert answers == [("Company", "Example University"), ("Country", "France (FR)"), ("I agree", "Yes")]
    assert [words(tab) for tab in page.select("#requests .tabs a")] == ["Pending 2", "Accepted 0", "Rejected 0"]


def test_accept_reject_with_reason_and_cancel(asked, browser, ada, sam):
    client = browser(ada)
    response = press(client, soup(client.get(SETTINGS)), REVIEW, 'aria-label="Accept sam"')
    assert response["Location"] == f"{SETTINGS}#requests"
    assert status_of(sam) == "accepted"
    assert "sam has access now." in words(soup(client.get(SETTINGS)))
    event = AuditEvent.objects.first()
    assert (event.actor, event.verb, event.entrance) == ("ada", "access_request:accepted", "page")

    page = soup(client.get(f"{SETTINGS}?status=accepted"))
    press(client, page, REVIEW, 'aria-label="Reject sam"', reason="Left the lab")
    assert AccessRequest.objects.get(user=sam).rejection_reason == "Left the lab"

    page = soup(client.get(f"{SETTINGS}?status=rejected"))
    assert "Reason: Left the lab" in words(page)
    press(client, page, REVIEW, "Cancel the decision about sam")
    assert status_of(sam) == "pending"


def test_the_second_of_two_reviewers_is_told_what_the_first_did(asked, browser, ada, wes, sam):
    first, second = browser(ada), browser(wes)
    seen = soup(second.get(SETTINGS))
    press(first, soup(first.get(SETTINGS)), REVIEW, 'aria-label="Accept sam"')
    press(second, seen, REVIEW, 'aria-label="Reject sam"', reason="No")
    assert status_of(sam) == "accepted"
    told = words(soup(second.get(SETTINGS)).select_one("#toasts"))
    assert "The request of sam is not pending any more: ada accepted it. Nothing was changed." in told


@pytest.mark.parametrize(("status", "by_hand", "says"), [
    ("accepted", False, "The request of sam is not pending any more: it was accepted. Nothing was changed."),
    ("rejected", True, "The request of sam is not pending any more: ada rejected it. Nothing was changed."),
    ("pending", True, "The request of sam is not accepted any more: it is pending again. Nothing was changed."),
])  # fmt: skip
def test_what_became_of_a_request_meanwhile_is_said(asked, browser, ada, sam, status, by_hand, says):
    expected = "accepted" if status == "pending" else "pending"
    if status != "pending":
        services.review(access_request=asked[0], status=status, by=Actor(user=ada))
    AccessRequest.objects.filter(user=sam).update(reviewed_by=ada if by_hand and status != "pending" else None)
    client = browser(ada)
    data = {"request_id": asked[0].request_id, "status": "rejected", "expected": expected}
    client.post(REVIEW, data)
    assert says in words(soup(client.get(SETTINGS)).select_one("#toasts"))
    assert status_of(sam) == status


@pytest.mark.parametrize(("given", "says"), [
    ({"status": "vip"}, "The form is not complete. Load the page again and repeat what you did."),
    ({"status": ""}, "The form is not complete."),
    ({"status": "pending"}, "The request of sam is pending already. Nothing was changed."),
    ({"reason": "x" * 201}, "The reason may have 200 characters at most; yours has 201."),
    ({"request_id": "0" * 24}, "This request is not there any more: it was taken back, or the account was deleted."),
    ({"request_id": ""}, "The form is not complete."),
    ({"expected": "vip", "status": "pending"}, "The request of sam is pending already."),
])  # fmt: skip
def test_what_makes_no_sense_changes_nothing_and_says_why(asked, browser, ada, sam, given, says):
    client = browser(ada)
    press(client, soup(client.get(SETTINGS)), REVIEW, 'aria-label="Reject sam"', **given)
    assert status_of(sam) == "pending"
    assert says in words(soup(client.get(SETTINGS)).select_one("#toasts .notice.error"))


def test_a_decision_about_a_repo_that_is_open_now_says_so(asked, gated_repo, browser, ada):
    client = browser(ada)
    repo_services.change_settings(gated_repo, {"gated": False}, by=Actor(user=ada))
    client.post(REVIEW, {"request_id": asked[0].request_id, "status": "accepted", "expected": "pending"})
    told = words(soup(client.get(SETTINGS)).select_one("#toasts"))
    assert "The model lab/toxic-bert is not gated: nobody has to ask for access to it. Requests can be" in told


def test_a_request_of_another_repo_is_not_decided_here(asked, make_repo, browser, olu, sam):
    own = make_repo("olu/own", by=olu, gated="manual")
    response = browser(olu).post(
        f"{own.path}/settings/review", {"request_id": asked[0].request_id, "status": "accepted"}
    )
    assert response.status_code == 302
    assert status_of(sam) == "pending"


def test_decisions_lead_back_to_the_list_page_and_search(asked, browser, ada):
    client = browser(ada)
    page = soup(client.get(SETTINGS, {"q": "sam", "age": "7d", "page": "1"}))
    response = press(client, page, REVIEW, 'aria-label="Accept sam"')
    assert response["Location"] == f"{SETTINGS}?q=sam&age=7d#requests"


def test_reviewers_see_the_questions_as_they_were_asked_and_that_they_have_changed(
    asked, gated_repo, browser, ada, olu
):
    add_files(gated_repo, {"README.md": OTHER_CARD}, by=ada)
    gated_repo.refresh_from_db()
    services.ask(repo=gated_repo, answers={"Other": "a"}, by=Actor(user=olu))
    rows = soup(browser(ada).get(SETTINGS)).select("#requests .rows > li")
    said = {row.select_one(".who a").text: row.select_one(".answers") for row in rows}
    assert "The form has changed since." in words(said["sam"])
    assert "earlier form" in words(said["sam"].summary)
    assert [words(term) for term in said["sam"].select("dt")] == ["Company", "Country", "I agree"]
    assert "changed since" not in words(said["olu"])
    assert [words(term) for term in said["olu"].select("dt")] == ["Other"]


def test_all_answers_can_be_unfolded_and_stay_so(asked, browser, ada):
    client = browser(ada)
    page = soup(client.get(SETTINGS, {"q": "sam"}))
    assert not page.select("#requests .answers[open]")
    page = soup(client.get(page.select_one("#fold")["href"]))
    assert len(page.select("#requests .answers[open]")) == 1
    response = press(client, page, REVIEW, 'aria-label="Accept sam"')
    assert response["Location"] == f"{SETTINGS}?q=sam&show=answers#requests"
    page = soup(client.get(f"{SETTINGS}?show=answers"))
    assert page.select_one("#fold")["href"] == f"{SETTINGS}?#requests"


def test_reasons_given_lately_are_offered_again(asked, gated_repo, browser, ada, olu):
    by = Actor(user=ada)
    services.review(access_request=asked[0], status="rejected", reason="Not <now>", by=by)
    services.review(access_request=asked[1], status="rejected", reason="Not <now>", by=by)
    services.ask(repo=gated_repo, answers=ANSWERS, by=Actor(user=olu))
    page = soup(browser(ada).get(SETTINGS))
    assert [option["value"] for option in page.select("datalist#reasons option")] == ["Not <now>"]
    assert {field["list"] for field in page.select("#requests [name=reason]")} == {"reasons"}


def test_htmx_gets_the_review_alone_with_the_messages(asked, browser, ada):
    client = browser(ada)
    headers = {"HX-Request": "true", "HX-Target": "requests"}
    client.post(REVIEW, {"request_id": asked[0].request_id, "status": "accepted"}, headers=headers)
    page = soup(client.get(f"{SETTINGS}?status=accepted", headers=headers))
    assert people_on(page) == ["sam"]
    assert not page.select("html, header, #access")
    assert words(page.select_one('#toasts[hx-swap-oob="true"]')) == "sam has access now. ×"
    whole = soup(client.get(SETTINGS, headers=headers | {"HX-History-Restore-Request": "true"}))
    assert whole.select("html, #access")


def test_requests_over_time_are_a_picture_and_a_table(asked, browser, ada):
    services.review(access_request=asked[0], status="rejected", by=Actor(user=ada))
    AccessRequest.objects.filter(user__username="noor").update(requested_at=timezone.now() - timedelta(days=3))
    figure = soup(browser(ada).get(SETTINGS)).select_one("figure.chart")
    assert [rect["class"] for rect in figure.select("svg rect")] == [["pending"], ["rejected"]]
    assert "Requests a day from" in figure.select_one("svg")["aria-label"]
    numbers = [[words(cell) for cell in row.select("td")] for row in figure.select("tbody tr")]
    assert numbers == [["0", "1", "0", "1"], ["0", "0", "1", "1"]]


def test_automatic_mode_offers_to_accept_who_waits(asked, gated_repo, browser, ada):
    client, path = browser(ada), f"{SETTINGS}/accept-queue"
    assert not soup(client.get(SETTINGS)).select(f'form[action="{path}"]')
    repo_services.change_settings(gated_repo, {"gated": "auto"}, by=Actor(user=ada))
    page = soup(client.get(SETTINGS))
    assert "2 from before still wait for a decision" in words(page)
    press(client, page, path)
    assert set(AccessRequest.objects.values_list("status", flat=True)) == {"accepted"}
    assert "2 requests accepted." in words(soup(client.get(SETTINGS)))


def test_without_a_gate_there_is_nothing_to_review(asked, gated_repo, browser, ada):
    repo_services.change_settings(gated_repo, {"gated": False}, by=Actor(user=ada))
    page = soup(browser(ada).get(SETTINGS))
    assert "is not gated" in words(page.select_one("#requests"))
    assert [form["class"] for form in page.select("#requests form")] == [["report-form"]]


@pytest.mark.parametrize("who", ["sam", "rea"])
def test_who_may_not_review_sees_no_settings_and_changes_nothing(asked, browser, rea, sam, who):
    client = browser({"sam": sam, "rea": rea}[who])
    assert client.get(SETTINGS).status_code == 403
    data = {"request_id": asked[0].request_id, "status": "accepted", "user": who}
    for sub in ("review", "grant", "accept-queue", "bulk", "bulk/1/stop", "change", "move", "delete"):
        assert client.post(f"{SETTINGS}/{sub}", data | {"confirm": "lab/toxic-bert"}).status_code == 403, sub
    for sub in ("people?user=sam", "bulk/1"):
        assert client.get(f"{SETTINGS}/{sub}").status_code == 403, sub
    assert status_of(sam) == "pending"


def test_the_controls_need_their_csrf_token(asked, browser, ada, sam):
    client = browser(ada, enforce_csrf_checks=True)
    data = {"request_id": asked[0].request_id, "status": "accepted"}
    response = client.post(REVIEW, data)
    assert response.status_code == 403
    assert "This form has expired" in words(soup(response))
    assert status_of(sam) == "pending"
    form = form_to(soup(client.get(SETTINGS)), REVIEW, 'aria-label="Accept sam"')
    token = form.find(attrs={"name": "csrfmiddlewaretoken"})["value"]
    assert client.post(REVIEW, data | {"csrfmiddlewaretoken": token}).status_code == 302
    assert status_of(sam) == "accepted"


def test_a_question_that_was_left_out_is_shown_as_such(gated_repo, browser, ada, sam):
    card = b"""---
extra_gated_fields:
  Company: text
  Remarks: {type: textarea, required: false}
  Newsletter: {type: checkbox, required: false}
  Where: ip_location
---
"""
    add_files(gated_repo, {"README.md": card}, by=ada)
    gated_repo.refresh_from_db()
    services.ask(repo=gated_repo, answers={"Company": "X"}, by=Actor(user=sam))
    row = soup(browser(ada).get(SETTINGS)).select_one(".answers")
    assert words(row.summary) == "3 answers"
    assert words(row.dl) == "Company X Remarks Not answered Newsletter No Where Not known"
    assert "not answered" not in AccessRequest.objects.get().search_text.lower()
