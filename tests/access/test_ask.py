"""Asking for access.  sam asks for lab/toxic-bert, which is gated for manual review."""

from __future__ import annotations

import pytest
from allauth.account.models import EmailAddress
from django.db import IntegrityError, transaction
from django.utils import timezone

from access import policy, services, tokens
from access.errors import LoginRequired, RepoNotGated
from access.models import AccessRequest
from access.policy import Action
from access.signals import access_requests_changed
from accounts.actor import Actor
from accounts.errors import InvalidFields, NotAllowed
from accounts.models import AuditEvent
from repos import services as repo_services
from repos.errors import RepoNotFound
from tests.support.cast import ANSWERS, add_files, make_token


def ask(repo, user, answers=ANSWERS):
    repo.refresh_from_db()
    return services.ask(repo=repo, answers=answers, by=Actor(user=user))


def test_a_request_in_manual_mode_waits_and_opens_nothing(gated_repo, sam):
    request = ask(gated_repo, sam)
    assert (request.status, request.reviewed_at) == ("pending", None)
    assert not policy.may(Actor(user=sam), Action.FILES_READ, gated_repo)


def test_a_request_in_automatic_mode_is_accepted_by_nobody(gated_repo, ada, sam):
    repo_services.change_settings(gated_repo, {"gated": "auto"}, by=Actor(user=ada))
    request = ask(gated_repo, sam)
    assert (request.status, request.reviewed_by, request.granted) == ("accepted", None, False)
    assert request.reviewed_at is not None
    assert policy.may(Actor(user=sam), Action.FILES_READ, gated_repo)


def test_asking_leaves_a_trail_and_is_announced_once(gated_repo, sam):
    heard = []

    def listen(sender, **said):
        heard.extend((said["event"], request.user) for request in said["access_requests"])

    access_requests_changed.connect(listen)
    try:
        ask(gated_repo, sam)
        ask(gated_repo, sam)
    finally:
        access_requests_changed.disconnect(listen)
    assert heard == [("asked", sam)]
    event = AuditEvent.objects.get(verb="access_request:asked")
    assert (event.actor, event.target, event.repo, event.after) == (
        "sam",
        "sam on lab/toxic-bert",
        gated_repo.pk,
        {"status": "pending", "form": gated_repo.gate_form.digest},
    )


def test_a_request_is_not_kept_when_its_announcement_fails(gated_repo, sam):
    def fail(sender, **said):
        raise RuntimeError("The outbox is full.")

    access_requests_changed.connect(fail)
    try:
        with pytest.raises(RuntimeError):
            ask(gated_repo, sam)
    finally:
        access_requests_changed.disconnect(fail)
    assert not AccessRequest.objects.exists()
    assert not AuditEvent.objects.filter(verb="access_request:asked").exists()


@pytest.mark.parametrize("status", ["pending", "accepted", "rejected"])
def test_asking_again_returns_the_request_as_it_is(status, gated_repo, ada, sam):
    request = ask(gated_repo, sam)
    if status != "pending":
        services.review(access_request=request, status=status, by=Actor(user=ada))
    again = ask(gated_repo, sam, {})  # Not even the answers are looked at.
    assert (again.pk, again.status, again.answers) == (request.pk, status, ANSWERS)


def test_manual_to_automatic_leaves_the_queue_waiting(gated_repo, ada, sam, noor):
    waiting = ask(gated_repo, sam)
    repo_services.change_settings(gated_repo, {"gated": "auto"}, by=Actor(user=ada))
    assert ask(gated_repo, sam).is_pending
    assert ask(gated_repo, noor).is_accepted
    waiting.refresh_from_db()
    assert waiting.is_pending


def test_automatic_to_manual_keeps_who_is_in(gated_repo, ada, sam, noor):
    by = Actor(user=ada)
    repo_services.change_settings(gated_repo, {"gated": "auto"}, by=by)
    ask(gated_repo, sam)
    repo_services.change_settings(gated_repo, {"gated": "manual"}, by=by)
    assert policy.may(Actor(user=sam), Action.FILES_READ, gated_repo)
    assert ask(gated_repo, noor).is_pending


