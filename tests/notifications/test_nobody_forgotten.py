"""What happens between the day when a mail was due and the hour when it can go: nobody is forgotten for it.

ada is the admin of lab, whose toxic-bert sam and noor ask for; the mail server fails meanwhile.
"""

from __future__ import annotations

import smtplib
from datetime import timedelta

import pytest
from django.core import mail
from django.utils import timezone

from access import services
from accounts import services as accounts
from accounts.actor import SYSTEM, Actor
from notifications import aftermath, dispatch, outbox, sorting, tasks
from notifications import delivery as engine
from notifications.claims import Claim
from notifications.models import Delivery, OptOut, OutboxMessage
from repos import services as repos

ADA, WES, SAM = "ada@example.org", "wes@example.org", "sam@example.org"


def pauses_are_over():
    Delivery.objects.filter(state="waiting", claim=None).update(due_at=timezone.now())


@pytest.fixture
def address(gated_repo, ada):
    """`address("desk@example.org")`: the notifications go there, as its reader has agreed."""

    def use(value):
        repos.change_settings(gated_repo, {"gatedNotificationsEmail": value}, by=Actor(user=ada))
        gated_repo.refresh_from_db()
        gated_repo.gated_notifications_email_confirmed_at = timezone.now() if value else None
        gated_repo.save()
        OutboxMessage.objects.filter(kind="confirm-address").delete()

    return use


# --- Recipients who change --------------------------------------------------------------------------------------------


def test_a_digest_for_an_address_that_was_taken_away_goes_to_whoever_is_told_now(
    gated_repo, send_request, sam, address, refusing, deliver_mails, sent
):
    address("desk@example.com")
    send_request(gated_repo, sam)
    dispatch.digests()
    with refusing():
        deliver_mails()
    address("")
    pauses_are_over()
    deliver_mails()
    assert sent() == [], "not to the old address"
    dispatch.digests()
    deliver_mails()
    assert sent() == [("digest", ADA)]


def test_a_real_time_mail_for_somebody_who_left_comes_to_the_others_with_the_next_digest(
    real_time, send_request, sam, address, refusing, deliver_mails, sent
):
    address("desk@example.com")
    send_request(real_time, sam)
    with refusing():
        deliver_mails()
    address("")
    pauses_are_over()
    deliver_mails()
    assert sent() == []
    dispatch.digests()
    deliver_mails()
    assert sent() == [("digest", ADA)]


def test_where_another_was_told_nobody_is_told_twice(
    lab, real_time, send_request, wes, sam, refusing, deliver_mails, sent
):
    accounts.set_role(organization=lab, user=wes, role="admin", by=SYSTEM)
    send_request(real_time, sam)
    with refusing(smtplib.SMTPRecipientsRefused({WES: (451, b"Later")}), to=WES):
        deliver_mails()
    assert sent() == [("new-request", ADA)]
    accounts.set_role(organization=lab, user=wes, role="read", by=SYSTEM)
    pauses_are_over()
    deliver_mails()
    dispatch.digests()
    deliver_mails()
    assert sent() == []


def test_whoever_wants_no_mails_is_not_asked_again_and_again(
    real_time, send_request, ada, sam, refusing, deliver_mails
):
    send_request(real_time, sam)
    with refusing():
        deliver_mails()
    OptOut.objects.create(user=ada, topic="requests")
    pauses_are_over()
    for _ in range(3):
        deliver_mails()
        assert dispatch.digests() == 0
    assert mail.outbox == []
    assert list(OutboxMessage.objects.values_list("state", flat=True)) == ["waiting"]


# --- Summaries that are dropped ---------------------------------------------------------------------------------------


def test_what_a_dropped_summary_would_have_told_is_told_by_another(
    settings, make_repo, lab, ada, sam, send_request, refusing, deliver_mails
):
    """sam's news are folded into one about a decision that is overtaken while the mail server fails."""
    settings.MAILS_PER_HOUR = sorting.HOUR // sorting.BETWEEN_SUMMARIES + 1
    names = [f"lab/r{number}" for number in range(4)]
    asked = [send_request(make_repo(name, by=ada, gated="manual"), sam) for name in names]
    for request in asked:
        services.review(access_request=request, status="accepted", by=Actor(user=ada))
    assert deliver_mails() == 1
    Delivery.objects.update(sent_at=None, state="waiting", held=True, claim=None, due_at=timezone.now())
    Delivery.objects.filter(message__access_request=asked[0]).update(
        state="sent", held=False, sent_at=timezone.now() - sorting.BETWEEN_SUMMARIES - timedelta(seconds=5)
    )
    with refusing():
        deliver_mails()
    summary = Delivery.objects.filter(state="folded").first().folded_into
    services.review(access_request=summary.message.access_request, status="rejected", by=Actor(user=ada))
    mail.outbox.clear()
    for _ in range(3):
        Delivery.objects.filter(state="sent").update(sent_at=timezone.now() - timedelta(minutes=11))
        pauses_are_over()
        deliver_mails()
    said = "\n".join(str(message.body) for message in mail.outbox)
    assert [name for name in names[1:] if name not in said] == []


