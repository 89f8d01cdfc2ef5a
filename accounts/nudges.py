"""Telling a Celery worker that there is something to do.  A nudge may be lost: what must be done is in the database."""

from __future__ import annotations

import logging
from functools import partial
from typing import Any

from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

log = logging.getLogger("gatehub.nudges")


def nudge(task: str, *args: Any) -> None:
    """Ask a worker to run the task of that name soon.  A broker that is down costs only time: a sweep finds all."""
    try:
        current_app.send_task(task, args, retry=False)
    except (OperationalError, OSError) as error:
        log.warning("No worker could be told to run %s%s: %s", task, args, error)


def nudge_when_certain(task: str, *args: Any) -> None:
    """The same once the transaction is committed, if it is."""
    transaction.on_commit(partial(nudge, task, *args), robust=True)
