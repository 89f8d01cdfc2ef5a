"""Deciding about requests of any repos in the admin, and taking them home.  rita may, vic may only look."""

from __future__ import annotations

import csv
import io
import json
from datetime import timedelta

import pytest
from django.utils import timezone

from access import policy, services
from access.models import AccessRequest, BulkReview
from access.policy import Action
from accounts.actor import Actor
from accounts.models import AuditEvent
from notifications.models import Delivery
from repos import services as repo_services
from tests.staff.conftest import EXPORT, REQUESTS, REVIEW, SEE, page_of, told
from tests.support.cast import text_of
from tests.web.pages import soup, words

Status = AccessRequest.Status


@pytest.fixture
def other_repo(olu, make_repo):
    return make_repo("olu/rows", by=olu, type_="dataset", gated="manual")


@pytest.fixture
def sams(gated_repo, sam, request_from):
    return request_from(sam, gated_repo)


@pytest.fixture
def noors(other_repo, noor, request_from):
    return request_from(noor, other_repo)


def status_of(*requests) -> list[str]:
    return [AccessRequest.objects.get(pk=request.pk).status for request in requests]


def test_accepting_several_of_several_repos_opens_their_files_and_leaves_a_trail(sams, noors, rita, act, sam):
    page = act(rita, "accept", [sams, noors])
    assert told(page) == ["2 requests accepted."]
    assert status_of(sams, noors) == ["accepted", "accepted"]
    assert policy.may(Actor(user=sam), Action.FILES_READ, sams.repo)
    events = AuditEvent.objects.filter(verb="access_request:accepted")
    assert {(event.actor, event.entrance, event.target) for event in events} == {
        ("rita", "admin", "sam on lab/toxic-bert"),
        ("rita", "admin", "noor on olu/rows"),
    }
    assert Delivery.objects.filter(kind="accepted").count() == 2


def test_rejecting_asks_for_a_reason_first_and_says_whom(sams, noors, rita, act):
    page = act(rita, "reject", [sams, noors])
    assert status_of(sams, noors) == ["pending", "pending"]
    text = words(soup(page).select_one("#content-main"))
    assert "2 pending requests will be rejected" in text
    assert "sam Sam Requester sam@example.org on lab/toxic-bert" in text
    done = act(rita, "reject", [sams, noors], confirm="1", reason=" Not  now ")
    assert told(done) == ["2 requests rejected."]
    assert {request.rejection_reason for request in AccessRequest.objects.all()} == {"Not now"}
    assert {request.reviewed_by for request in AccessRequest.objects.all()} == {rita}


def test_those_ticked_who_are_rejected_already_are_not_counted(sams, noors, rita, act, ada):
    services.review(access_request=sams, status="rejected", by=Actor(user=ada))
    sams.refresh_from_db()
    text = words(soup(act(rita, "reject", [sams, noors])).select_one("#content-main"))
    assert "1 pending request will be rejected" in text
    assert "1 of those you ticked is rejected already." in text


def test_the_page_that_asks_for_a_reason_carries_the_form_on(sams, rita, act, browser):
    form = soup(act(rita, "reject", [sams])).select_one("#content-main form")
    said = [(field["name"], field.get("value", "")) for field in form.select("input") if field.get("type") == "hidden"]
    fields: dict[str, list[str]] = {}
    for name, value in said:
        fields.setdefault(name, []).append(value)
    browser(rita).post(REQUESTS, fields | {"reason": ["Sorry"]})
    assert AccessRequest.objects.get().rejection_reason == "Sorry"


@pytest.mark.parametrize(
    ("reason", "problem"),
    [
        ("x" * 201, "The reason may have 200 characters at most; yours has 201."),
        ("a\u202eb", "The reason has characters that cannot be shown."),
    ],
)
def test_a_reason_that_does_not_fit_is_refused_and_kept_in_the_field(reason, problem, sams, rita, act):
    page = act(rita, "reject", [sams], confirm="1", reason=reason)
    assert page.status_code == 400
    assert problem in words(soup(page).select_one("#reason-problem"))
    assert soup(page).select_one("#reason")["value"] == reason
    assert status_of(sams) == ["pending"]


