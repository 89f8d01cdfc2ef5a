"""The composition root: settings, URLs, Celery app, error handling; and all HTTP, in `hub` and `web`."""

from gatehub.celery import app as celery_app

__all__ = ["celery_app"]