def test_gate_off_keeps_the_requests_and_gate_on_restores_them(gated_repo, ada, sam, noor):
    by = Actor(user=ada)
    services.review(access_request=ask(gated_repo, sam), status="rejected", by=by)
    repo_services.change_settings(gated_repo, {"gated": False}, by=by)
    assert policy.may(Actor(user=sam), Action.FILES_READ, gated_repo)
    with pytest.raises(RepoNotGated, match="model lab/toxic-bert is not gated"):
        ask(gated_repo, noor)
    repo_services.change_settings(gated_repo, {"gated": "manual"}, by=by)
    assert not policy.may(Actor(user=sam), Action.FILES_READ, gated_repo)
    assert ask(gated_repo, sam).is_rejected


def test_whoever_reads_anyway_asks_for_nothing(gated_repo, ada, rea):
    assert ask(gated_repo, ada) is None
    assert ask(gated_repo, rea) is None
    assert not AccessRequest.objects.exists()


def test_a_member_asks_when_members_are_gated_too(gated_repo, ada, rea):
    repo_services.change_settings(gated_repo, {"orgMembersGated": True}, by=Actor(user=ada))
    assert ask(gated_repo, rea).is_pending


def test_a_stranger_cannot_ask(gated_repo):
    with pytest.raises(LoginRequired):
        services.ask(repo=gated_repo, answers=ANSWERS, by=Actor())


def test_a_private_repo_cannot_be_asked_for_by_an_outsider(make_repo, ada, lab, sam):
    repo = make_repo("lab/secret", by=ada, private=True, gated="manual")
    with pytest.raises(RepoNotFound):
        ask(repo, sam)


def test_a_narrow_token_cannot_ask(gated_repo, sam):
    for token in (make_token(sam, "read"), make_token(sam, "fine-grained", can_read_gated=True)):
        with pytest.raises(NotAllowed):
            services.ask(repo=gated_repo, answers=ANSWERS, by=Actor(user=sam, token=tokens.authenticate(token)))
    assert not AccessRequest.objects.exists()


def test_an_unverified_address_is_shared_with_nobody(gated_repo, sam):
    EmailAddress.objects.filter(user=sam).update(verified=False)
    with pytest.raises(NotAllowed, match="must be verified"):
        ask(gated_repo, sam)
    assert not AccessRequest.objects.exists()


def test_every_question_that_was_not_answered_is_named(gated_repo, sam):
    with pytest.raises(InvalidFields) as refused:
        ask(gated_repo, sam, {"Country": "FR"})
    assert set(refused.value.fields) == {"Company", "I agree"}
    assert not AccessRequest.objects.exists()


def test_a_broken_card_leaves_the_last_good_form_in_force(gated_repo, ada, sam):
    add_files(gated_repo, {"README.md": b"---\nextra_gated_fields: [\n---\n"}, by=ada)
    request = ask(gated_repo, sam)
    assert gated_repo.card_error
    assert [label for label, _ in request.questions_and_answers()] == list(ANSWERS)


def test_answers_come_back_in_the_order_of_the_form_whatever_the_database_did(gated_repo, sam):
    request = ask(gated_repo, sam)
    AccessRequest.objects.update(answers=dict(reversed(list(ANSWERS.items()))))
    request.refresh_from_db()
    assert request.questions_and_answers() == list(ANSWERS.items())


# --- What the database promises -------------------------------------------------------------------------------------


def test_one_request_per_person_and_repo(gated_repo, sam):
    ask(gated_repo, sam)
    with pytest.raises(IntegrityError), transaction.atomic():
        AccessRequest.objects.create(repo=gated_repo, user=sam)


@pytest.mark.parametrize(
    "wrong",
    [
        {"status": "reset"},
        {"status": "accepted"},
        {"status": "pending", "reviewed_at": timezone.now()},
        {"rejection_reason": "why"},
        {"status": "accepted", "reviewed_at": timezone.now(), "rejection_reason": "why"},
    ],
)
def test_a_state_that_cannot_be_is_refused(wrong, gated_repo, sam):
    ask(gated_repo, sam)
    with pytest.raises(IntegrityError), transaction.atomic():
        AccessRequest.objects.update(**wrong)
