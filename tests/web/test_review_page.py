"""Reviewing on the settings page.  ada reviews lab/toxic-bert; sam and noor ask."""

from __future__ import annotations

import pytest
from django.utils import timezone

from access import services
from access.models import AccessRequest
from accounts.actor import Actor
from accounts.models import AuditEvent, User
from gatehub.web import review
from repos import services as repo_services
from tests.support.cast import ANSWERS
from tests.web.pages import form_to, press, soup, words

PATH = "/lab/toxic-bert"
SETTINGS = f"{PATH}/settings"
REVIEW = f"{PATH}/settings/review"


@pytest.fixture
def asked(gated_repo, sam, noor):
    answers = [ANSWERS, ANSWERS | {"Company": "Université de Genève"}]
    return [
        services.ask(repo=gated_repo, answers=given, by=Actor(user=user))
        for user, given in zip([sam, noor], answers, strict=True)
    ]


def status_of(user: User) -> str:
    return AccessRequest.objects.get(user=user).status


def test_each_pending_request_has_an_accept_and_a_reject_control(asked, browser, ada):
    page = soup(browser(ada).get(SETTINGS))
    rows = page.select("#requests .rows > li")
    assert [row.select_one(".who a").text for row in rows] == ["sam", "noor"]
    for row in rows:
        assert [words(button) for button in row.select("form button")] == ["Accept", "Reject"]
    row = words(rows[0])
    assert "Sam Requester" in row
    assert "sam@example.org verified" in row
    answers = [(words(pair.dt), words(pair.dd)) for pair in rows[0].select(".answers dl > div")]
    assert answers == [("Company", "Example University"), ("Country", "France (FR)"), ("I agree", "Yes")]
    assert [words(tab) for tab in page.select("#requests .tabs a")] == ["Pending 2", "Accepted 0", "Rejected 0"]


def test_accept_reject_with_reason_and_cancel(asked, browser, ada, sam):
    client = browser(ada)
    response = press(client, soup(client.get(SETTINGS)), REVIEW, 'aria-label="Accept sam"')
    assert response["Location"] == f"{SETTINGS}?status=pending#requests"
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
    assert "The request of sam was accepted by ada already." in words(soup(second.get(SETTINGS)))


@pytest.mark.parametrize(
    "given",
    [{"status": "vip"}, {"status": ""}, {"reason": "x" * 201}, {"request_id": "0" * 24}, {"request_id": ""}],
)
def test_what_makes_no_sense_changes_nothing_and_says_why(asked, browser, ada, sam, given):
    client = browser(ada)
    press(client, soup(client.get(SETTINGS)), REVIEW, 'aria-label="Reject sam"', **given)
    assert status_of(sam) == "pending"
    assert soup(client.get(SETTINGS)).select(".notice.error")


def test_a_request_of_another_repo_is_not_decided_here(asked, make_repo, browser, olu, sam):
    own = make_repo("olu/own", by=olu, gated="manual")
    response = browser(olu).post(
        f"{own.path}/settings/review", {"request_id": asked[0].request_id, "status": "accepted"}
    )
    assert response.status_code == 302
    assert status_of(sam) == "pending"


@pytest.mark.parametrize(("search", "found"), [
    ("SAM", ["sam"]), ("haddad", ["noor"]), ("noor@", ["noor"]), ("genève", ["noor"]), ("Example Univ", ["sam"]),
    ("nobody", []), ("%", []), ("' OR 1=1 --", []), ("\0", ["sam", "noor"]),
])  # fmt: skip
def test_search_over_names_addresses_and_answers(asked, browser, ada, search, found):
    page = soup(browser(ada).get(SETTINGS, {"q": search}))
    assert [link.text for link in page.select("#requests .who a")] == found


def test_decisions_lead_back_to_the_list_page_and_search(asked, browser, ada):
    client = browser(ada)
    page = soup(client.get(SETTINGS, {"q": "sam", "page": "1"}))
    response = press(client, page, REVIEW, 'aria-label="Accept sam"')
    assert response["Location"] == f"{SETTINGS}?status=pending&q=sam#requests"


