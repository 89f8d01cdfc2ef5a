"""Celery tasks: what keeps the store tidy after crashes.  Each may run at any time, and again."""

from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path
from time import time

from celery import shared_task
from django.conf import settings

from repos import content, multipart, objects, xet
from repos.models import Repo


@shared_task
def sweep_leftovers() -> int:
    """Remove what broken uploads left behind, and the storage of deleted repos.  A crash leaves it to the next run."""
    age = timedelta(hours=settings.UPLOAD_LEFTOVERS_HOURS)
    removed = objects.sweep(age) + multipart.sweep(age) + xet.sweep(age)
    return removed + _sweep_orphaned_git(age)


def _sweep_orphaned_git(age: timedelta) -> int:
    """Git folders without a repo: a creation that was rolled back, or a deletion that crashed after its commit."""
    removed = 0
    root = Path(settings.GATEHUB_GIT_DIR)
    for folder in root.glob("??/*.git"):
        storage_id = folder.name.removesuffix(".git")
        too_young = time() - folder.stat().st_mtime < age.total_seconds()
        if too_young or Repo.objects.filter(storage_id=storage_id).exists():
            continue
        shutil.rmtree(folder, ignore_errors=True)
        objects.delete_all(storage_id)
        removed += 1
    return removed


@shared_task
def sync_heads() -> int:
    """Catch up with branches that moved without their transaction: a crash in between."""
    return sum(
        content.sync_if_behind(repo) for repo in Repo.objects.select_related("namespace").iterator() if _is_behind(repo)
    )


def _is_behind(repo: Repo) -> bool:
    return content.open_git(repo).head(content.MAIN) != repo.head_sha
