"""Deciding about several requests on the settings page.  ada reviews lab/toxic-bert; sam, noor and olu ask."""

from __future__ import annotations

import pytest

from access import bulk as service
from access import services, tasks
from access.models import AccessRequest, BulkReview
from accounts.actor import Actor
from accounts.models import User
from gatehub.web import bulk
from repos import services as repo_services
from tests.support.cast import ANSWERS
from tests.web.pages import assert_nothing_inline, form_to, press, soup, words

SETTINGS = "/lab/toxic-bert/settings"
BULK = f"{SETTINGS}/bulk"


@pytest.fixture
def asked(gated_repo, sam, noor, olu):
    return [services.ask(repo=gated_repo, answers=ANSWERS, by=Actor(user=user)) for user in (sam, noor, olu)]


@pytest.fixture
def told(monkeypatch):
    """Keys of the bulk reviews of which a worker was told."""
    keys = []
    monkeypatch.setattr(tasks, "nudge", keys.append)
    return keys


def statuses() -> dict[str, str]:
    return dict(AccessRequest.objects.values_list("user__username", "status"))


def bulk_form(client, query: str = "") -> dict:
    """What the form of the page would send, without the boxes of the rows."""
    page = soup(client.get(f"{SETTINGS}{query}"))
    form = form_to(page, BULK)
    return {"until": form.select_one("[name=until]")["value"]}


def test_those_ticked_are_accepted(asked, browser, ada):
    client = browser(ada)
    page = soup(client.get(SETTINGS))
    boxes = {box["aria-label"]: box["value"] for box in page.select('input[name="request"][form="bulk"]')}
    assert list(boxes) == ["Select sam", "Select noor", "Select olu"]
    buttons = [words(button) for button in page.select("#bulk button[name=status]")]
    assert buttons == ["Accept", "Reject"]
    data = {"scope": "selected", "status": "accepted", "request": [boxes["Select sam"], boxes["Select olu"]]}
    response = client.post(form_to(page, BULK)["action"], data)
    assert response["Location"] == f"{SETTINGS}#requests"
    assert statuses() == {"sam": "accepted", "noor": "pending", "olu": "accepted"}
    assert "2 requests accepted." in words(soup(client.get(SETTINGS)))


def test_those_ticked_are_rejected_with_one_reason(asked, browser, ada):
    client = browser(ada)
    ids = [row.request_id for row in asked[:2]]
    client.post(BULK, {"scope": "selected", "status": "rejected", "reason": "Not this year", "request": ids})
    reasons = AccessRequest.objects.filter(status="rejected").values_list("rejection_reason", flat=True)
    assert list(reasons) == ["Not this year"] * 2


def test_who_could_not_be_decided_about_is_named(asked, browser, ada, wes, noor):
    services.review(access_request=asked[0], status="rejected", by=Actor(user=wes))
    services.withdraw(repo=asked[1].repo, by=Actor(user=noor))
    client = browser(ada)
    client.post(BULK, {"scope": "selected", "status": "accepted", "request": [row.request_id for row in asked]})
    says = words(soup(client.get(SETTINGS)).select_one("#toasts"))
    assert "1 request accepted." in says
    assert "The request of sam was rejected by wes already. 1 is not there any more." in says


@pytest.mark.parametrize(("data", "says"), [
    ({"scope": "selected", "status": "accepted"}, "Nobody is selected."),
    ({"scope": "selected", "status": "pending", "request": "{sam}"},
     "A request that is pending cannot become pending. Load the list again"),
    ({"scope": "selected", "status": "nonsense", "request": "{sam}"}, "The form is not complete. Load the page again"),
    ({"scope": "selected", "status": "rejected", "reason": "x" * 231, "request": "{sam}"},
     "The reason may have 200 characters at most; yours has 231."),
    ({"scope": "selected", "status": "accepted", "reason": "y", "request": "{sam}"},
     "Only those who are rejected read a reason. Nothing was changed: leave the reason empty, or reject."),
    ({"scope": "selected", "status": "rejected", "reason": "\u200by", "request": "{sam}"},
     "The reason has characters that cannot be shown."),
    ({"scope": "all", "status": "accepted"}, "The form is not complete."),
    ({"scope": "all", "status": "accepted", "until": "yesterday"}, "The form is not complete."),
    ({"scope": "all", "status": "accepted", "until": "2026-13-41T00:00:00Z"}, "The form is not complete."),
    ({"scope": "all", "status": "accepted", "until": "2026-11-23T00:00:00"}, "The form is not complete."),
    ({"scope": "all", "until": "2026-11-23T00:00:00Z"}, "The form is not complete."),
    ({}, "Nobody is selected."),
])  # fmt: skip
def test_nonsense_changes_nothing_and_is_explained(asked, browser, ada, sam, data, says):
    client = browser(ada)
    client.post(BULK, {name: value.format(sam=asked[0].request_id) for name, value in data.items()})
    told = words(soup(client.get(SETTINGS)).select_one("#toasts"))
    assert says in told
    assert "Invalid input" not in told
    assert set(statuses().values()) == {"pending"}
    assert not BulkReview.objects.exists()


