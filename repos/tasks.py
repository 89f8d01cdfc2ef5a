"""Celery tasks: what keeps the store tidy after crashes.  Each may run at any time, and again."""

from __future__ import annotations

import logging
import shutil
from datetime import timedelta
from pathlib import Path
from time import time

from celery import shared_task
from django.conf import settings

from repos import content, multipart, objects
from repos.models import Repo
from repos.xet import upload

log = logging.getLogger("gatehub.repos")


@shared_task
def sweep_leftovers() -> int:
    """Remove what broken uploads left behind, and the storage of deleted repos.  A crash leaves it to the next run."""
    age = timedelta(hours=settings.UPLOAD_LEFTOVERS_HOURS)
    removed = objects.sweep(age) + multipart.sweep(age) + upload.sweep(age)
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
def tidy_repositories() -> None:
    """Drop uploads that never became a commit, and let git pack what has become many files.  Each repo on its own."""
    age = timedelta(hours=settings.UPLOAD_LEFTOVERS_HOURS)
    for repo in Repo.objects.select_related("namespace").iterator():
        try:
            git = content.open_git(repo)
            git.sweep(older_than=age.total_seconds())
            git.collect_garbage()
        except Exception:  # As below.
            log.exception("Cannot tidy %s", repo)


@shared_task
def sync_heads() -> int:
    """Catch up with branches that moved without their transaction: a crash in between."""
    return sum(_catch_up(repo) for repo in Repo.objects.select_related("namespace").iterator())


def _catch_up(repo: Repo) -> bool:
    try:
        if content.open_git(repo).head(content.MAIN) == repo.head_sha:
            return False
        return content.sync_if_behind(repo)
    except Exception:  # One broken repository must not keep the others behind; the log names it.
        log.exception("Cannot catch up with %s", repo)
        return False
