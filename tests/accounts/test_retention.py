"""Forgetting addresses of the audit trail."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.conf import settings as django_settings
from django.utils import timezone

from accounts import retention, tasks
from accounts.actor import Actor
from accounts.models import AuditAddress, AuditEvent

BY = Actor(address="192.0.2.7")


@pytest.fixture
def aged(db):
    """One event for each age in days, each with an address."""

    def make(*days: float) -> list[AuditEvent]:
        made = [AuditEvent.of(by=BY, verb="thing:do", target=str(age)) for age in days]
        for event, age in zip(made, days, strict=True):
            event.at = timezone.now() - timedelta(days=age)
        return AuditEvent.objects.bulk_create(made)

    return make


def left() -> list[str]:
    return sorted(AuditAddress.objects.values_list("event__target", flat=True))


def test_what_is_older_goes_and_the_events_stay(aged, settings):
    settings.AUDIT_ADDRESS_DAYS = 30
    aged(29.9, 30.1, 400)
    before = list(AuditEvent.objects.order_by("pk").values())
    assert tasks.forget_addresses() == 2
    assert left() == ["29.9"]
    assert list(AuditEvent.objects.order_by("pk").values())[: len(before)] == before
    event = AuditEvent.objects.first()
    assert (event.verb, event.entrance) == ("audit:addresses_forgotten", "system")
    assert event.after == {"forgotten": 2, "older_than_days": 30}


def test_nothing_old_leaves_no_row(aged, settings):
    settings.AUDIT_ADDRESS_DAYS = 30
    aged(1)
    assert retention.forget_addresses() == 0
    assert AuditEvent.objects.count() == 1


def test_zero_days_keep_them_for_ever(aged, settings):
    settings.AUDIT_ADDRESS_DAYS = 0
    aged(40_000)
    assert retention.forget_addresses() == 0
    assert left() == ["40000"]


def test_many_go_in_steps_each_with_its_row(aged, settings, monkeypatch):
    monkeypatch.setattr(retention, "STEP", 2)
    settings.AUDIT_ADDRESS_DAYS = 30
    aged(*range(31, 36))
    assert retention.forget_addresses() == 5
    assert left() == []
    told = AuditEvent.objects.filter(verb="audit:addresses_forgotten").order_by("pk")
    assert [event.after["forgotten"] for event in told] == [2, 2, 1]


def test_a_crash_between_leaves_what_went_written_down(aged, settings, monkeypatch):
    monkeypatch.setattr(retention, "STEP", 1)
    settings.AUDIT_ADDRESS_DAYS = 30
    aged(31, 32)
    record, calls = AuditEvent.record, []

    def fail_at_second(**said):
        calls.append(said)
        if len(calls) == 2:
            raise RuntimeError("killed")
        return record(**said)

    monkeypatch.setattr(AuditEvent, "record", fail_at_second)
    with pytest.raises(RuntimeError):
        retention.forget_addresses()
    assert len(left()) == 1, "the step that was not written down did not happen"
    assert AuditEvent.objects.filter(verb="audit:addresses_forgotten").count() == 1


def test_it_runs_each_day_and_remembers_a_year_unless_told_otherwise():
    entry = django_settings.CELERY_BEAT_SCHEDULE["forget addresses in the audit trail"]
    assert (entry["task"], entry["schedule"]) == (tasks.forget_addresses.name, 24 * 3600.0)
    assert django_settings.AUDIT_ADDRESS_DAYS == 365
