"""Granting access.  ada reviews for lab/toxic-bert and lets noor in, unasked."""

from __future__ import annotations

import pytest

from access import policy, services
from access.errors import AlreadyHasAccess, RepoNotGated
from access.models import AccessRequest
from access.policy import Action
from accounts.actor import Actor
from accounts.errors import NotAllowed
from accounts.models import AuditEvent
from repos import services as repo_services
from tests.support.cast import ANSWERS


def test_a_grant_opens_the_files_and_shares_no_address(gated_repo, ada, noor):
    request = services.grant(repo=gated_repo, user=noor, by=Actor(user=ada))
    assert policy.may(Actor(user=noor), Action.FILES_READ, gated_repo)
    assert (request.granted, request.email, request.answers, request.form) == (True, "", {}, None)
    assert (request.fullname, request.reviewed_by) == ("Noor Haddad", ada)
    event = AuditEvent.objects.get(verb="access_request:granted")
    assert (event.actor, event.target, event.before) == ("ada", "noor on lab/toxic-bert", None)


@pytest.mark.parametrize("status", ["pending", "rejected"])
def test_a_request_is_accepted_in_place_with_what_was_answered(status, gated_repo, ada, sam):
    asked = services.ask(repo=gated_repo, answers=ANSWERS, by=Actor(user=sam))
    if status == "rejected":
        services.review(access_request=asked, status=status, reason="Why", by=Actor(user=ada))
    granted = services.grant(repo=gated_repo, user=sam, by=Actor(user=ada))
    assert (granted.pk, granted.status, granted.granted, granted.rejection_reason) == (asked.pk, "accepted", False, "")
    assert (granted.answers, granted.email) == (ANSWERS, "sam@example.org")


def test_whoever_has_access_is_granted_none(gated_repo, ada, rea, noor):
    services.grant(repo=gated_repo, user=noor, by=Actor(user=ada))
    for user in (noor, rea, ada):
        with pytest.raises(AlreadyHasAccess, match="That user already has access to the repo"):
            services.grant(repo=gated_repo, user=user, by=Actor(user=ada))


def test_a_member_is_granted_access_when_members_are_gated_too(gated_repo, ada, rea):
    repo_services.change_settings(gated_repo, {"orgMembersGated": True}, by=Actor(user=ada))
    services.grant(repo=gated_repo, user=rea, by=Actor(user=ada))
    assert policy.may(Actor(user=rea), Action.FILES_READ, gated_repo)


def test_a_grant_shows_no_private_repo_to_an_outsider(make_repo, ada, lab, noor):
    repo = make_repo("lab/secret", by=ada, private=True, gated="manual")
    services.grant(repo=repo, user=noor, by=Actor(user=ada))
    for action in (Action.CARD_VIEW, Action.FILES_READ):
        assert not policy.may(Actor(user=noor), action, repo)


def test_a_repo_without_a_gate_grants_nothing(make_repo, ada, lab, noor):
    with pytest.raises(RepoNotGated):
        services.grant(repo=make_repo("lab/open", by=ada), user=noor, by=Actor(user=ada))


def test_whoever_may_not_review_may_not_grant(gated_repo, sam, rea, con):
    for user in (sam, rea, con):
        with pytest.raises(NotAllowed):
            services.grant(repo=gated_repo, user=sam, by=Actor(user=user))
    assert not AccessRequest.objects.exists()
