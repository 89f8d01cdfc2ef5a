"""The Celery app.  Tasks are nudges: what must not be lost is in the database."""

from __future__ import annotations

import os
import warnings

from celery import Celery
from kombu.transport import TRANSPORT_ALIASES

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gatehub.settings")
# Celery warns root because pickled messages run code; this app takes JSON only, which is Celery's default.
warnings.filterwarnings("ignore", message=".*running the worker with superuser privileges")

TRANSPORT_ALIASES |= {
    "redis": "gatehub.broker:Transport",
    "rediss": "gatehub.broker:Transport",
    "filesystem": "gatehub.broker:FileTransport",
}

app = Celery("gatehub")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
