"""Celery beat's schedule: the settings propose it, the admin disposes.

django-celery-beat's own scheduler writes the settings over the rows at every start, and so undoes what an operator has
changed in the admin.  This one writes what is new, and what the settings say differently from when it was written last.
"""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any, Final

from celery.schedules import maybe_schedule
from django.db import transaction
from django_celery_beat.models import PeriodicTask
from django_celery_beat.schedulers import DatabaseScheduler, ModelEntry

_SENTENCE: Final = "From GateHub's settings. What you change here stays, until a new version or setting says otherwise."
_MARK: Final = re.compile(r" ?\[settings ([0-9a-f]{12}) ([0-9a-f]{12})\]")
"""In a task's description: what the settings said last, of when it runs and of what runs, as hashes."""


class Entry(ModelEntry):  # type: ignore[misc]  # django-celery-beat has no types.
    @classmethod
    def from_entry(cls, name: str, app: Any = None, **entry: Any) -> Entry:
        """The row of a task in the settings, written as far as it is news.  Whether it is enabled is never touched.

        A row without a mark is an operator's, or of a time before marks: it gets one, and stays as it is.
        """
        said = (_hash_of_schedule(entry["schedule"]), _hash({**entry, "schedule": None}))
        with transaction.atomic():
            row = PeriodicTask.objects.select_for_update().filter(name=name).first()
            if row is None:
                new = cls._unpack_fields(**entry) | {"description": _marked(_SENTENCE, said)}
                return cls(PeriodicTask.objects.create(name=name, **new), app=app)
            known = _mark_in(row.description)
            if known != said:
                for field, value in cls._news(entry, known or said, said).items():
                    setattr(row, field, value)
                row.description = _marked(row.description, said)
                row.save()
        return cls(row, app=app)

    @classmethod
    def _news(cls, entry: dict[str, Any], known: tuple[str, str], said: tuple[str, str]) -> dict[str, Any]:
        """The columns that the settings now say differently: those of when it runs, those of what runs."""
        times = {column for _, _, column in cls.model_schedules}
        fields = cls._unpack_fields(**entry) if known != said else {}
        return {
            column: value
            for column, value in fields.items()
            if (known[0] != said[0] if column in times else known[1] != said[1])
        }


class Scheduler(DatabaseScheduler):  # type: ignore[misc]
    """For `celery beat -S gatehub.schedules:Scheduler`."""

    Entry = Entry


def _hash_of_schedule(schedule: Any) -> str:
    """Of the row that it would be: a time of day with its time zone, an interval with its unit."""
    schedule = maybe_schedule(schedule)
    model = next(model for kind, model, _ in Entry.model_schedules if isinstance(schedule, kind))
    row = model.from_schedule(schedule)
    fields = [field for field in row._meta.concrete_fields if not field.primary_key]
    # As the database would give it back: 300 for 300.0.
    return _hash(
        {"kind": model.__name__} | {field.name: str(field.to_python(getattr(row, field.name))) for field in fields}
    )


def _hash(said: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(said, sort_keys=True, default=str).encode()).hexdigest()[:12]


def _mark_in(description: str) -> tuple[str, str] | None:
    found = _MARK.search(description)
    return (found[1], found[2]) if found else None


def _marked(description: str, said: tuple[str, str]) -> str:
    """The description with its mark at the end; an operator's own words stay."""
    return f"{_MARK.sub('', description)} [settings {said[0]} {said[1]}]".strip()
