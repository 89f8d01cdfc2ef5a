"""How long it is kept what became of mails: GATEHUB_MAIL_LOG_DAYS."""

from __future__ import annotations

import time
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.db.models import Exists, OuterRef
from django.utils import timezone

from notifications.models import Delivery, DigestRun, Kind, OutboxMessage

SECRETS_KEPT = timedelta(days=7)
"""What was sealed and never sent: its links have expired by then."""
STEP = 1000


def forget() -> int:
    """Remove messages with their deliveries, and `.eml` files, of longer ago.  What still waits, stays."""
    now = timezone.now()
    kept = timedelta(days=settings.MAIL_LOG_DAYS)
    OutboxMessage.objects.filter(kind=Kind.ACCOUNT, created_at__lt=now - SECRETS_KEPT).exclude(sealed="").update(
        sealed=""
    )
    DigestRun.objects.filter(at__lt=now - kept).exclude(pk=DigestRun.objects.order_by("-at").values("pk")[:1]).delete()
    _forget_files(kept)
    open_ = Delivery.objects.waiting().filter(message=OuterRef("pk"))
    old = OutboxMessage.objects.filter(~Exists(open_), created_at__lt=now - kept).exclude(
        state=OutboxMessage.State.WAITING
    )
    removed = 0
    while keys := list(old.order_by("created_at").values_list("pk", flat=True)[:STEP]):
        OutboxMessage.objects.filter(pk__in=keys).delete()
        removed += len(keys)
    return removed


def _forget_files(kept: timedelta) -> None:
    folder = Path(settings.EMAIL_FILE_PATH)
    for file in folder.glob("*.eml"):
        if file.stat().st_mtime < time.time() - kept.total_seconds():
            file.unlink(missing_ok=True)
