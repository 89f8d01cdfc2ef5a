"""`POST …/user-access-request/handle`: ada reviews lab/toxic-bert; sam has asked; noor has not."""

from __future__ import annotations

import pytest

from access import policy, services
from access.models import AccessRequest
from access.policy import Action
from accounts.actor import Actor
from accounts.models import AuditEvent
from repos import services as repo_services
from tests.support.cast import ANSWERS

HANDLE = "/api/models/lab/toxic-bert/user-access-request/handle"
NO_REQUEST = "No access request found matching your criteria"


@pytest.fixture
def asked(gated_repo, sam):
    return services.ask(repo=gated_repo, answers=ANSWERS, by=Actor(user=sam))


def status_of(request: AccessRequest) -> str:
    request.refresh_from_db()
    return request.status


def can_read(user, repo) -> bool:
    return policy.may(Actor(user=user), Action.FILES_READ, repo)


def test_accept_reject_with_reason_and_cancel_each_answer_an_empty_object(asked, api, ada, sam, gated_repo):
    caller = api(ada)
    answer = caller.post(HANDLE, {"user": "sam", "status": "accepted"})
    assert (answer.status_code, answer.json()) == (200, {})
    assert can_read(sam, gated_repo)
    answer = caller.post(HANDLE, {"user": "sam", "status": "rejected", "rejectionReason": "Left the lab"})
    assert (answer.status_code, answer.json()) == (200, {})
    assert status_of(asked) == "rejected"
    assert asked.rejection_reason == "Left the lab"
    assert not can_read(sam, gated_repo)
    answer = caller.post(HANDLE, {"user": "sam", "status": "pending"})
    assert (answer.status_code, answer.json()) == (200, {})
    assert status_of(asked) == "pending"
    assert asked.reviewed_at is None


def test_the_trail_says_who_decided_and_with_which_token(asked, api, ada):
    api(ada, name="ci").post(HANDLE, {"user": "sam", "status": "accepted"})
    event = AuditEvent.objects.filter(verb="access_request:accepted").get()
    assert (event.actor, event.entrance, event.token_name) == ("ada", "api", "ci")


@pytest.mark.parametrize("name", ["sam", "SAM"])
def test_the_person_may_be_named_in_any_case(name, asked, api, ada):
    assert api(ada).post(HANDLE, {"user": name, "status": "accepted"}).status_code == 200


def test_a_request_may_be_named_by_its_id_or_the_persons(asked, api, ada, sam):
    caller = api(ada)
    by_request = {"requestId": asked.request_id, "status": "accepted"}
    by_person = {"userId": f"u-{sam.pk}", "status": "rejected"}
    by_all = {"user": "sam", "userId": f"u-{sam.pk}", "requestId": asked.request_id, "status": "accepted"}
    assert [caller.post(HANDLE, body).status_code for body in (by_request, by_person, by_all)] == [200, 200, 200]


def test_names_that_mean_different_requests_change_nothing(asked, api, ada, noor, gated_repo):
    other = services.ask(repo=gated_repo, answers=ANSWERS, by=Actor(user=noor))
    for body in (
        {"user": "noor", "requestId": asked.request_id},
        {"user": "noor", "userId": f"u-{asked.user_id}"},
        {"userId": f"u-{noor.pk}", "requestId": asked.request_id},
    ):
        answer = api(ada).post(HANDLE, body | {"status": "accepted"})
        assert (answer.status_code, answer.json()["error"]) == (404, NO_REQUEST)
    assert {status_of(asked), status_of(other)} == {"pending"}


@pytest.mark.parametrize("reason", [None, ""])
def test_a_reason_may_be_empty(reason, asked, api, ada):
    body = {"user": "sam", "status": "rejected", "rejectionReason": reason}
    assert api(ada).post(HANDLE, body).status_code == 200


def test_a_status_that_it_has_already_is_no_change(asked, api, ada):
    caller = api(ada)
    again = caller.post(HANDLE, {"user": "sam", "status": "pending"})
    assert (again.status_code, again["X-Error-Message"]) == (404, NO_REQUEST)
    caller.post(HANDLE, {"user": "sam", "status": "accepted"})
    again = caller.post(HANDLE, {"user": "sam", "status": "accepted"})
    assert again.status_code == 404
    assert again["X-Error-Message"] == NO_REQUEST
    assert "accepted by ada already" in again.json()["error"]
    assert AuditEvent.objects.filter(verb="access_request:accepted").count() == 1


def test_an_unknown_person_and_one_who_did_not_ask_are_told_apart(asked, api, ada, noor):
    unknown = api(ada).post(HANDLE, {"user": "nobody", "status": "accepted"})
    assert (unknown.status_code, unknown.json()["error"]) == (404, "User not found")
    silent = api(ada).post(HANDLE, {"user": "noor", "status": "accepted"})
    assert (silent.status_code, silent.json()["error"]) == (404, NO_REQUEST)
    for number in ("u-999999999", "u-x", "x", "u-" + "9" * 25):
        answer = api(ada).post(HANDLE, {"userId": number, "status": "accepted"})
        assert (answer.status_code, answer.json()["error"]) == (404, "User not found")


