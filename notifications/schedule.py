"""When the digests go out: as the schedule in the admin says, and by no memory of the broker's."""

from __future__ import annotations

from django.utils import timezone
from django_celery_beat.models import PeriodicTask

from notifications.models import DigestRun, Kind, OutboxMessage

TASK = "notifications.tasks.send_digests"


def is_digest_overdue() -> bool:
    """Whether a time of the schedule has passed since the last run to the end, and requests wait: the task that beat
    sent was lost, or its worker was killed.  Never while the schedule is switched off."""
    waiting = OutboxMessage.objects.filter(
        state=OutboxMessage.State.WAITING, in_digest=True, kind=Kind.NEW_REQUEST
    ).order_by("created_at")
    oldest = waiting.values_list("created_at", flat=True).first()
    if oldest is None:
        return False
    last_run = DigestRun.objects.order_by("-at").values_list("at", flat=True).first()
    since = timezone.localtime(last_run or oldest)
    tasks = PeriodicTask.objects.filter(task=TASK, enabled=True)
    return any(task.schedule.is_due(since)[0] for task in tasks)