def test_a_reason_that_was_typed_is_kept_when_something_else_is_wrong(asked, browser, ada):
    client = browser(ada)
    for scope in ({"scope": "selected"}, {"scope": "all", "until": "yesterday"}):
        response = client.post(f"{BULK}?q=example", scope | {"status": "rejected", "reason": "Not <this> year"})
        assert response["Location"] == f"{SETTINGS}?q=example#requests", "no reason stands in addresses"
        page = soup(client.get(response["Location"]))
        assert page.select_one("#bulk-reason")["value"] == "Not <this> year"
        assert page.select_one(f"#scope-{scope['scope']}").has_attr("checked")
    page = soup(client.get(response["Location"]))
    assert page.select_one("#bulk-reason")["value"] == "", "it is shown once"
    assert page.select_one("#scope-selected").has_attr("checked")


def test_a_refused_decision_leaves_the_ticks_that_are_on_the_page(asked, browser, ada, wes):
    client = browser(ada)
    ids = [row.request_id for row in asked]
    data = {"scope": "selected", "status": "rejected", "reason": "é" * 231, "request": [ids[0], ids[2], "0" * 24]}
    response = client.post(BULK, data)
    services.review(access_request=asked[2], status="accepted", by=Actor(user=wes))
    page = soup(client.get(response["Location"]))
    ticked = {box["value"]: box.has_attr("checked") for box in page.select('input[name="request"]')}
    assert ticked == {ids[0]: True, ids[1]: False}
    assert page.select_one("#bulk-reason")["value"] == "é" * 231
    assert not soup(client.get(SETTINGS)).select('input[name="request"][checked]'), "they are ticked once"


def test_a_refused_decision_is_kept_for_its_repo_alone_and_not_at_any_length(asked, make_repo, browser, ada, olu):
    other = make_repo("lab/other", by=ada, gated="manual")
    for user in (olu, asked[0].user):
        services.ask(repo=other, answers={}, by=Actor(user=user))
    client = browser(ada)
    data = {"scope": "selected", "status": "rejected", "reason": "x" * 100_000, "request": asked[0].request_id}
    client.post(BULK, data)
    page = soup(client.get(f"{other.path}/settings"))
    assert page.select_one("#bulk-reason")["value"] == ""
    page = soup(client.get(SETTINGS))
    assert page.select_one("#bulk-reason")["value"] == "x" * 2_000
    assert len(page.select('input[name="request"][checked]')) == 1


def test_a_refused_decision_is_not_kept_for_long(asked, browser, ada, monkeypatch):
    client = browser(ada)
    client.post(BULK, {"scope": "selected", "status": "accepted", "reason": "x", "request": asked[0].request_id})
    monkeypatch.setattr("gatehub.web.refused._SECONDS", 0)
    page = soup(client.get(SETTINGS))
    assert page.select_one("#bulk-reason")["value"] == ""
    assert not page.select('input[name="request"][checked]')


def test_a_decision_that_was_made_leaves_no_ticks(asked, browser, ada, noor):
    client = browser(ada)
    services.withdraw(repo=asked[1].repo, by=Actor(user=noor))
    data = {"scope": "selected", "status": "rejected", "reason": "No", "request": [asked[0].request_id, "0" * 24]}
    client.post(BULK, data)
    page = soup(client.get(SETTINGS))
    assert not page.select('input[name="request"][checked]')


def test_all_that_match_are_asked_about_once_more_and_then_decided(asked, browser, ada, told):
    client = browser(ada)
    data = bulk_form(client, "?q=example") | {"scope": "all", "status": "rejected", "reason": "Full"}
    response = client.post(f"{BULK}?q=example", data)
    page = soup(response)
    assert_nothing_inline(response)
    assert "3 pending requests will be rejected" in words(page)
    assert "Each of them will read this reason: Full" in words(page)
    assert set(statuses().values()) == {"pending"}  # Nothing yet.
    response = press(client, page, BULK)
    review = BulkReview.objects.get()
    assert response["Location"] == f"{BULK}/{review.pk}"
    assert set(statuses().values()) == {"rejected"}
    assert told == []  # So few are decided at once.
    done = words(soup(client.get(response["Location"])))
    assert "3 rejected." in done
    assert "with the reason “Full”" in done


