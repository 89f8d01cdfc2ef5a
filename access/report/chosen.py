"""Which requests of a repo a report is asked for: by status, and by when they were sent."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any

from django.db.models import QuerySet

from access.models import AccessRequest
from accounts.errors import InvalidFields
from repos.models import Repo

_DAY = "2026-01-31"
_STATUSES = AccessRequest.Status.values
_LABELS = {"status": "Status", "from": "Asked from", "to": "Asked up to"}
"""What the form on the settings page calls the parameters."""
_ZONE_AFTER_SPACE = re.compile(r"(T.+) (\d\d:?\d\d)$", re.ASCII)


@dataclass(frozen=True, slots=True)
class ReportFilter:
    """No status means all of them; `since` and `until` are the first and the last moment."""

    statuses: tuple[str, ...] = ()
    since: datetime | None = None
    until: datetime | None = None

    @classmethod
    def read(cls, *, statuses: Iterable[str] = (), since: str = "", until: str = "") -> ReportFilter:
        """From what an address says: statuses, also several with commas; dates, which are days in UTC, or times.

        What is empty was not asked for.  Raises InvalidFields, naming `status`, `from` or `to`.
        """
        said = {word.strip() for text in statuses for word in text.split(",")} - {""}
        problems: dict[str, str] = {}
        if unknown := sorted(said.difference(_STATUSES)):
            problems["status"] = f"must be one or more of {', '.join(_STATUSES)}, not {unknown[0][:40]!r}"
        moments: dict[str, datetime | None] = {}
        for name, text, of_day in (("from", since, time.min), ("to", until, time.max)):
            try:
                moments[name] = _moment(text.strip(), of_day)
            except (ValueError, OverflowError):
                problems[name] = f"must be a date such as {_DAY} or a time such as {_DAY}T10:20:30Z, not {text[:40]!r}"
        if not problems and moments["from"] and moments["to"] and moments["from"] > moments["to"]:
            problems["from"] = "must not be after `to`"
        if problems:
            raise InvalidFields(problems, user_message=_for_people(problems))
        return cls(tuple(status for status in _STATUSES if status in said), moments["from"], moments["to"])

    def requests(self, repo: Repo) -> QuerySet[AccessRequest]:
        """Those of the repo, in no order."""
        found = AccessRequest.objects.filter(repo=repo)
        if self.statuses:
            found = found.filter(status__in=self.statuses)
        if self.since is not None:
            found = found.filter(requested_at__gte=self.since)
        if self.until is not None:
            found = found.filter(requested_at__lte=self.until)
        return found

    def to_json(self) -> dict[str, Any]:
        """What was chosen, for the audit trail; empty for all."""
        told: dict[str, Any] = {"status": list(self.statuses)} if self.statuses else {}
        for name, moment in (("from", self.since), ("to", self.until)):
            if moment is not None:
                told[name] = moment.isoformat()
        return told


def _for_people(problems: Mapping[str, str]) -> str:
    """The problems, by the labels of the form on the settings page."""
    to = f"“{_LABELS['to']}”"
    told = " ".join(f"“{_LABELS[name]}” {problem.replace('`to`', to)}." for name, problem in problems.items())
    return f"{told} No report was made: go back and correct it."


def _moment(text: str, of_day: time) -> datetime | None:
    """In UTC, which is meant where no zone is said."""
    if not text:
        return None
    try:
        return datetime.combine(date.fromisoformat(text), of_day, UTC)
    except ValueError:
        # In an address, + is a space unless it is written as %2B.
        moment = datetime.fromisoformat(_ZONE_AFTER_SPACE.sub(r"\1+\2", text))
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
