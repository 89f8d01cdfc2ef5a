"""How long the audit trail remembers IP addresses: GATEHUB_AUDIT_ADDRESS_DAYS."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts.actor import SYSTEM
from accounts.models import AuditAddress, AuditEvent

STEP: Final = 10_000


def forget_addresses() -> int:
    """Delete addresses of longer ago; with 0 days, none.  Returns how many went.  The events stay as they are.

    Each step is a transaction with a row in the trail, so that a crash loses neither.
    """
    if settings.AUDIT_ADDRESS_DAYS == 0:
        return 0
    limit = timezone.now() - timedelta(days=settings.AUDIT_ADDRESS_DAYS)
    old = AuditAddress.objects.older_than(limit).order_by("at").values("pk")[:STEP]
    removed = 0
    while True:
        with transaction.atomic():
            gone, _ = AuditAddress.objects.filter(pk__in=list(old.values_list("pk", flat=True))).delete()
            if not gone:
                return removed
            after = {"forgotten": gone, "older_than_days": settings.AUDIT_ADDRESS_DAYS}
            AuditEvent.record(by=SYSTEM, verb="audit:addresses_forgotten", target="addresses in the trail", after=after)
        removed += gone
