"""Counting downloads without slowing them down."""

from __future__ import annotations

import logging
from collections import Counter
from threading import Lock
from time import monotonic

from django.db import DatabaseError
from django.db.models import F

from repos.models import Repo

log = logging.getLogger("gatehub.downloads")

WRITE_SECONDS = 2.0


class Tally:
    """The downloads that this process has seen and not written yet.

    A row per repo is written at most every WRITE_SECONDS: each file of a snapshot is a download, and a write for each
    would wait for whoever holds the row, a commit for instance.  The last few wait for the next download; those of a
    process that is killed are not counted, which a popularity figure can bear.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._counts: Counter[int] = Counter()
        self._next_write = 0.0

    def add(self, repo: int) -> None:
        """Count one download of the repo with this key.  Never fails: what cannot be written now is kept for later."""
        if self.count(repo):
            self.write()

    def count(self, repo: int) -> bool:
        """Count one download, and write nothing.  Gives whether it is time to."""
        with self._lock:
            self._counts[repo] += 1
            now = monotonic()
            if now < self._next_write:
                return False
            self._next_write = now + WRITE_SECONDS
            return True

    def write(self) -> None:
        """Never fails, as `add`."""
        with self._lock:
            counts, self._counts = self._counts, Counter()
        for key, count in list(counts.items()):
            try:
                Repo.objects.filter(pk=key).update(downloads=F("downloads") + count)
            except DatabaseError as error:
                log.warning("Downloads are not counted for the moment: %s", error)
                with self._lock:
                    self._counts.update(counts)
                return
            del counts[key]


tally = Tally()