# --- Decisions in their order -----------------------------------------------------------------------------------------


def test_a_decision_waits_for_an_earlier_one_that_nobody_has_tried(gated_repo, send_request, ada, sam, deliver_mails):
    """The earlier one was put back behind it: the last mail that sam gets must be the one that holds."""
    request = send_request(gated_repo, sam)
    services.review(access_request=request, status="accepted", by=Actor(user=ada))
    first = Delivery.objects.get()
    services.review(access_request=request, status="rejected", by=Actor(user=ada))
    second = Delivery.objects.exclude(pk=first.pk).get()
    Delivery.objects.filter(pk=second.pk).update(due_at=timezone.now() - timedelta(minutes=1))
    claim = Claim.take(1)
    assert [delivery.pk for delivery in claim.deliveries] == [second.pk]
    assert sorting.sendable(claim) == []
    second.refresh_from_db()
    assert (second.state, second.claim, second.attempts) == ("waiting", None, 0)
    deliver_mails()
    pauses_are_over()
    deliver_mails()
    assert ["accepted" in message.subject for message in mail.outbox] == [True, False]


# --- Servers, stalls, errors ------------------------------------------------------------------------------------------


def test_a_server_that_shuts_down_at_a_recipient_is_not_asked_for_each_mail(
    gated_repo, send_request, ada, sam, noor, olu, refusing, deliver_mails
):
    for user in (sam, noor, olu):
        services.review(access_request=send_request(gated_repo, user), status="accepted", by=Actor(user=ada))
    with refusing(smtplib.SMTPRecipientsRefused({SAM: (421, b"Shutting down")})):
        deliver_mails()
    assert sorted(Delivery.objects.values_list("attempts", flat=True)) == [0, 0, 1]


def test_a_worker_that_slept_longer_than_its_lease_sends_nothing_that_another_has(
    gated_repo, send_request, ada, sam, noor, monkeypatch, settings
):
    """As a laptop does: the worker goes on in the middle of its work, with its lease long over."""
    for user in (sam, noor):
        services.review(access_request=send_request(gated_repo, user), status="accepted", by=Actor(user=ada))
    claim = Claim.take(20)
    sendable = sorting.sendable

    def sleep_and_sort(claim):
        found = sendable(claim)
        Delivery.objects.update(due_at=timezone.now() - timedelta(seconds=1))
        claim.until = timezone.now() - timedelta(seconds=1)
        monkeypatch.setattr(sorting, "sendable", sendable)
        assert engine.deliver() == 2, "Another worker took both."
        return found

    monkeypatch.setattr(sorting, "sendable", sleep_and_sort)
    assert engine.Sender(claim).send() == 0
    assert len(mail.outbox) == 2


@pytest.mark.parametrize("task", [tasks.deliver, tasks.send_digests])
def test_requests_that_cannot_be_dispatched_keep_no_other_mail_back(
    real_time, send_request, ada, sam, noor, monkeypatch, sent, task
):
    services.review(access_request=send_request(real_time, sam), status="accepted", by=Actor(user=ada))

    def fail(*args):
        raise ValueError("Something is wrong with recipients.")

    monkeypatch.setattr(dispatch.recipients, "of_repos", fail)
    monkeypatch.setattr(sorting, "_reviewers", lambda deliveries: {})
    send_request(real_time, noor)
    monkeypatch.setattr(dispatch, "digests", fail)
    with pytest.raises(ValueError, match="recipients"):
        task()
    assert sent() == [("accepted", SAM)]


def test_an_account_mail_is_marked_together_with_the_forgetting_of_its_secrets(sam, monkeypatch, deliver_mails, sent):
    outbox.tell_account(address=SAM, user=sam, subject="A link", text="https://…")
    usual = aftermath.sent

    def fail(delivery):
        usual(delivery)
        raise ValueError("Something else goes wrong.")

    monkeypatch.setattr(aftermath, "sent", fail)
    with pytest.raises(ValueError, match="goes wrong"):
        deliver_mails()
    assert sent() == [("account", SAM)]
    delivery = Delivery.objects.select_related("message").get()
    assert delivery.state == "waiting"
    assert delivery.message.sealed
