"""When digests are made although the task that beat sent was lost.  lab/toxic-bert says bulk; sam asks."""

from datetime import timedelta

import pytest
from django.utils import timezone
from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask

from notifications import schedule, tasks
from notifications.models import DigestRun, OutboxMessage


@pytest.fixture
def daily(db):
    """The schedule: once a day, two hours ago."""
    then = timezone.localtime(timezone.now() - timedelta(hours=2))
    crontab = CrontabSchedule.objects.create(minute=str(then.minute), hour=str(then.hour), timezone="UTC")
    return PeriodicTask.objects.create(name="send digests", task=schedule.TASK, crontab=crontab)


def asked(repo, user, send_request, **ago):
    send_request(repo, user)
    OutboxMessage.objects.update(created_at=timezone.now() - timedelta(**ago))


def test_a_request_of_before_the_hour_is_overdue(daily, gated_repo, send_request, sam):
    asked(gated_repo, sam, send_request, hours=3)
    assert schedule.is_digest_overdue()


def test_one_that_came_after_it_waits_for_the_next(daily, gated_repo, send_request, sam):
    asked(gated_repo, sam, send_request, hours=1)
    assert not schedule.is_digest_overdue()


def test_after_a_run_nothing_is_overdue_even_if_something_waits_on(daily, gated_repo, send_request, sam):
    asked(gated_repo, sam, send_request, hours=30)
    DigestRun.objects.create(at=timezone.now() - timedelta(hours=1, minutes=59), mails=0)
    assert not schedule.is_digest_overdue()


def test_a_run_of_the_day_before_does_not_count_for_today(daily, gated_repo, send_request, sam):
    asked(gated_repo, sam, send_request, hours=3)
    DigestRun.objects.create(at=timezone.now() - timedelta(hours=26), mails=3)
    assert schedule.is_digest_overdue()


def test_where_nothing_waits_nothing_is_overdue(daily):
    assert not schedule.is_digest_overdue()


def test_a_schedule_that_is_switched_off_makes_nothing_overdue(daily, gated_repo, send_request, sam):
    asked(gated_repo, sam, send_request, hours=30)
    PeriodicTask.objects.update(enabled=False)
    assert not schedule.is_digest_overdue()


def test_without_a_schedule_nothing_is_overdue(gated_repo, send_request, sam):
    asked(gated_repo, sam, send_request, hours=30)
    assert not schedule.is_digest_overdue()


def test_an_interval_is_as_good_as_an_hour(daily, gated_repo, send_request, sam):
    interval = IntervalSchedule.objects.create(every=2, period=IntervalSchedule.HOURS)
    PeriodicTask.objects.update(crontab=None, interval=interval)
    asked(gated_repo, sam, send_request, hours=1)
    assert not schedule.is_digest_overdue()
    asked(gated_repo, sam, send_request, hours=3)
    assert schedule.is_digest_overdue()


def test_the_sweep_makes_what_is_overdue_and_sends_it(daily, gated_repo, send_request, sam, sent):
    asked(gated_repo, sam, send_request, hours=1)
    tasks.sweep()
    assert sent() == []
    OutboxMessage.objects.update(created_at=timezone.now() - timedelta(hours=3))
    tasks.sweep()
    assert sent() == [("digest", "ada@example.org")]
    tasks.sweep()
    assert sent() == []


def test_the_hour_is_that_of_the_schedule_s_own_time_zone(gated_repo, send_request, sam, monkeypatch):
    crontab = CrontabSchedule.objects.create(minute="0", hour="8", timezone="Asia/Tokyo")
    PeriodicTask.objects.create(name="send digests", task=schedule.TASK, crontab=crontab)
    now = timezone.localtime(timezone.now(), crontab.timezone)
    eight = now.replace(hour=8, minute=0, second=0, microsecond=0)
    eight -= timedelta(days=eight > now)
    send_request(gated_repo, sam)
    OutboxMessage.objects.update(created_at=eight + timedelta(minutes=1))
    assert not schedule.is_digest_overdue()
    OutboxMessage.objects.update(created_at=eight - timedelta(minutes=1))
    assert schedule.is_digest_overdue()
