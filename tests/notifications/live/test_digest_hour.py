"""The hour of the digests: beat sends the task when the schedule says so, and a task that is lost loses nothing.

With the Procfile's web, worker and beat.  The schedule is changed as the admin changes it.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from tests.notifications.live.stage import POSTGRESQL, SQLITE, Stage, close, make_stage, told, wait_until

CHANGE_SCHEDULE = """
from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask
task = PeriodicTask.objects.get(task="notifications.tasks.send_digests")
task.crontab, task.interval = {crontab}, {interval}
task.save()
"""
YESTERDAY = """
from datetime import timedelta
from django.db.models import F
from notifications.models import DigestRun
from django.utils import timezone
from django_celery_beat.models import PeriodicTask
DigestRun.objects.update(at=F("at") - timedelta(days=1))  # The last digests were those of the day before.
for task in PeriodicTask.objects.filter(task="notifications.tasks.send_digests"):
    task.last_run_at = timezone.now()  # Beat knows of no task that it has to send.
    task.save()
"""


@pytest.fixture(params=[SQLITE, pytest.param(POSTGRESQL, marks=pytest.mark.postgresql)])
def stage(request: pytest.FixtureRequest, tmp_path) -> Iterator[Stage]:
    made = make_stage(request, tmp_path / "stage", request.param)
    made.server.start()
    scheduled = "SELECT count(*) FROM django_celery_beat_periodictask WHERE task = 'notifications.tasks.send_digests'"
    wait_until(lambda: made.number(scheduled) == 1, "beat's schedule")
    yield made
    close(made)


def change_schedule(stage: Stage, *, crontab: str = "None", interval: str = "None") -> None:
    stage.run(CHANGE_SCHEDULE.format(crontab=crontab, interval=interval))


def test_digests_go_out_when_the_schedule_says_so_and_after_a_lost_task_by_the_sweep(stage: Stage):
    owner, sam, noor = stage.people(3)
    repo = stage.repo(owner, "bulk")
    stage.ask(repo, sam)

    # An operator moves the hour to the next full minute that is far enough for a busy machine.
    at = (datetime.now(UTC) + timedelta(seconds=80)).replace(second=0, microsecond=0)
    crontab = f"minute='{at.minute}', hour='{at.hour}', timezone='UTC'"
    change_schedule(stage, crontab=f"CrontabSchedule.objects.get_or_create({crontab})[0]")
    assert stage.about(repo) == []
    [mail] = stage.wait_for(repo, seconds=120)
    assert datetime.now(UTC) >= at
    assert (mail.to, mail.kind) == ([owner.email], "digest")

    # The worker is gone when beat sends the next task, and the broker loses it.
    stage.ask(repo, noor)
    stage.server.processes["worker"].kill()
    stage.lose_tasks()
    change_schedule(stage, interval="IntervalSchedule.objects.get_or_create(every=1, period='seconds')[0]")
    wait_until(lambda: stage.is_task_waiting("send_digests"), "beat's task", seconds=60)
    stage.server.processes["beat"].kill()
    stage.lose_tasks()
    change_schedule(stage, crontab=f"CrontabSchedule.objects.get_or_create({crontab})[0]")
    stage.run(YESTERDAY)
    assert len(stage.about(repo)) == 1
    for name in ("worker", "beat"):
        stage.server.processes[name].start(lambda: True)
    stage.wait_for(repo, 2, seconds=60)  # By beat's sweep, since the hour has passed without digests.
    stage.settle()
    assert told(stage.about(repo)) == [(owner.email, "digest")] * 2
    assert [name in stage.about(repo)[1].text for name in (sam.name, noor.name)] == [False, True]