def test_the_filter_is_kept_through_the_question(asked, browser, ada):
    client = browser(ada)
    data = bulk_form(client) | {"scope": "all", "status": "accepted"}
    page = soup(client.post(f"{BULK}?q=noor", data))
    assert "1 pending request will be accepted" in words(page)
    press(client, page, BULK)
    assert statuses() == {"sam": "pending", "noor": "accepted", "olu": "pending"}


def test_who_asks_after_the_page_was_shown_is_not_decided_about(asked, gated_repo, browser, ada, con, lab, make_user):
    client = browser(ada)
    data = bulk_form(client) | {"scope": "all", "status": "accepted"}
    late = make_user("late")
    services.ask(repo=gated_repo, answers=ANSWERS, by=Actor(user=late))
    press(client, soup(client.post(BULK, data)), BULK)
    assert statuses()["late"] == "pending"
    assert statuses()["sam"] == "accepted"


@pytest.mark.parametrize("query", ["answer=0000000000:true", "country=nowhere", "age=nonsense", "status=nonsense"])
def test_a_filter_that_is_not_understood_decides_nothing(asked, browser, ada, query):
    """Without it the list would be longer than what the reviewer meant."""
    client = browser(ada)
    data = bulk_form(client) | {"scope": "all", "status": "accepted", "confirm": "1"}
    client.post(f"{BULK}?{query}", data)
    assert set(statuses().values()) == {"pending"}
    assert "more requests would be decided than were shown" in words(soup(client.get(SETTINGS)))


def test_nobody_left_to_decide_about_is_said(asked, browser, ada):
    client = browser(ada)
    data = bulk_form(client) | {"scope": "all", "status": "accepted"}
    AccessRequest.objects.all().delete()
    assert "There is nobody to decide about" in words(soup(client.post(BULK, data)))


def test_many_go_to_the_worker_and_the_page_shows_how_far_it_is(asked, browser, ada, told, monkeypatch):
    monkeypatch.setattr(bulk, "AT_ONCE", 1)
    client = browser(ada)
    data = bulk_form(client) | {"scope": "all", "status": "accepted", "confirm": "1"}
    where = client.post(BULK, data)["Location"]
    started = BulkReview.objects.get()
    assert told == [started.pk]
    response = client.get(where)
    assert_nothing_inline(response)
    page = soup(response)
    assert "At work" in words(page)
    assert page.select_one("progress")["max"] == "3"
    assert page.select_one("#bulk-state")["hx-trigger"] == "every 1s"
    assert not page.select("#bulk-state button, #bulk-state a")
    assert "3 requests are becoming accepted: 0 done." in words(soup(client.get(SETTINGS)))
    monkeypatch.setattr(service, "STEP", 2)
    service.run(started.pk, steps=1)
    part = soup(client.get(where, headers={"HX-Request": "true"}))
    assert part.select_one("progress")["value"] == "2"
    assert not part.select("html")
    tasks.run_bulk_review(started.pk)
    page = soup(client.get(where))
    assert "Done" in words(page)
    assert not page.select("[hx-trigger='every 1s']")
    assert "3 of 3 requests were accepted" in words(soup(client.get(SETTINGS)))


def test_what_was_asked_about_is_decided_about_though_the_mode_has_changed_meanwhile(asked, gated_repo, browser, ada):
    """An address without a status means another list by then: the accepted ones would have been rejected."""
    client = browser(ada)
    question = soup(client.post(BULK, bulk_form(client) | {"scope": "all", "status": "rejected"}))
    for found in asked:
        services.review(access_request=found, status="accepted", by=Actor(user=ada))
    repo_services.change_settings(gated_repo, {"gated": "auto"}, by=Actor(user=ada))
    answer = press(client, question, BULK)
    assert "The list that you saw was of pending requests, and is of accepted ones now" in words(
        soup(client.get(answer["Location"]))
    )
    assert set(statuses().values()) == {"accepted"}


def test_those_ticked_are_of_the_list_that_was_shown(asked, gated_repo, browser, ada):
    client = browser(ada)
    form = form_to(soup(client.get(SETTINGS)), BULK)
    for found in asked:
        services.review(access_request=found, status="accepted", by=Actor(user=ada))
    repo_services.change_settings(gated_repo, {"gated": "auto"}, by=Actor(user=ada))
    client.post(form["action"], {"seen": "pending", "request": [asked[0].request_id], "status": "rejected"})
    assert set(statuses().values()) == {"accepted"}


