"""What goes into the outbox, and with what.  lab/toxic-bert is gated; ada is the admin of lab; sam asks for access."""

import json

import pytest
from django.db import transaction

from access import services, tokens
from access.models import AccessRequest
from access.signals import access_requests_changed
from accounts.actor import Actor
from notifications import outbox, sealed
from notifications.models import Delivery, OutboxMessage
from repos import services as repos
from tests.support.cast import ANSWERS, make_token


def ask(repo, user):
    return services.ask(repo=repo, answers=ANSWERS, by=Actor(user=user))


def deliveries():
    return list(Delivery.objects.order_by("pk").values_list("kind", "user__username", "address", "state"))


def messages():
    return list(OutboxMessage.objects.order_by("pk").values_list("kind", "state", "in_digest"))


def test_a_new_request_waits_for_the_digest(gated_repo, sam):
    ask(gated_repo, sam)
    assert messages() == [("new-request", "waiting", True)]
    assert deliveries() == []


def test_in_a_real_time_repo_it_waits_for_no_digest(gated_repo, ada, sam):
    repos.change_settings(gated_repo, {"gatedNotificationsMode": "real-time"}, by=Actor(user=ada))
    ask(gated_repo, sam)
    assert messages() == [("new-request", "waiting", False)]


def test_what_is_accepted_at_once_is_told_to_nobody(gated_repo, ada, sam):
    repos.change_settings(gated_repo, {"gated": "auto", "gatedNotificationsMode": "real-time"}, by=Actor(user=ada))
    assert ask(gated_repo, sam).is_accepted
    assert messages() == []


def test_asking_again_says_nothing_again(gated_repo, sam):
    ask(gated_repo, sam)
    ask(gated_repo, sam)
    assert len(messages()) == 1


@pytest.mark.parametrize(
    ("status", "kind", "reason"), [("accepted", "accepted", ""), ("rejected", "rejected", "Not this time")]
)
def test_a_decision_is_written_with_its_delivery(gated_repo, ada, sam, status, kind, reason):
    services.review(access_request=ask(gated_repo, sam), status=status, reason=reason, by=Actor(user=ada))
    assert messages()[1:] == [(kind, "dispatched", False)]
    assert deliveries() == [(kind, "sam", "sam@example.org", "waiting")]
    message = OutboxMessage.objects.last()
    assert message.data == {"repo_id": "lab/toxic-bert", "type": "model", "reason": reason}
    assert (message.repo, message.access_request.user) == (gated_repo, sam)


def test_back_to_pending_and_granted_are_decisions_too(gated_repo, ada, sam, noor):
    request, by = ask(gated_repo, sam), Actor(user=ada)
    services.review(access_request=request, status="accepted", by=by)
    services.review(access_request=request, status="pending", by=by)
    services.grant(repo=gated_repo, user=noor, by=by)
    assert [(kind, user) for kind, user, *_ in deliveries()] == [
        ("accepted", "sam"),
        ("cancelled", "sam"),
        ("granted", "noor"),
    ]


def test_withdrawing_is_told_to_nobody_and_leaves_the_message_without_its_request(gated_repo, sam):
    ask(gated_repo, sam)
    services.withdraw(repo=gated_repo, by=Actor(user=sam))
    assert deliveries() == []
    assert OutboxMessage.objects.get().access_request is None


def test_a_change_that_is_rolled_back_takes_its_message_along(gated_repo, sam):
    with transaction.atomic():
        ask(gated_repo, sam)
        assert OutboxMessage.objects.exists()
        transaction.set_rollback(True)
    assert not OutboxMessage.objects.exists()


def test_a_change_whose_message_cannot_be_written_does_not_happen(gated_repo, sam, monkeypatch):
    def fail(*args, **kwargs):
        raise OSError("The disk is full.")

    monkeypatch.setattr(OutboxMessage.objects, "bulk_create", fail)
    with pytest.raises(OSError, match="disk"):
        ask(gated_repo, sam)
    assert not AccessRequest.objects.exists()


def test_many_decisions_take_as_many_queries_as_one(gated_repo, ada, sam, noor, olu, django_assert_num_queries):
    asked = [ask(gated_repo, user) for user in (sam, noor, olu)]
    one = {"sender": AccessRequest, "event": "accepted", "by": Actor(user=ada)}
    with django_assert_num_queries(2):
        access_requests_changed.send(access_requests=asked[:1], **one)
    with django_assert_num_queries(2):
        access_requests_changed.send(access_requests=asked[1:], **one)


def test_a_worker_is_nudged_once_the_change_is_certain(gated_repo, ada, sam, django_capture_on_commit_callbacks):
    request = ask(gated_repo, sam)
    with django_capture_on_commit_callbacks() as waiting:
        services.review(access_request=request, status="accepted", by=Actor(user=ada))
    assert len(waiting) == 1


def test_a_request_for_the_digest_nudges_nobody(gated_repo, sam, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks() as waiting:
        ask(gated_repo, sam)
    assert waiting == []


def test_a_token_is_told_to_its_person_without_the_token(sam):
    secret = make_token(sam, "read", name="laptop")
    assert deliveries() == [("token-created", "sam", "sam@example.org", "waiting")]
    (message,) = OutboxMessage.objects.all()
    assert (message.data["name"], message.data["role"]) == ("laptop", "read")
    assert secret not in json.dumps(message.data) + message.sealed


def test_a_token_that_is_refused_is_told_to_nobody(sam):
    make_token(sam, name="laptop")
    with pytest.raises(Exception, match="already"):
        tokens.create(user=sam, name="laptop", role="read", by=Actor(user=sam))
    assert len(deliveries()) == 1


def test_an_account_mail_waits_sealed(sam):
    outbox.tell_account(address="sam@new.example", user=sam, subject="Reset", text="Open /reset/SECRET", html="<p>")
    (message,) = OutboxMessage.objects.all()
    assert deliveries() == [("account", "sam", "sam@new.example", "waiting")]
    assert "SECRET" not in message.sealed
    assert sealed.open_(message.sealed) == {"subject": "Reset", "text": "Open /reset/SECRET", "html": "<p>"}
    assert message.data == {}
