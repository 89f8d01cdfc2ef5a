"""How long it is kept what became of mails.  sam was accepted for lab/toxic-bert long ago."""

import os
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from access import services
from accounts.actor import Actor
from notifications import outbox, retention
from notifications.models import Delivery, DigestRun, OutboxMessage


@pytest.fixture(autouse=True)
def ninety_days(settings):
    settings.MAIL_LOG_DAYS = 90


@pytest.fixture
def told(gated_repo, send_request, ada, sam, deliver_mails):
    services.review(access_request=send_request(gated_repo, sam), status="accepted", by=Actor(user=ada))
    deliver_mails()


def age(days):
    OutboxMessage.objects.update(created_at=timezone.now() - timedelta(days=days))


def test_what_was_sent_goes_after_its_time_with_its_deliveries(told):
    age(91)
    assert retention.forget() == 1
    assert not Delivery.objects.exists()
    assert OutboxMessage.objects.get().kind == "new-request", "which waits"


def test_before_it_stays(told):
    age(89)
    assert retention.forget() == 0
    assert Delivery.objects.exists()


def test_what_still_waits_stays(told):
    age(91)
    Delivery.objects.update(state="waiting", sent_at=None)
    assert retention.forget() == 0


def test_many_go_in_steps(told, monkeypatch):
    monkeypatch.setattr(retention, "STEP", 2)
    message = OutboxMessage.objects.get(kind="accepted")
    OutboxMessage.objects.bulk_create(
        OutboxMessage(kind="accepted", state="dispatched", repo=message.repo) for _ in range(4)
    )
    age(91)
    assert retention.forget() == 5


def test_secrets_that_were_never_sent_go_after_a_week(sam):
    outbox.tell_account(address="sam@example.org", user=sam, subject="Reset", text="/reset/SECRET")
    age(6)
    retention.forget()
    assert OutboxMessage.objects.get().sealed
    age(8)
    retention.forget()
    assert OutboxMessage.objects.get().sealed == ""


def test_files_of_mails_go_too_and_nothing_else(settings, db):
    folder = Path(settings.EMAIL_FILE_PATH)
    folder.mkdir()
    long_ago = timezone.now().timestamp() - 91 * 24 * 3600
    for name in ("old.eml", "new.eml", "old.txt"):
        (folder / name).touch()
        if name.startswith("old"):
            os.utime(folder / name, (long_ago, long_ago))
    retention.forget()
    assert sorted(file.name for file in folder.iterdir()) == ["new.eml", "old.txt"]


def test_the_last_run_of_the_digests_is_remembered_for_ever(db):
    now = timezone.now()
    for days in (300, 200, 100):
        DigestRun.objects.create(at=now - timedelta(days=days), mails=1)
    retention.forget()
    assert DigestRun.objects.get().at == now - timedelta(days=100)
