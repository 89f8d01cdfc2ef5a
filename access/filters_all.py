"""Which requests staff look at, over all repos: what is shown, exported and decided is chosen by one and the same."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet

from access import search
from access.models import AccessRequest

Status = AccessRequest.Status
DECIDED = "decided"
"""Accepted or rejected."""
STATUSES: dict[str, tuple[str, ...]] = {
    "": (Status.PENDING, Status.ACCEPTED, Status.REJECTED),
    DECIDED: (Status.ACCEPTED, Status.REJECTED),
    **{status.value: (status.value,) for status in Status},
}


@dataclass(frozen=True, slots=True)
class StaffFilter:
    """What the list of all requests is narrowed to.  None and "" leave open; keys name repos, forms and people."""

    repos: tuple[int, ...] | None = None
    namespace: int | None = None
    status: str = ""  # Of STATUSES.
    search: str = ""
    country: str = ""
    forms: tuple[int, ...] | None = None
    granted: bool | None = None  # Whether access was given unasked.
    reviewer: int | None = None
    person: int | None = None
    asked_after: datetime | None = None
    asked_before: datetime | None = None

    def requests(self) -> QuerySet[AccessRequest]:
        """Those of all repos that it matches, in no order."""
        statuses = Q() if not self.status else Q(status__in=STATUSES[self.status])
        return AccessRequest.objects.filter(statuses, self.places(), self.contents(), self.times()).order_by()

    def places(self) -> Q:
        """Of which repo, form and people, and from which country; empty for any."""
        asked = {
            "repo__in": self.repos,
            "repo__namespace": self.namespace,
            "form__in": self.forms,
            "reviewed_by": self.reviewer,
            "user": self.person,
            "country": self.country or None,
            "granted": self.granted,
        }
        return Q(**{name: value for name, value in asked.items() if value is not None})

    def contents(self) -> Q:
        """What it asks of names, addresses and answers; empty for nothing."""
        return search.matching(self.search)

    def times(self) -> Q:
        """When they were sent; empty for any time."""
        after = Q() if self.asked_after is None else Q(requested_at__gte=self.asked_after)
        return after if self.asked_before is None else after & Q(requested_at__lte=self.asked_before)

    def until(self, moment: datetime) -> StaffFilter:
        """The same, without requests that were sent later."""
        return replace(self, asked_before=moment if self.asked_before is None else min(moment, self.asked_before))

    def to_json(self) -> dict[str, Any]:
        moments = {"asked_after": self.asked_after, "asked_before": self.asked_before}
        said = {name: None if moment is None else moment.isoformat() for name, moment in moments.items()}
        return {**asdict(self), **said}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> StaffFilter:
        """What `to_json` gave.  Raises for anything else: nothing may be decided by a filter that nobody understood."""
        if set(data) != set(cls.__dataclass_fields__):
            raise ValueError(f"not a filter of staff: {sorted(data)}")
        if data["status"] not in STATUSES or data["granted"] not in (None, True, False):
            raise ValueError(f"not a filter of staff: {data}")
        moments = {name: data[name] for name in ("asked_after", "asked_before")}
        return cls(
            repos=_keys(data["repos"]),
            namespace=_key(data["namespace"]),
            status=data["status"],
            search=str(data["search"]),
            country=str(data["country"]),
            forms=_keys(data["forms"]),
            granted=data["granted"],
            reviewer=_key(data["reviewer"]),
            person=_key(data["person"]),
            **{name: None if said is None else datetime.fromisoformat(said) for name, said in moments.items()},
        )


def _key(said: Any) -> int | None:
    return None if said is None else int(said)


def _keys(said: Any) -> tuple[int, ...] | None:
    return None if said is None else tuple(int(key) for key in said)
