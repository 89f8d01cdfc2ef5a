"""The product's settings with a schedule that a test chooses: for beat processes that start with another one.

TEST_SWEEP_SECONDS is how often a sweep runs, TEST_DIGEST_HOUR when a task of every day does, TEST_EXPIRES an option.
"""

from __future__ import annotations

import os

from celery.schedules import crontab

from gatehub.settings import *  # noqa: F403

CELERY_BEAT_SCHEDULE = {
    "sweep": {
        "task": "repos.tasks.sweep_leftovers",
        "schedule": float(os.environ.get("TEST_SWEEP_SECONDS", "300")),
        "options": {"expire_seconds": int(os.environ.get("TEST_EXPIRES", "60"))},
    },
    "digest": {
        "task": "repos.tasks.tidy_repositories",
        "schedule": crontab(hour=os.environ.get("TEST_DIGEST_HOUR", "8"), minute=0),
    },
}
