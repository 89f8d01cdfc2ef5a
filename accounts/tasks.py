"""Celery tasks.  Each may run at any time, and again."""

from __future__ import annotations

from celery import shared_task

from accounts import retention


@shared_task
def forget_addresses() -> int:
    """Delete IP addresses of the audit trail that are older than they may be.  A crash leaves the rest to the next."""
    return retention.forget_addresses()
