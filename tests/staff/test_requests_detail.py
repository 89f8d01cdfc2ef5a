"""The page of one access request in the admin.  rita reviews, vic may only look."""

from __future__ import annotations

import pytest

from access import services
from access.models import AccessRequest
from accounts.actor import Actor, Entrance
from accounts.models import AuditEvent
from notifications.models import Delivery
from repos import services as repo_services
from tests.staff.conftest import REVIEW, SEE, page_of, told
from tests.support.cast import GATE_CARD, add_files
from tests.web.pages import soup, words

WILD = """---
extra_gated_fields:
  "2. Why <b>you</b> & not “others”?": text
  Country: country
  "1. Name": text
  Purpose:
    type: select
    options:
      - {label: Académic research, value: academic}
  I agree: checkbox
---
"""


@pytest.fixture
def sams(gated_repo, sam, request_from):
    return request_from(sam, gated_repo)


def section(page, heading: str) -> str:
    return words(soup(page).select_one(f"section[aria-labelledby={heading}]"))


def test_it_tells_who_asks_for_what_and_when(sams, rita, browser, sam):
    sam.email = "new@example.org"
    sam.save()
    text = section(browser(rita).get(page_of(sams)), "request-heading")
    for said in ("sam asks for lab/toxic-bert", "pending", "Sam Requester", "sam@example.org", "France (FR)"):
        assert said in text
    assert "new@example.org" not in text, "the address as it was"
    links = {link["href"] for link in soup(browser(rita).get(page_of(sams))).select("#content-main a")}
    assert {"/sam", "/lab/toxic-bert"} <= links


def test_questions_are_shown_as_they_were_asked_in_their_order_with_html_as_text(
    ada, lab, make_repo, sam, rita, browser
):
    repo = make_repo("lab/wild", by=ada, gated="manual", files={"README.md": WILD.encode()})
    answers = {
        "2. Why <b>you</b> & not “others”?": "<script>alert(1)</script>\nsecond line",
        "Country": "DE",
        "1. Name": "x" * 20_000,
        "Purpose": "academic",
        "I agree": "true",
    }
    request = services.ask(repo=repo, answers=answers, by=Actor(user=sam))
    sha = repo.gate_form.commit_sha
    add_files(repo, {"README.md": GATE_CARD.encode()}, by=ada)
    page = browser(rita).get(page_of(request))
    rows = [
        (row.select_one("dt").get_text(), row.select_one("dd").get_text())
        for row in soup(page).select(".requests-answers > div")
    ]
    assert rows == [
        ("2. Why <b>you</b> & not “others”?", "<script>alert(1)</script>\nsecond line"),
        ("Country", "Germany (DE)"),
        ("1. Name", "x" * 20_000),
        ("Purpose", "Académic research"),
        ("I agree", "Yes"),
    ]
    assert b"<script>alert" not in page.content
    text = section(page, "answers-heading")
    assert sha[:7] in text
    assert "which has changed since" in text


def test_its_history_tells_who_when_and_through_which_entrance(sams, rita, ada, noor, request_from, browser):
    request_from(noor, sams.repo)  # Not about sam.
    by = Actor(user=ada, entrance=Entrance.API, address="198.51.100.7")
    services.review(access_request=sams, status="rejected", reason="<i>Not now</i>", by=by)
    text = section(browser(rita).get(page_of(sams)), "history-heading")
    assert text.index("rejected by ada (pending → rejected)") < text.index("asked by sam")
    assert "api" in text
    assert "“<i>Not now</i>”" in text
    assert "noor" not in text


def test_addresses_are_for_those_who_may_see_them(sams, make_staff, ada, browser):
    by = Actor(user=ada, entrance=Entrance.API, address="198.51.100.7")
    services.review(access_request=sams, status="accepted", by=by)
    see_more = make_staff("aud", SEE, "accounts.view_auditaddress")
    for user, shown in (
        (make_staff("odd", SEE, REVIEW), False),
        (see_more, True),
        (make_staff("stef", superuser=True), True),
    ):
        assert ("198.51.100.7" in section(browser(user).get(page_of(sams)), "history-heading")) is shown


def test_other_requests_of_the_person_are_listed_the_newest_twenty(
    sams, sam, rita, ada, make_repo, request_from, browser
):
    for number in range(21):
        request_from(sam, make_repo(f"lab/other-{number}", by=ada, gated="manual"))
    page = soup(browser(rita).get(page_of(sams)))
    listed = [link.get_text() for link in page.select(".requests-others a")]
    assert listed == [f"lab/other-{number}" for number in range(20, 0, -1)]
    assert page.find("a", string="All requests of sam")["href"].endswith("?user=sam")


