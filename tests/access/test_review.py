"""Reviewing access requests.  lab/toxic-bert is gated; ada reviews for lab; sam asks for access."""

from __future__ import annotations

import pytest

from access import policy, services
from access.errors import GatedRepo, NoAccessRequest
from access.models import AccessRequest
from access.policy import Action
from accounts.actor import Actor
from accounts.errors import InvalidFields, NotAllowed
from accounts.models import AuditEvent, User
from repos.models import Repo
from tests.support.cast import ANSWERS

ACCEPTED, REJECTED, PENDING = AccessRequest.Status.ACCEPTED, AccessRequest.Status.REJECTED, AccessRequest.Status.PENDING


@pytest.fixture
def request_from_sam(gated_repo: Repo, sam: User) -> AccessRequest:
    request = services.ask(repo=gated_repo, answers=ANSWERS, by=Actor(user=sam))
    assert request is not None
    return request


def test_a_pending_request_does_not_open_the_files(gated_repo, request_from_sam, sam):
    with pytest.raises(GatedRepo, match="awaiting a review"):
        policy.require(Actor(user=sam), Action.FILES_READ, gated_repo)


def test_accepting_opens_the_files_and_leaves_a_trail(gated_repo, request_from_sam, sam, ada):
    services.review(access_request=request_from_sam, status=ACCEPTED, by=Actor(user=ada))
    policy.require(Actor(user=sam), Action.FILES_READ, gated_repo)
    event = AuditEvent.objects.first()
    assert (event.actor, event.verb, event.target) == ("ada", "access_request:accepted", "sam on lab/toxic-bert")
    assert (event.before, event.after) == ({"status": "pending"}, {"status": "accepted"})


def test_rejecting_later_shuts_the_files_again(gated_repo, request_from_sam, sam, ada):
    services.review(access_request=request_from_sam, status=ACCEPTED, by=Actor(user=ada))
    services.review(access_request=request_from_sam, status=REJECTED, reason="Left the lab", by=Actor(user=ada))
    with pytest.raises(GatedRepo, match=r"has been rejected by the repo's authors\. See \{url\} Reason: Left the lab"):
        policy.require(Actor(user=sam), Action.FILES_READ, gated_repo)


def test_a_second_click_is_not_a_second_review(request_from_sam, ada):
    services.review(access_request=request_from_sam, status=ACCEPTED, by=Actor(user=ada))
    with pytest.raises(NoAccessRequest) as refused:
        services.review(access_request=request_from_sam, status=ACCEPTED, by=Actor(user=ada))
    assert refused.value.next_step == "The request of sam was accepted by ada already."


def test_of_two_reviewers_the_second_is_told_what_the_first_did(request_from_sam, ada):
    services.review(access_request=request_from_sam, status=ACCEPTED, by=Actor(user=ada), expected=PENDING)
    with pytest.raises(NoAccessRequest) as refused:
        services.review(access_request=request_from_sam, status=REJECTED, by=Actor(user=ada), expected=PENDING)
    assert "accepted by ada" in refused.value.next_step
    request_from_sam.refresh_from_db()
    assert request_from_sam.status == ACCEPTED


def test_the_requester_may_not_review(request_from_sam, sam):
    with pytest.raises(NotAllowed):
        services.review(access_request=request_from_sam, status=ACCEPTED, by=Actor(user=sam))
    request_from_sam.refresh_from_db()
    assert request_from_sam.is_pending


@pytest.mark.parametrize("reason", ["می\u200cپرسم", "Zugangs\u00adanfrage", "No 👩\u200d💻"])
def test_a_reason_is_kept_letter_for_letter_with_its_joiners(request_from_sam, ada, reason):
    services.review(access_request=request_from_sam, status=REJECTED, reason=reason, by=Actor(user=ada))
    request_from_sam.refresh_from_db()
    assert request_from_sam.rejection_reason == reason


@pytest.mark.parametrize(
    ("status", "reason"), [("approved", ""), ("", ""), (REJECTED, "x" * 201), (ACCEPTED, "why"), (REJECTED, "a\u202eb")]
)
def test_an_unknown_status_and_a_misplaced_reason_change_nothing(request_from_sam, ada, status, reason):
    with pytest.raises(InvalidFields):
        services.review(access_request=request_from_sam, status=status, reason=reason, by=Actor(user=ada))
    request_from_sam.refresh_from_db()
    assert request_from_sam.is_pending
