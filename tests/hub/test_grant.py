"""`POST …/user-access-request/grant`: ada lets noor into lab/toxic-bert, unasked."""

from __future__ import annotations

import pytest

from access import policy, services
from access.models import AccessRequest
from access.policy import Action
from accounts.actor import Actor
from accounts.models import AuditEvent
from tests.support.cast import ANSWERS

GRANT = "/api/models/lab/toxic-bert/user-access-request/grant"
HAS_ACCESS = "That user already has access to the repo"


def test_a_grant_opens_the_files_and_answers_json(gated_repo, api, ada, noor):
    answer = api(ada).post(GRANT, {"user": "noor"})
    assert (answer.status_code, answer.json()) == (200, {})
    assert policy.may(Actor(user=noor), Action.FILES_READ, gated_repo)
    request = AccessRequest.objects.get()
    assert (request.granted, request.email, request.reviewed_by) == (True, "", ada)
    assert AuditEvent.objects.filter(verb="access_request:granted", actor="ada").count() == 1


@pytest.mark.parametrize("decided", ["pending", "rejected"])
def test_a_request_that_waits_or_was_rejected_is_accepted_in_place(decided, gated_repo, api, ada, sam):
    asked = services.ask(repo=gated_repo, answers=ANSWERS, by=Actor(user=sam))
    if decided == "rejected":
        services.review(access_request=asked, status="rejected", reason="Why", by=Actor(user=ada))
    assert api(ada).post(GRANT, {"user": "sam"}).status_code == 200
    asked.refresh_from_db()
    assert (asked.status, asked.answers, asked.rejection_reason) == ("accepted", ANSWERS, "")
    assert AccessRequest.objects.count() == 1


def test_whoever_has_access_is_granted_none(gated_repo, api, ada, rea, noor):
    api(ada).post(GRANT, {"user": "noor"})
    for name in ("noor", "rea", "ada"):
        answer = api(ada).post(GRANT, {"user": name})
        assert (answer.status_code, answer.json()["error"]) == (400, HAS_ACCESS)
    assert AccessRequest.objects.count() == 1


def test_an_unknown_person_is_not_found(gated_repo, api, ada):
    answer = api(ada).post(GRANT, {"user": "nobody"})
    assert (answer.status_code, answer.json()["error"]) == (404, "User not found")


@pytest.mark.parametrize("body", [[], None, b"noor", {}, {"user": ""}, {"user": None}, {"user": ["noor"]}])
def test_a_body_without_a_person_is_refused(body, gated_repo, api, ada, noor):
    assert api(ada).post(GRANT, body).status_code == 400
    assert not AccessRequest.objects.exists()


def test_checks_come_in_the_order_of_the_hub(gated_repo, stranger, api, ada, sam, make_repo):
    make_repo("lab/open", by=ada)
    address = GRANT.replace("toxic-bert", "open")
    assert stranger.post(address, b"{").status_code == 401
    assert api(sam).post(address, b"{").status_code == 403
    not_gated = api(ada).post(address, b"{")
    assert (not_gated.status_code, not_gated["X-Error-Code"]) == (400, "RepoNotGated")


def test_nobody_grants_access_to_themselves(gated_repo, stranger, api, ada, sam, rea, con):
    assert stranger.post(GRANT, {"user": "sam"}).status_code == 401
    for caller in (api(sam), api(rea), api(con), api(ada, "read")):
        assert caller.post(GRANT, {"user": "sam"}).status_code == 403
    assert not AccessRequest.objects.exists()