def test_lists_come_in_pages(asked, browser, ada, monkeypatch):
    monkeypatch.setattr(review, "PAGE_SIZE", 1)
    page = soup(browser(ada).get(SETTINGS))
    assert [link.text for link in page.select("#requests .who a")] == ["sam"]
    assert "1–1 of 2" in words(page.select_one(".pager"))
    page = soup(browser(ada).get(SETTINGS + page.select_one("a[rel=next]")["href"]))
    assert [link.text for link in page.select("#requests .who a")] == ["noor"]
    assert [link.text for link in soup(browser(ada).get(f"{SETTINGS}?page=99")).select("#requests .who a")] == ["noor"]


def test_add_access_by_user_name(gated_repo, browser, ada, sam, make_user):
    client, grant = browser(ada), f"{SETTINGS}/grant"
    press(client, soup(client.get(SETTINGS)), grant, user="SAM")
    request = AccessRequest.objects.get()
    assert (request.user, request.status, request.granted) == (sam, "accepted", True)
    for user, says in (("sam", "already has access"), ("nobody", "User not found"), ("", "User not found")):
        client.post(grant, {"user": user})
        assert says in words(soup(client.get(SETTINGS)))
    assert AccessRequest.objects.count() == 1


def test_automatic_mode_offers_to_accept_who_waits(asked, gated_repo, browser, ada):
    client, path = browser(ada), f"{SETTINGS}/accept-queue"
    assert not soup(client.get(SETTINGS)).select(f'form[action="{path}"]')
    repo_services.change_settings(gated_repo, {"gated": "auto"}, by=Actor(user=ada))
    page = soup(client.get(SETTINGS))
    assert "2 from before still wait for a decision" in words(page)
    press(client, page, path)
    assert set(AccessRequest.objects.values_list("status", flat=True)) == {"accepted"}
    assert "2 requests accepted." in words(soup(client.get(SETTINGS)))


def test_a_long_queue_is_accepted_in_parts(asked, gated_repo, browser, ada, monkeypatch):
    monkeypatch.setattr(review, "QUEUE_AT_ONCE", 1)
    client = browser(ada)
    client.post(f"{SETTINGS}/accept-queue")
    assert AccessRequest.objects.accepted().count() == 1
    assert "Still waiting: 1." in words(soup(client.get(SETTINGS)))


def test_without_a_gate_there_is_nothing_to_review(asked, gated_repo, browser, ada):
    repo_services.change_settings(gated_repo, {"gated": False}, by=Actor(user=ada))
    page = soup(browser(ada).get(SETTINGS))
    assert "is not gated" in words(page.select_one("#requests"))
    assert not page.select("#requests form")


@pytest.mark.parametrize("who", ["sam", "rea"])
def test_who_may_not_review_sees_no_settings_and_changes_nothing(asked, browser, rea, sam, who):
    client = browser({"sam": sam, "rea": rea}[who])
    assert client.get(SETTINGS).status_code == 403
    data = {"request_id": asked[0].request_id, "status": "accepted", "user": who}
    for sub in ("review", "grant", "accept-queue", "change", "move", "delete"):
        assert client.post(f"{SETTINGS}/{sub}", data | {"confirm": "lab/toxic-bert"}).status_code == 403, sub
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


def test_a_full_list_costs_as_many_queries_as_a_short_one(
    gated_repo, browser, ada, noor, make_user, django_assert_max_num_queries
):
    people = [User(username=f"p{number}", email=f"p{number}@example.org") for number in range(60)]
    User.objects.bulk_create(people)
    AccessRequest.objects.bulk_create(
        AccessRequest(repo=gated_repo, user=user, status="rejected", reviewed_by=noor, reviewed_at=timezone.now())
        for user in people
    )
    client = browser(ada)
    with django_assert_max_num_queries(9):
        client.get(f"{SETTINGS}?status=rejected")