def test_mails_are_linked_for_those_who_may_see_them(sams, make_staff, rita, browser):
    assert "Mails to sam" not in section(browser(rita).get(page_of(sams)), "history-heading")
    more = make_staff("ops", SEE, "notifications.view_delivery")
    page = soup(browser(more).get(page_of(sams)))
    assert browser(more).get(page.find("a", string="Mails to sam")["href"]).status_code == 200


@pytest.mark.parametrize(
    ("status", "offered"),
    [("pending", ["accept", "reject"]), ("accepted", ["reject", "cancel"]), ("rejected", ["accept", "cancel"])],
)
def test_buttons_fit_the_status(status, offered, sams, rita, ada, vic, browser):
    if status != "pending":
        services.review(access_request=sams, status=status, by=Actor(user=ada))
    buttons = soup(browser(rita).get(page_of(sams))).select("button[name=action]")
    assert [button["value"] for button in buttons] == offered
    assert not soup(browser(vic).get(page_of(sams))).select("button[name=action]")


def test_buttons_decide_and_the_trail_says_through_the_admin(sams, rita, browser):
    form = soup(browser(rita).get(page_of(sams))).select_one("form:has(button[value=accept])")
    said = {field["name"]: field["value"] for field in form.select("input")}
    page = browser(rita).post(page_of(sams), said | {"action": "accept"}, follow=True)
    assert told(page) == ["1 request accepted."]
    assert page.request["PATH_INFO"] == page_of(sams)
    assert AuditEvent.objects.get(verb="access_request:accepted").entrance == "admin"
    assert Delivery.objects.filter(kind="accepted", user=sams.user).exists()


def press(client, request, action, **said):
    form = {"action": action, "_selected_action": request.pk, "seen": f"{request.pk}:{request.status}"}
    return client.post(page_of(request), form | said, follow=True)


def test_rejecting_there_asks_for_a_reason(sams, rita, browser):
    client = browser(rita)
    assert "1 pending request will be rejected" in words(
        soup(press(client, sams, "reject")).select_one("#content-main")
    )
    assert told(press(client, sams, "reject", confirm="1", reason="Sorry")) == ["1 request rejected."]
    sams.refresh_from_db()
    assert (sams.status, sams.rejection_reason) == ("rejected", "Sorry")


def test_a_stale_page_decides_nothing_and_says_what_happened(sams, rita, ada, browser):
    services.review(access_request=sams, status="rejected", by=Actor(user=ada))
    page = press(browser(rita), sams, "accept")
    assert told(page) == ["lab/toxic-bert: The request of sam was rejected by ada already."]
    assert AccessRequest.objects.get().status == "rejected"


def test_it_decides_about_this_request_alone_and_for_reviewers_alone(sams, noor, rita, vic, request_from, browser):
    other = request_from(noor, sams.repo)
    form = {"action": "accept", "_selected_action": other.pk, "seen": f"{other.pk}:pending"}
    browser(rita).post(page_of(sams), form)
    browser(rita).post(page_of(sams), form | {"select_across": "1", "confirm": "1"})
    browser(rita).get(page_of(sams), form)
    assert press(browser(vic), sams, "accept").status_code == 403
    assert {request.status for request in AccessRequest.objects.all()} == {"pending"}


def test_a_repo_that_is_not_gated_any_more_offers_no_decision_and_says_so(sams, rita, ada, browser):
    repo_services.change_settings(sams.repo, {"gated": False}, by=Actor(user=ada))
    page = browser(rita).get(page_of(sams))
    assert "not gated any more" in section(page, "request-heading")
    assert not soup(page).select("button[name=action]")


def test_without_permission_there_is_no_page(sams, make_staff, browser, sam):
    assert browser(make_staff("nil")).get(page_of(sams)).status_code == 403
    assert browser(sam).get(page_of(sams)).status_code == 302


def test_a_request_that_is_not_there_leads_back_with_a_word(rita, browser):
    page = browser(rita).get("/admin/access/accessrequest/123456/change/", follow=True)
    assert page.status_code in (200, 302)
    page = browser(rita).get("/admin/access/accessrequest/x/change/")
    assert page.status_code == 302


def test_it_takes_few_queries(sams, rita, browser, django_assert_max_num_queries):
    client = browser(rita)
    client.get(page_of(sams))
    with django_assert_max_num_queries(14):
        client.get(page_of(sams))
