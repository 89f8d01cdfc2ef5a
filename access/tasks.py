"""Celery tasks: what takes longer than a page may.  Each may run at any time, and again."""

from __future__ import annotations

import logging

from celery import shared_task

from access import bulk
from accounts import nudges

log = logging.getLogger("gatehub.access")


@shared_task
def run_bulk_review(key: int) -> None:
    """Carry out a bulk review.  A crash loses no step that was done, and `resume_bulk_reviews` does the others."""
    bulk.run(key)


@shared_task
def resume_bulk_reviews() -> int:
    """Carry out what was left lying: the net below the nudge."""
    keys = bulk.stalled()
    for key in keys:
        try:
            bulk.run(key)
        except Exception:  # One that fails must not keep the others waiting.
            log.exception("Bulk review %s failed", key)
    return len(keys)


def nudge(key: int) -> None:
    """Have a worker carry it out soon; else the sweep finds it."""
    nudges.nudge(run_bulk_review.name, key)
