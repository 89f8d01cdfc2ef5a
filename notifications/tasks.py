"""Celery tasks: nudges and nets.  Each may run at any time, in several workers at once, and again."""

from __future__ import annotations

from celery import shared_task

from notifications import delivery, dispatch, retention, schedule


@shared_task
def deliver() -> int:
    """Send what is due.  A crash loses nothing: what it had in hand is due again when its lease is over."""
    try:
        dispatch.new_requests()
    finally:  # Whatever is wrong with some requests, the other mails go out.
        sent = delivery.deliver()
    return sent


@shared_task
def send_digests() -> int:
    """Make the digests and send them, and whatever else is due."""
    try:
        dispatch.digests()
    finally:
        sent = deliver()
    return sent


@shared_task
def sweep() -> int:
    """The net below the nudges: send what nobody was told of, and the digests if their hour passed without them."""
    return send_digests() if schedule.is_digest_overdue() else deliver()


@shared_task
def forget_old_mails() -> int:
    """Remove what became of mails long ago.  Returns how many messages went."""
    return retention.forget()
