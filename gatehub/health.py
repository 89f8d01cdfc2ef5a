"""Whether the process lives, and whether what it needs answers."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable

from django.conf import settings
from django.db import connection
from django.http import HttpRequest, JsonResponse

from gatehub.celery import app


def healthz(request: HttpRequest) -> JsonResponse:
    """200 as long as the process answers."""
    return JsonResponse({"status": "ok"})


def readyz(request: HttpRequest) -> JsonResponse:
    """200 when database, broker and store answer, 503 otherwise, each named."""
    checks: dict[str, Callable[[], None]] = {"database": _database, "broker": _broker, "store": _store}
    parts = {name: _outcome(check) for name, check in checks.items()}
    ready = all(outcome == "ok" for outcome in parts.values())
    return JsonResponse({"status": "ok" if ready else "not ready", **parts}, status=200 if ready else 503)


def _outcome(check: Callable[[], None]) -> str:
    try:
        check()
    except Exception as error:  # noqa: BLE001 - whatever is wrong with a part, the others are still told.
        return type(error).__name__
    return "ok"


def _database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def _broker() -> None:
    with app.connection_for_write() as broker:
        broker.ensure_connection(max_retries=1, timeout=2)


def _store() -> None:
    settings.GATEHUB_TMP_DIR.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=settings.GATEHUB_TMP_DIR) as probe:
        os.fsync(probe.fileno())
