"""Sending, failing, trying again, giving up.  sam's request for lab/toxic-bert was accepted by ada."""

import smtplib
import time
import uuid
from datetime import timedelta

import pytest
from django.core import mail
from django.db import DatabaseError
from django.utils import timezone

from access import services
from accounts.actor import SYSTEM, Actor, Entrance
from accounts.errors import Conflict
from accounts.models import AuditEvent
from notifications import claims, outbox
from notifications import delivery as engine
from notifications.claims import Claim
from notifications.models import AddressProblem, Delivery, OutboxMessage


@pytest.fixture
def accepted(gated_repo, send_request, ada, sam):
    """The delivery of the mail to sam."""
    services.review(access_request=send_request(gated_repo, sam), status="accepted", by=Actor(user=ada))
    return Delivery.objects.get()


def now(delivery):
    Delivery.objects.filter(pk=delivery.pk).update(due_at=timezone.now())


ERRORS = [
    ConnectionRefusedError("Connection refused"),
    TimeoutError("timed out"),
    smtplib.SMTPServerDisconnected("Connection unexpectedly closed"),
    smtplib.SMTPRecipientsRefused({"sam@example.org": (450, b"Try again")}),
    smtplib.SMTPRecipientsRefused({"sam@example.org": (550, b"No such user")}),
    smtplib.SMTPDataError(554, b"Not here"),
    smtplib.SMTPAuthenticationError(535, b"Who are you?"),
    ValueError("A header is broken"),
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_whatever_the_mail_server_says_it_is_tried_again(accepted, deliver_mails, sent, refusing, error):
    before = timezone.now()
    with refusing(error):
        assert deliver_mails() == 0
    accepted.refresh_from_db()
    assert (accepted.state, accepted.attempts, accepted.claim) == ("waiting", 1, None)
    assert accepted.problem.startswith(type(error).__name__)
    assert timedelta(seconds=10) <= accepted.due_at - before < timedelta(seconds=15)
    assert deliver_mails() == 0, "not before its time"
    now(accepted)
    assert deliver_mails() == 1
    accepted.refresh_from_db()
    assert (accepted.state, accepted.attempts, accepted.problem) == ("sent", 2, "")


def test_the_pauses_double_from_ten_seconds_to_six_hours(accepted, deliver_mails, refusing):
    pauses = []
    with refusing():
        for _ in range(15):
            began = timezone.now()
            deliver_mails()
            accepted.refresh_from_db()
            pauses.append(round((accepted.due_at - began).total_seconds()))
            now(accepted)
    assert pauses[:6] == [10, 20, 40, 80, 160, 320]
    assert pauses[-3:] == [21600] * 3


def test_after_three_days_it_is_given_up_and_staff_can_send_it_again(accepted, ada, deliver_mails, sent, refusing):
    with refusing():
        deliver_mails()
        accepted.refresh_from_db()
        assert timedelta(days=2, hours=23) < accepted.deadline - timezone.now() <= timedelta(days=3)
        Delivery.objects.update(due_at=timezone.now(), deadline=timezone.now())
        deliver_mails()
    accepted.refresh_from_db()
    assert (accepted.state, accepted.problem) == ("dead", "ConnectionRefusedError: Connection refused")
    assert deliver_mails() == 0
    engine.send_again(accepted, by=Actor(user=ada, entrance=Entrance.ADMIN))
    assert deliver_mails() == 1
    assert sent() == [("accepted", "sam@example.org")]
    event = AuditEvent.objects.get(verb="delivery:send_again")
    assert (event.actor, event.entrance, event.before, event.after) == ("ada", "admin", "dead", "waiting")


def test_the_last_attempt_is_at_the_deadline(accepted, deliver_mails, refusing):
    deadline = timezone.now() + timedelta(seconds=3)
    Delivery.objects.update(deadline=deadline)
    with refusing():
        deliver_mails()
    accepted.refresh_from_db()
    assert (accepted.state, accepted.due_at) == ("waiting", deadline)


@pytest.mark.parametrize("state", ["waiting", "sent", "folded"])
def test_only_what_was_given_up_or_not_sent_can_be_sent_again(accepted, state):
    sent_at = timezone.now() if state == "sent" else None
    Delivery.objects.update(state=state, sent_at=sent_at)
    with pytest.raises(Conflict):
        engine.send_again(accepted, by=SYSTEM)
    accepted.refresh_from_db()
    assert accepted.state == state


def test_each_attempt_has_the_same_message_id(accepted, deliver_mails, monkeypatch):
    """As if the worker had been killed between the server's answer and its mark."""
    monkeypatch.setattr(Claim, "sent", lambda *args: None)
    deliver_mails()
    now(accepted)
    monkeypatch.undo()
    deliver_mails()
    first, second = (message.extra_headers["Message-ID"] for message in mail.outbox)
    assert first == second
    assert str(accepted.name) in first


def test_one_refused_recipient_keeps_nobody_waiting(
    accepted, gated_repo, send_request, ada, noor, olu, deliver_mails, sent, refusing
):
    for user in (noor, olu):
        services.review(access_request=send_request(gated_repo, user), status="accepted", by=Actor(user=ada))
    refused = smtplib.SMTPRecipientsRefused({"sam@example.org": (550, b"No such user")})
    with refusing(refused, to="sam@example.org"):
        assert deliver_mails() == 2
    assert sent() == [("accepted", "noor@example.org"), ("accepted", "olu@example.org")]


def test_where_the_server_cannot_be_reached_the_others_are_not_tried(
    accepted, gated_repo, send_request, ada, noor, deliver_mails, refusing
):
    services.review(access_request=send_request(gated_repo, noor), status="accepted", by=Actor(user=ada))
    with refusing():
        deliver_mails()
    assert list(Delivery.objects.order_by("pk").values_list("attempts", "claim")) == [(1, None), (0, None)]


def test_a_mail_that_cannot_be_made_keeps_nobody_waiting(
    accepted, gated_repo, send_request, ada, noor, deliver_mails, sent, monkeypatch
):
    services.review(access_request=send_request(gated_repo, noor), status="accepted", by=Actor(user=ada))
    compose = engine.mails.compose

    def compose_but_one(delivery):
        if delivery.pk == accepted.pk:
            raise KeyError("A template is broken")
        return compose(delivery)

    monkeypatch.setattr(engine.mails, "compose", compose_but_one)
    assert deliver_mails() == 1
    assert sent() == [("accepted", "noor@example.org")]
    accepted.refresh_from_db()
    assert (accepted.state, accepted.attempts) == ("waiting", 1)


def test_an_address_whose_mails_came_back_gets_none(accepted, deliver_mails, sent):
    AddressProblem.objects.create(address="sam@example.org", what="bounced")
    assert deliver_mails() == 0
    assert sent() == []
    accepted.refresh_from_db()
    assert (accepted.state, "came back" in accepted.problem) == ("dropped", True)


def test_a_worker_that_has_lost_its_lease_changes_nothing(accepted):
    lost = Claim.take(1)
    Delivery.objects.update(due_at=timezone.now())
    holder = Claim.take(1)
    lost.failed(lost.deliveries[0], OSError("too late"))
    lost.drop(lost.deliveries[0], "too late")
    lost.put_back(lost.deliveries[0])
    accepted.refresh_from_db()
    assert (accepted.state, accepted.claim, accepted.problem, accepted.attempts) == ("waiting", holder.name, "", 2)


def test_what_is_in_hand_is_taken_by_nobody_else_and_due_again_after_the_lease(accepted, settings):
    settings.MAIL_LEASE_SECONDS = 60
    began = timezone.now()
    assert len(Claim.take(5).deliveries) == 1
    assert Claim.take(5).deliveries == []
    accepted.refresh_from_db()
    assert timedelta(seconds=59) < accepted.due_at - began < timedelta(seconds=62)


@pytest.mark.django_db(transaction=True)
def test_a_worker_that_takes_long_keeps_its_lease(gated_repo, send_request, ada, sam, settings):
    settings.MAIL_LEASE_SECONDS = 2
    services.review(access_request=send_request(gated_repo, sam), status="accepted", by=Actor(user=ada))
    claim = Claim.take(1)
    with claim.kept():
        deadline = timezone.now() + timedelta(seconds=4)
        while timezone.now() < deadline:
            assert Claim.take(1).deliveries == []
            time.sleep(0.1)
    claim.put_back(claim.deliveries[0])


@pytest.mark.django_db(transaction=True)
def test_a_database_that_fails_for_a_moment_does_not_lose_the_mark(accepted, deliver_mails, monkeypatch):
    failures = [DatabaseError("database is locked")] * 2
    usual = claims.aftermath.sent

    def fail_twice(delivery):
        if failures:
            raise failures.pop()
        usual(delivery)

    monkeypatch.setattr(claims.aftermath, "sent", fail_twice)
    assert deliver_mails() == 1
    accepted.refresh_from_db()
    assert (accepted.state, len(mail.outbox)) == ("sent", 1)


def test_the_secrets_of_an_account_mail_are_forgotten_once_it_is_sent(sam, deliver_mails):
    outbox.tell_account(address="sam@example.org", user=sam, subject="Reset", text="/reset/SECRET")
    assert deliver_mails() == 1
    assert "SECRET" in mail.outbox[0].body
    assert OutboxMessage.objects.get().sealed == ""


def test_an_account_mail_that_was_sent_cannot_be_sent_again(sam, deliver_mails):
    outbox.tell_account(address="sam@example.org", user=sam, subject="Reset", text="/reset/SECRET")
    deliver_mails()
    Delivery.objects.update(state="dropped", sent_at=None)
    with pytest.raises(Conflict, match="forgotten"):
        engine.send_again(Delivery.objects.get(), by=SYSTEM)


def test_a_key_that_nobody_knows_any_more_loses_no_other_mail(accepted, sam, deliver_mails, sent, settings):
    outbox.tell_account(address="sam@example.org", user=sam, subject="Reset", text="/reset/SECRET")
    settings.SECRET_KEY = str(uuid.uuid4())
    assert deliver_mails() == 1
    assert sent() == [("accepted", "sam@example.org")]
    assert "GATEHUB_SECRET_KEY" in Delivery.objects.get(kind="account").problem


def test_a_batch_takes_a_fixed_number_of_queries_and_one_or_two_for_each_mail(
    gated_repo, send_request, ada, make_user, deliver_mails, django_assert_max_num_queries
):
    for number in range(10):
        user = make_user(f"person{number}")
        services.review(access_request=send_request(gated_repo, user), status="accepted", by=Actor(user=ada))
    with django_assert_max_num_queries(25 + 4 * 10):
        assert deliver_mails() == 10


def test_a_mail_that_its_workers_die_of_is_given_up_in_the_end_and_those_behind_it_are_sent(
    accepted, gated_repo, send_request, ada, noor, deliver_mails, sent
):
    services.review(access_request=send_request(gated_repo, noor), status="accepted", by=Actor(user=ada))
    Delivery.objects.update(attempts=engine.MOST_ATTEMPTS)
    assert deliver_mails() == 1
    accepted.refresh_from_db()
    assert (accepted.state, accepted.problem[:23]) == ("dead", "It was tried too often.")
    assert sent() == [("accepted", "noor@example.org")]


def test_a_mail_server_that_hangs_is_left_alone_for_a_while(accepted, deliver_mails, refusing, monkeypatch):
    monkeypatch.setattr(engine, "_resting_until", 0)
    monkeypatch.setattr(engine, "LONG", 0)
    with refusing(TimeoutError("timed out")):
        deliver_mails()
    now(accepted)
    assert deliver_mails() == 0
    accepted.refresh_from_db()
    assert accepted.attempts == 1
    monkeypatch.setattr(engine, "_resting_until", 0)
    assert deliver_mails() == 1
