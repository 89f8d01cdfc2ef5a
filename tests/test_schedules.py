"""What runs when: the settings propose it, and what an operator changed in the admin stays.  Real beat processes."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.support.server import Server, StartServer

SEEN = """
import json
from django_celery_beat.models import PeriodicTask
rows = PeriodicTask.objects.filter(name__in=["sweep", "digest"]).select_related("interval", "crontab")
print(json.dumps({row.name: {
    "seconds": row.interval.every if row.interval else None,
    "hour": f"{row.crontab.hour} {row.crontab.timezone}" if row.crontab else None,
    "enabled": row.enabled, "expires": row.expire_seconds, "description": row.description, "runs": row.total_run_count,
} for row in rows}))
"""
CHANGED = """
from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask
every = IntervalSchedule.objects.create(every=7, period="seconds")
noon = CrontabSchedule.objects.create(hour="12", minute="30", timezone="Europe/Paris")
sweep = PeriodicTask.objects.get(name="sweep")
sweep.interval, sweep.description = every, f"Mine. {sweep.description}"
sweep.save()
PeriodicTask.objects.filter(name="digest").update(crontab=noon, enabled=False)
"""

# A task that is due runs once beat has read the schedule, which it does after it has written it.
DUE = """
from datetime import timedelta
from django.utils import timezone
from django_celery_beat.models import PeriodicTask
PeriodicTask.objects.filter(name="sweep").update(last_run_at=timezone.now() - timedelta(days=1), total_run_count=0)
"""


def shell(server: Server, script: str) -> str:
    return server.manage("shell", "-v0", "-c", script)


def rows(server: Server) -> dict[str, dict[str, Any]]:
    seen: dict[str, dict[str, Any]] = json.loads(shell(server, SEEN))
    return seen


@pytest.fixture
def beat(start_server: StartServer) -> Server:
    server = start_server(processes=("beat",), env={"DJANGO_SETTINGS_MODULE": "tests.support.schedules"})
    run_until(server, lambda seen: len(seen) == 2)
    return server


def run_until(server: Server, reached: Callable[[dict[str, dict[str, Any]]], bool]) -> dict[str, dict[str, Any]]:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        seen = rows(server)
        if reached(seen):
            return seen
        time.sleep(0.2)
    raise AssertionError(f"{seen}\n{server.log('beat')}")


def start_again(server: Server, **variables: str) -> dict[str, dict[str, Any]]:
    """Start beat anew with other settings, wait until it has read them, and give the rows."""
    server.stop()
    server.processes["beat"].env.update(variables)
    shell(server, DUE)
    server.start()
    return run_until(server, lambda seen: seen["sweep"]["runs"] > 0)


def test_the_settings_are_written_once_and_the_tasks_run(beat):
    seen = start_again(beat)
    assert (seen["sweep"]["seconds"], seen["sweep"]["expires"]) == (300, 60)
    assert seen["digest"]["hour"] == "8 UTC"
    assert seen["sweep"]["description"].startswith("From GateHub's settings. What you change here stays")


def test_what_an_operator_changed_is_there_after_a_restart(beat):
    shell(beat, CHANGED)
    seen = start_again(beat)
    assert seen["sweep"]["seconds"] == 7
    assert seen["sweep"]["description"].startswith("Mine. From GateHub's settings.")
    assert (seen["digest"]["hour"], seen["digest"]["enabled"]) == ("12 Europe/Paris", False)


def test_a_setting_that_changed_is_taken_and_what_was_switched_off_stays_off(beat):
    shell(beat, CHANGED)
    seen = start_again(beat, TEST_SWEEP_SECONDS="120", TEST_DIGEST_HOUR="9")
    assert seen["sweep"]["seconds"] == 120
    assert seen["sweep"]["description"].startswith("Mine. ")
    assert (seen["digest"]["hour"], seen["digest"]["enabled"]) == ("9 UTC", False)


def test_another_option_does_not_undo_the_operator_s_times(beat):
    shell(beat, CHANGED)
    seen = start_again(beat, TEST_EXPIRES="30")
    assert (seen["sweep"]["seconds"], seen["sweep"]["expires"]) == (7, 30)


def test_another_time_zone_is_another_time_of_day(beat):
    assert start_again(beat, GATEHUB_TIME_ZONE="Asia/Tokyo")["digest"]["hour"] == "8 Asia/Tokyo"


def test_a_row_of_a_time_before_marks_stays_as_it_is(beat):
    beat.stop()
    shell(beat, CHANGED + 'PeriodicTask.objects.update(description="")')
    seen = start_again(beat)
    assert (seen["sweep"]["seconds"], seen["digest"]["hour"]) == (7, "12 Europe/Paris")
    seen = start_again(beat, TEST_SWEEP_SECONDS="120")
    assert (seen["sweep"]["seconds"], seen["digest"]["hour"]) == (120, "12 Europe/Paris")