def test_it_can_be_stopped_on_the_page(asked, browser, ada, told, monkeypatch):
    monkeypatch.setattr(bulk, "AT_ONCE", 1)
    client = browser(ada)
    where = client.post(BULK, bulk_form(client) | {"scope": "all", "status": "accepted", "confirm": "1"})["Location"]
    press(client, soup(client.get(where)), f"{where}/stop")
    page = words(soup(client.get(where)))
    assert "Stopped before the end" in page
    assert f"{AccessRequest.objects.count()} not reached." in page
    assert ", before it was stopped. Details" in words(soup(client.get(SETTINGS)))
    tasks.run_bulk_review(told[0])
    assert set(statuses().values()) == {"pending"}


def test_refusals_are_named_on_its_page(asked, gated_repo, browser, ada):
    done = BulkReview.objects.create(
        repo=gated_repo, by=ada, chosen={"status": "pending"}, status="accepted", total=4, decided=1, refused=3,
        refusals=[["sam", "The request of sam was <b>moved</b>."]], finished_at=asked[0].requested_at,
        stopped_because="It rained.",
    )  # fmt: skip
    response = browser(ada).get(f"{BULK}/{done.pk}")
    says = words(soup(response))
    assert "Left as they were The request of sam was <b>moved</b>. And 2 more." in says
    assert "It rained." in says


def test_a_bulk_review_of_another_repo_is_not_found_here(asked, gated_repo, make_repo, browser, ada, olu):
    other = make_repo("olu/own", by=olu, gated="manual")
    theirs = BulkReview.objects.create(repo=gated_repo, chosen={"status": "pending"}, status="accepted", total=1)
    client = browser(olu)
    assert client.get(f"{other.path}/settings/bulk/{theirs.pk}").status_code == 404
    client.post(f"{other.path}/settings/bulk/{theirs.pk}/stop")
    theirs.refresh_from_db()
    assert theirs.finished_at is None
    ids = [row.request_id for row in asked]
    client.post(f"{other.path}/settings/bulk", {"scope": "selected", "status": "accepted", "request": ids})
    assert set(statuses().values()) == {"pending"}


@pytest.mark.parametrize(("status", "decisions"), [
    ("accepted", ["Reject", "Back to pending"]), ("rejected", ["Accept", "Back to pending"]),
])  # fmt: skip
def test_each_list_offers_what_its_requests_can_become(asked, browser, ada, status, decisions):
    for row in asked:
        services.review(access_request=row, status=status, by=Actor(user=ada))
    page = soup(browser(ada).get(f"{SETTINGS}?status={status}"))
    assert [words(button) for button in page.select("#bulk button[name=status]")] == decisions


def test_one_request_alone_needs_no_bulk_form(gated_repo, browser, ada, sam):
    services.ask(repo=gated_repo, answers=ANSWERS, by=Actor(user=sam))
    assert not soup(browser(ada).get(SETTINGS)).select("#bulk")


def test_no_more_than_a_page_can_be_ticked(asked, browser, ada, monkeypatch):
    monkeypatch.setattr(bulk, "PAGE_SIZE", 1)
    ids = [row.request_id for row in asked]
    browser(ada).post(BULK, {"scope": "selected", "status": "accepted", "request": ids})
    assert list(statuses().values()).count("accepted") == 1


def test_a_queue_of_more_than_five_hundred_is_accepted_when_the_gate_becomes_automatic(
    gated_repo, browser, ada, told, django_assert_max_num_queries
):
    users = User.objects.bulk_create(
        [User(username=f"waiter-{number}", email=f"waiter-{number}@example.org") for number in range(620)]
    )
    AccessRequest.objects.bulk_create(
        [AccessRequest(repo=gated_repo, user=user, form=gated_repo.gate_form, answers=ANSWERS) for user in users]
    )
    client = browser(ada)
    page = soup(client.get(SETTINGS))
    press(client, page, f"{SETTINGS}/change", "orgMembersGated", gated="auto")
    page = soup(client.get(SETTINGS))
    assert "New requests are accepted at once, but 620 from before still wait" in words(page)
    response = press(client, page, f"{SETTINGS}/accept-queue")
    started = BulkReview.objects.get()
    assert response["Location"] == f"{BULK}/{started.pk}"
    assert told == [started.pk]
    assert "620" in words(soup(client.get(response["Location"])))
    with django_assert_max_num_queries(67):
        tasks.run_bulk_review(started.pk)
    assert AccessRequest.objects.filter(status="accepted").count() == 620
    page = soup(client.get(SETTINGS))
    assert "620 of 620 requests were accepted" in words(page)
    assert "Accept all that wait" not in words(page)


def test_a_queue_is_not_accepted_from_a_page_of_before(asked, gated_repo, browser, ada):
    client = browser(ada)
    client.post(f"{SETTINGS}/accept-queue")
    assert "The gate is for manual review now" in words(soup(client.get(SETTINGS)))
    assert set(statuses().values()) == {"pending"}