def test_cancelling_puts_back_to_pending(sams, rita, act, ada):
    services.review(access_request=sams, status="rejected", reason="No", by=Actor(user=ada))
    sams.refresh_from_db()
    assert told(act(rita, "cancel", [sams])) == ["1 request put back to pending."]
    sams.refresh_from_db()
    assert (sams.status, sams.reviewed_at, sams.rejection_reason) == ("pending", None, "")


def test_the_second_of_two_reviewers_is_told_what_the_first_did(sams, noors, rita, act, ada):
    services.review(access_request=sams, status="rejected", by=Actor(user=ada))
    page = act(rita, "accept", [sams, noors])  # With the statuses as they were when the page was shown.
    assert told(page) == [
        "lab/toxic-bert: The request of sam was rejected by ada already.",
        "1 of 2 requests accepted.",
    ]
    assert status_of(sams, noors) == ["rejected", "accepted"]


def test_each_row_that_cannot_be_decided_is_named_with_why(sams, noors, rita, act, ada, olu, gated_repo):
    repo_services.change_settings(gated_repo, {"gated": False}, by=Actor(user=ada))
    services.review(access_request=noors, status="accepted", by=Actor(user=olu))
    noors.refresh_from_db()
    page = act(rita, "accept", [sams, noors])
    assert told(page) == [
        "The request of sam on lab/toxic-bert: model lab/toxic-bert is not gated any more.",
        "The request of noor on olu/rows is accepted, which cannot become accepted.",
    ]
    assert status_of(sams, noors) == ["pending", "accepted"]


def test_one_that_was_withdrawn_meanwhile_is_named(sams, noors, rita, act, sam):
    services.withdraw(repo=sams.repo, by=Actor(user=sam))
    key = sams.pk or 1
    page = act(rita, "accept", [AccessRequest(pk=key, status="pending"), noors])
    assert told(page) == [f"Request {key} is not there any more.", "1 of 2 requests accepted."]


def test_nothing_is_decided_without_the_permission_by_get_or_without_a_token(
    sams, vic, make_staff, act, browser, sam, ada
):
    assert act(vic, "accept", [sams]).status_code == 403
    assert act(make_staff("exp", SEE, EXPORT), "accept", [sams]).status_code == 403
    assert act(make_staff("odd", REVIEW), "accept", [sams]).status_code == 403, "who may not see, may not decide"
    assert act(make_staff("nil"), "accept", [sams]).status_code == 403
    assert browser(ada).post(REQUESTS, {"action": "accept"}).status_code == 302, "no staff: sent to the way in"
    said = {"action": "accept", "_selected_action": sams.pk, "seen": f"{sams.pk}:pending", "select_across": "0"}
    rita = make_staff("rita", SEE, REVIEW)
    browser(rita).get(REQUESTS, said)
    browser(rita).get(page_of(sams), said)
    assert browser(rita, enforce_csrf_checks=True).post(REQUESTS, said).status_code == 403
    assert status_of(sams) == ["pending"]


def test_incomplete_forms_decide_nothing(sams, rita, browser):
    whole = {"action": "accept", "select_across": "0", "_selected_action": sams.pk, "seen": f"{sams.pk}:pending"}
    for name, said in {
        "action": "explode",
        "select_across": "2",
        "_selected_action": ["x"],
        "seen": [f"{sams.pk}:odd"],
        "until": "yesterday",
    }.items():
        browser(rita).post(REQUESTS, whole | {name: said})
    for name in ("_selected_action", "seen", "action"):
        browser(rita).post(REQUESTS, {key: value for key, value in whole.items() if key != name})
    assert status_of(sams) == ["pending"]
    browser(rita).post(REQUESTS, whole)
    assert status_of(sams) == ["accepted"], "the whole form does decide"


