"""The Celery app.  Tasks are nudges: what must not be lost is in the database."""

from __future__ import annotations

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gatehub.settings")

app = Celery("gatehub")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
