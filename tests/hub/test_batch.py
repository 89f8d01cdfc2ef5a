"""`POST …/user-access-request/batch` and `…/cancel`.  ada reviews lab/toxic-bert; sam and noor ask."""

from __future__ import annotations

import pytest

from access import services
from access.models import AccessRequest
from accounts.actor import Actor
from accounts.models import AuditEvent
from tests.support.cast import ANSWERS

BATCH = "/api/models/lab/toxic-bert/user-access-request/batch"
CANCEL = "/api/models/lab/toxic-bert/user-access-request/cancel"


@pytest.fixture
def asked(gated_repo, sam, noor):
    return [services.ask(repo=gated_repo, answers=ANSWERS, by=Actor(user=user)) for user in (sam, noor)]


def statuses() -> dict[str, str]:
    return dict(AccessRequest.objects.values_list("user__username", "status"))


def test_each_request_succeeds_or_fails_by_itself(asked, api, ada, noor):
    named = [{"user": "sam"}, {"user": "nobody"}, {"userId": f"u-{noor.pk}"}, {"user": "sam"}]
    answer = api(ada).post(BATCH, {"status": "accepted", "requests": named})
    assert answer.status_code == 200
    assert answer.json() == [
        {"user": "sam", "ok": True},
        {"user": "nobody", "ok": False, "error": "User not found"},
        {"user": "noor", "userId": f"u-{noor.pk}", "ok": True},
        {
            "user": "sam",
            "ok": False,
            "error": "No access request found matching your criteria The request of sam was accepted by ada already.",
        },
    ]
    assert statuses() == {"sam": "accepted", "noor": "accepted"}
    assert AuditEvent.objects.filter(verb="access_request:accepted").count() == 2


def test_all_are_rejected_for_the_one_reason(asked, api, ada):
    named = [{"requestId": request.request_id} for request in asked]
    api(ada).post(BATCH, {"status": "rejected", "rejectionReason": "Closed", "requests": named})
    assert set(AccessRequest.objects.values_list("status", "rejection_reason")) == {("rejected", "Closed")}


@pytest.mark.parametrize(
    "body",
    [
        [],
        {},
        {"status": "accepted"},
        {"status": "accepted", "requests": []},
        {"status": "accepted", "requests": "sam"},
        {"status": "accepted", "requests": ["sam"]},
        {"status": "accepted", "requests": [{"user": "sam"}] * 101},
        {"status": "approved", "requests": [{"user": "sam"}]},
        {"status": "accepted", "rejectionReason": "why", "requests": [{"user": "sam"}]},
        {"requests": [{"user": "sam"}]},
    ],
)
def test_a_body_that_makes_no_sense_changes_nothing(body, asked, api, ada):
    assert api(ada).post(BATCH, body).status_code == 400
    assert statuses() == {"sam": "pending", "noor": "pending"}


def test_whoever_may_not_review_one_may_not_review_many(asked, stranger, api, ada, sam):
    body = {"status": "accepted", "requests": [{"user": "sam"}]}
    assert stranger.post(BATCH, body).status_code == 401
    assert [caller.post(BATCH, body).status_code for caller in (api(sam), api(ada, "read"))] == [403, 403]
    assert statuses()["sam"] == "pending"


# --- Taking one's own request back ----------------------------------------------------------------------------------


def test_the_requester_takes_a_pending_request_back(asked, api, sam):
    answer = api(sam).post(CANCEL, {})
    assert (answer.status_code, answer.json()) == (200, {"ok": True})
    assert statuses() == {"noor": "pending"}
    assert AuditEvent.objects.filter(verb="access_request:withdrawn", actor="sam").count() == 1
    assert api(sam).post(CANCEL, {}).status_code == 404


@pytest.mark.parametrize("status", ["accepted", "rejected"])
def test_a_decided_request_cannot_be_taken_back(status, asked, api, ada, sam):
    services.review(access_request=asked[0], status=status, by=Actor(user=ada))
    assert api(sam).post(CANCEL).status_code == 404
    assert statuses()["sam"] == status


def test_cancel_needs_a_person_a_gate_and_a_token_that_may(asked, stranger, api, ada, sam, make_repo):
    make_repo("lab/open", by=ada)
    assert stranger.post(CANCEL, {}).status_code == 401
    assert stranger.post(CANCEL.replace("toxic-bert", "open"), {}).status_code == 401
    assert api(sam).post(CANCEL.replace("toxic-bert", "open"), {}).json()["error"] == "model lab/open is not gated"
    assert api(sam, "read").post(CANCEL, {}).status_code == 403
    assert statuses()["sam"] == "pending"