def test_an_organization_is_no_person(asked, api, ada):
    answer = api(ada).post(HANDLE, {"user": "lab", "status": "accepted"})
    assert (answer.status_code, answer.json()["error"]) == (404, "User not found")


@pytest.mark.parametrize(
    ("body", "about"),
    [
        ([], "JSON object"),
        ("accepted", "JSON object"),
        (None, "JSON object"),
        (b"{", "not JSON"),
        (b"\xff\xfe{}", "not JSON"),
        (b"status=accepted&user=sam", "not JSON"),
        ({}, "status"),
        ({"user": "sam"}, "status"),
        ({"user": "sam", "status": "approved"}, "status"),
        ({"user": "sam", "status": ""}, "status"),
        ({"user": "sam", "status": ["accepted"]}, "status"),
        ({"user": "sam", "status": None}, "status"),
        ({"user": {"name": "sam"}, "status": "accepted"}, "user"),
        ({"user": "s\x00m", "status": "accepted"}, "user"),
        ({"user": "x" * 2000, "status": "accepted"}, "user"),
        ({"user": "sam", "requestId": 7.5e300, "status": []}, "status"),
        ({"status": "accepted"}, "requestId"),
        ({"user": "sam", "status": "rejected", "rejectionReason": "x" * 201}, "rejectionReason"),
        ({"user": "sam", "status": "rejected", "rejectionReason": ["x"]}, "rejectionReason"),
        ({"user": "sam", "status": "rejected", "rejectionReason": "a\x00b"}, "rejectionReason"),
        ({"user": "sam", "status": "accepted", "rejectionReason": "why"}, "rejectionReason"),
    ],
)
def test_a_body_that_makes_no_sense_is_named_and_changes_nothing(body, about, asked, api, ada):
    answer = api(ada).post(HANDLE, body)
    assert answer.status_code == 400, answer.content
    assert about in answer.json()["error"]
    assert status_of(asked) == "pending"


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({"rejectionReason": "a\u202eb"}, "Invalid input: rejectionReason: contains characters that cannot be shown"),
        (
            {"status": "accepted", "rejectionReason": "why"},
            "Invalid input: rejectionReason: goes with the status rejected only",
        ),
    ],
)
def test_clients_read_the_words_of_the_api_not_those_of_pages(body, error, asked, api, ada):
    answer = api(ada).post(HANDLE, {"user": "sam", "status": "rejected"} | body)
    assert (answer.status_code, answer.json()["error"], answer["X-Error-Message"]) == (400, error, error)


def test_the_body_is_checked_before_the_person(asked, api, ada):
    answer = api(ada).post(HANDLE, {"user": "nobody", "status": "accepted", "rejectionReason": "why"})
    assert answer.status_code == 400


def test_checks_come_in_the_order_of_the_hub(asked, stranger, api, ada, sam, make_repo):
    make_repo("lab/open", by=ada)
    address, nonsense = HANDLE.replace("toxic-bert", "open"), b"{"
    anonymous = stranger.post(address, nonsense)
    assert (anonymous.status_code, anonymous["X-Error-Message"]) == (401, "Invalid username or password.")
    no_right = api(sam).post(address, nonsense)
    message = "You have read access but not the required permissions for this operation"
    assert (no_right.status_code, no_right["X-Error-Message"]) == (403, message)
    not_gated = api(ada).post(address, nonsense)
    assert (not_gated.status_code, not_gated["X-Error-Code"]) == (400, "RepoNotGated")
    assert not_gated.json()["error"] == "model lab/open is not gated"


def test_the_requester_a_reader_and_a_read_token_change_nothing(asked, api, ada, sam, rea, con):
    body = {"user": "sam", "status": "accepted"}
    for caller in (api(sam), api(rea), api(con), api(ada, "read")):
        assert caller.post(HANDLE, body).status_code == 403
    assert status_of(asked) == "pending"


def test_a_request_of_another_repo_cannot_be_reached_through_ones_own(asked, api, olu, make_repo):
    make_repo("olu/mine", by=olu, gated="manual")
    address = "/api/models/olu/mine/user-access-request/handle"
    answer = api(olu).post(address, {"requestId": asked.request_id, "status": "accepted"})
    assert (answer.status_code, answer.json()["error"]) == (404, NO_REQUEST)
    assert status_of(asked) == "pending"


def test_a_gate_that_is_off_decides_nothing(asked, api, ada, gated_repo):
    repo_services.change_settings(gated_repo, {"gated": False}, by=Actor(user=ada))
    assert api(ada).post(HANDLE, {"user": "sam", "status": "accepted"}).status_code == 400
    assert status_of(asked) == "pending"


def test_a_page_in_another_tab_cannot_review_in_the_reviewers_name(asked, browser, ada):
    client = browser(ada, enforce_csrf_checks=True)
    answer = client.post(HANDLE, '{"user": "sam", "status": "accepted"}', content_type="application/json")
    assert answer.status_code == 403
    assert status_of(asked) == "pending"


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
def test_reviewing_takes_post_alone(method, asked, api, ada):
    assert api(ada).send(method, HANDLE, {"user": "sam", "status": "accepted"}).status_code in {404, 405}
    assert status_of(asked) == "pending"