def test_all_that_match_are_asked_about_first_and_then_decided_within_the_filter(sams, noors, rita, act):
    page = act(rita, "accept", [], query="status=pending&repo=lab/toxic-bert", everything=True)
    assert "1 pending request will be accepted" in words(soup(page).select_one("#content-main"))
    assert status_of(sams, noors) == ["pending", "pending"]
    until = soup(page).select_one("[name=until]")["value"]
    query = "status=pending&repo=lab/toxic-bert"
    done = act(rita, "accept", [], query=query, everything=True, confirm="1", until=until)
    assert status_of(sams, noors) == ["accepted", "pending"]
    assert "Done" in words(soup(done).select_one("#bulk-heading"))
    assert BulkReview.objects.get().decided == 1


def test_who_asks_after_the_button_was_pressed_is_not_among_them(sams, noors, rita, act):
    until = timezone.now() - timedelta(minutes=1)
    AccessRequest.objects.filter(pk=sams.pk).update(requested_at=until - timedelta(hours=1))
    act(rita, "accept", [], query="status=pending", everything=True, confirm="1", until=until.isoformat())
    assert status_of(sams, noors) == ["accepted", "pending"]


@pytest.mark.parametrize("query", ["", "status=decided", "status=odd", "repo=lab/nothing&status=pending", "x=1"])
def test_all_that_match_are_not_decided_by_a_filter_without_a_status_or_not_understood(query, sams, rita, act):
    page = act(rita, "reject", [], query=query, everything=True, confirm="1", until=timezone.now().isoformat())
    [message] = told(page)
    assert "Nothing was" in message
    assert status_of(sams) == ["pending"]
    assert not BulkReview.objects.exists()


def test_nobody_ticked_changes_nothing_and_says_so(sams, rita, act):
    assert told(act(rita, "accept", [])) == [
        "Nobody is selected. Tick those whom you want to decide about, or choose all."
    ]


# --- Exports --------------------------------------------------------------------------------------------------------


def test_what_is_ticked_is_exported_with_its_repo(sams, noors, rita, act):
    answer = act(rita, "export_csv", [noors])
    assert "no-store" in answer["Cache-Control"]
    assert answer["Content-Disposition"] == f'attachment; filename="access-requests-{timezone.now():%Y-%m-%d}.csv"'
    rows = list(csv.DictReader(io.StringIO(text_of(answer).decode("utf-8-sig"))))
    assert [row["user"] for row in rows] == ["noor"]
    assert "olu/rows" in rows[0].values()
    event = AuditEvent.objects.get(verb="report:export")
    assert (event.actor, event.entrance, event.after["format"]) == ("rita", "admin", "csv")
    assert event.after["filter"] == {"requests": [noors.pk]}


def test_all_that_match_are_exported_and_nothing_else(sams, noors, rita, act):
    answer = act(rita, "export_json", [], query="repo=lab/toxic-bert", everything=True)
    assert [row["user"] for row in json.loads(text_of(answer))] == ["sam"]
    lines = text_of(act(rita, "export_jsonl", [], everything=True)).decode().splitlines()
    assert {json.loads(line)["user"] for line in lines} == {"sam", "noor"}


def test_nothing_is_exported_without_the_permission_or_by_a_filter_that_is_not_understood(
    sams, vic, make_staff, act, rita
):
    assert act(vic, "export_csv", [sams]).status_code == 403
    assert act(make_staff("rev", SEE, REVIEW), "export_csv", [sams]).status_code == 403
    assert act(make_staff("odd", EXPORT), "export_csv", [sams]).status_code == 403
    [message] = told(act(rita, "export_csv", [], query="status=odd", everything=True))
    assert message.startswith("There is no status 'odd'. Nothing was done.")
    [message] = told(act(rita, "export_csv", []))
    assert message.startswith("Nobody is selected.")
    assert not AuditEvent.objects.filter(verb="report:export").exists()
