"""Times of rows, against what Django's own filters say of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

import pytest
from django.contrib.humanize.templatetags.humanize import naturaltime
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from access.moments import NEVER, Clock

ZONES = [ZoneInfo(name) for name in ("UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe")]
TIMES = st.datetimes(datetime(2019, 1, 1), datetime(2029, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001


@contextmanager
def now_is(moment: datetime) -> Iterator[None]:
    class Fixed(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:
            return moment.astimezone(tz)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(timezone, "now", lambda: moment)
        patched.setattr("django.contrib.humanize.templatetags.humanize.datetime", Fixed)
        yield


@given(now=TIMES, ago=st.timedeltas(timedelta(days=-40), timedelta(days=2000)), zone=st.sampled_from(ZONES))
def test_how_long_ago_is_what_django_says(now, ago, zone):
    at = now - ago
    if at.replace(microsecond=0).time() == now.replace(microsecond=0).time():
        at += timedelta(seconds=2)  # Within a second of the day, Django counts months by another time than weeks.
    with timezone.override(zone), now_is(now):
        assert Clock().moment(at).ago == naturaltime(timezone.localtime(at))


@pytest.mark.parametrize("seconds", [-1, 0, 1])
@pytest.mark.parametrize("days", [6, 7, 8, 27, 28, 31, 59, 60, 365, 366, 400])
def test_how_long_ago_changes_when_django_says_so(days, seconds):
    now = datetime(2026, 3, 31, 12, 30, tzinfo=UTC)
    at = now - timedelta(days=days, seconds=seconds)
    with now_is(now):
        assert Clock().moment(at).ago == naturaltime(timezone.localtime(at))


def test_a_time_is_shown_in_the_time_zone_of_whoever_asks():
    at = datetime(2026, 2, 3, 23, 30, 7, tzinfo=UTC)
    with timezone.override(ZoneInfo("Europe/Berlin")):
        moment = Clock().moment(at)
    assert moment.iso == "2026-02-04T00:30:07+01:00"
    assert moment.full == "4 February 2026, 00:30:07 CET"
    assert moment.day == "4 Feb 2026"


def test_what_never_happened_has_no_words():
    assert Clock().moment(None) == NEVER
    assert not any(NEVER)
