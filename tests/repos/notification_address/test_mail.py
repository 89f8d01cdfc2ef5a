"""The mail that asks for a confirmation, and its limits.  ada is the admin of lab, wes writes, con contributes, rea
reads, sam is no member; lab/toxic-bert is gated, and desk@example.com belongs to a stranger."""

from __future__ import annotations

import smtplib

import pytest
from django.core import mail

from accounts.actor import Actor
from accounts.errors import BadRequest
from repos import notification_address, services
from repos.errors import TooManyMails
from repos.models import ConfirmationMail
from repos.notification_address import State, address_to_use, state_of
from tests.repos.notification_address.letters import DESK, later, token_in, verbs

pytestmark = pytest.mark.usefixtures("mails_at_once")


def test_a_stranger_is_asked_by_a_mail_and_not_used_meanwhile(desk, ada, settings, django_assert_num_queries):
    assert address_to_use(desk) == ""
    (message,) = mail.outbox
    assert (message.to, message.cc, message.bcc) == ([DESK], [], [])
    assert message.subject == "[GateHub] Do you want the notifications of lab/toxic-bert?"
    assert f"{settings.PUBLIC_URL}/notifications/address/" in message.body
    assert "the person ada, who manages the model lab/toxic-bert" in message.body
    assert ada.fullname not in message.body, "a full name is any text, and this goes to a stranger"
    assert message.extra_headers["Auto-Submitted"] == "auto-generated"
    row = ConfirmationMail.objects.get()
    assert (row.repo, row.address, row.asked_by, row.problem) == (desk, DESK, ada, "")
    assert row.sent_at
    assert verbs() == ["asked", "mailed"]


def test_the_mail_goes_out_after_the_change_is_certain(gated_repo, ada, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks() as waiting:
        services.change_settings(gated_repo, {"gatedNotificationsEmail": DESK}, by=Actor(user=ada))
    assert (len(waiting), mail.outbox) == (1, [])


def test_a_mail_for_an_address_that_was_changed_meanwhile_is_not_sent(gated_repo, ada, deliver_mails):
    by = Actor(user=ada)
    services.change_settings(gated_repo, {"gatedNotificationsEmail": DESK}, by=by)
    services.change_settings(gated_repo, {"gatedNotificationsEmail": ""}, by=by)
    assert deliver_mails() == 0
    assert mail.outbox == []


def test_a_mail_is_sent_once(desk, deliver_mails):
    assert deliver_mails() == 0
    assert len(mail.outbox) == 1


@pytest.mark.parametrize(
    "error", [smtplib.SMTPRecipientsRefused({}), ConnectionRefusedError(), TimeoutError(), ValueError("bad")]
)
def test_a_mail_server_that_fails_loses_no_setting_and_no_mail(
    gated_repo, ada, set_to, deliver_mails, monkeypatch, error
):
    def fail(self, messages):
        raise error

    with monkeypatch.context() as patched:
        patched.setattr("django.core.mail.backends.locmem.EmailBackend.send_messages", fail)
        set_to(gated_repo, DESK, by=ada)
    assert gated_repo.gated_notifications_email == DESK
    assert (state_of(gated_repo), mail.outbox) == (State.WAITING, [])
    assert ConfirmationMail.objects.values_list("sent_at", "problem").get() == (None, "")
    later(monkeypatch, seconds=15)
    assert deliver_mails() == 1
    assert ConfirmationMail.objects.get().sent_at
    assert verbs() == ["asked", "mailed"]


def test_one_that_no_mail_server_took_for_three_days_is_told_and_can_be_sent_again(
    gated_repo, ada, set_to, send_again, deliver_mails, monkeypatch
):
    def fail(self, messages):
        raise ConnectionRefusedError("Connection refused")

    with monkeypatch.context() as patched:
        patched.setattr("django.core.mail.backends.locmem.EmailBackend.send_messages", fail)
        set_to(gated_repo, DESK, by=ada)
        later(patched, days=3, seconds=1)
        deliver_mails()
    assert ConfirmationMail.objects.get().problem == "ConnectionRefusedError: Connection refused"
    assert verbs() == ["asked", "mail_failed"]
    send_again(gated_repo, by=ada)
    assert len(mail.outbox) == 1


def test_sending_again_needs_a_pause(desk, ada, send_again, monkeypatch):
    with pytest.raises(TooManyMails, match="No further mail"):
        send_again(desk, by=ada)
    later(monkeypatch, minutes=11)
    send_again(desk, by=ada)
    assert len(mail.outbox) == 2
    links = {notification_address.find_link(token_in(message)).repo for message in mail.outbox}
    assert links == {desk}, "the first link works, too"


def test_an_address_gets_three_such_mails_a_day_from_all_repos(ada, lab, make_repo, set_to, monkeypatch):
    repos = [make_repo(f"lab/bert-{number}", by=ada, gated="manual") for number in range(5)]
    for repo in repos:
        set_to(repo, DESK.upper() if repo == repos[1] else DESK, by=ada)
    assert len(mail.outbox) == 3
    assert [state_of(repo) for repo in repos] == [State.WAITING] * 5
    with pytest.raises(TooManyMails):
        notification_address.send_again(repos[4], by=Actor(user=ada))
    later(monkeypatch, hours=25)
    notification_address.send_again(repos[4], by=Actor(user=ada))


def test_a_repo_that_is_deleted_does_not_reset_the_limit(ada, lab, make_repo, set_to):
    for number in range(5):
        repo = make_repo(f"lab/bert-{number}", by=ada, gated="manual")
        set_to(repo, DESK, by=ada)
        services.delete_repo(repo, by=Actor(user=ada))
    assert len(mail.outbox) == 3


def test_a_person_asks_twenty_addresses_a_day(gated_repo, ada, wes, set_to):
    for number in range(25):
        set_to(gated_repo, f"desk-{number}@example.com", by=ada)
    assert len(mail.outbox) == 20
    assert gated_repo.gated_notifications_email == "desk-24@example.com"
    set_to(gated_repo, "desk-25@example.com", by=wes)
    assert len(mail.outbox) == 21


def test_to_and_fro_sends_no_further_mails(desk, ada, set_to):
    for _ in range(5):
        set_to(desk, "", by=ada)
        set_to(desk, DESK, by=ada)
    assert len(mail.outbox) == 1


def test_there_is_nothing_to_send_again_where_nothing_waits(gated_repo, ada, wes, set_to):
    for address in ("", "ada@example.org"):
        set_to(gated_repo, address, by=ada)
        with pytest.raises(BadRequest, match="does not wait"):
            notification_address.send_again(gated_repo, by=Actor(user=ada))
    assert not ConfirmationMail.objects.exists()
