"""What a review of several requests of any repos is about: all that a filter matches, or those that were ticked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from access.filters_all import StaffFilter
from access.models import AccessRequest
from accounts.errors import BadRequest


class Choice(Protocol):
    """Requests, each with the status in which the reviewer saw it."""

    def count(self) -> int: ...

    def next(self, after: int, number: int) -> list[tuple[int, str]]:
        """Key and expected status of the first few whose keys are higher, by key."""

    def statuses(self) -> frozenset[str]:
        """In which of them the reviewer saw any."""

    def to_json(self) -> dict[str, Any]: ...


@dataclass(frozen=True, slots=True)
class Matching:
    """All that a filter matches.  It names their status: what a reviewer did not see, is not decided."""

    filter: StaffFilter

    def count(self) -> int:
        return self.filter.requests().count()

    def next(self, after: int, number: int) -> list[tuple[int, str]]:
        requests = self.filter.requests().filter(pk__gt=after).order_by("pk")
        return [(key, self.filter.status) for key in requests.values_list("pk", flat=True)[:number]]

    def statuses(self) -> frozenset[str]:
        return frozenset({self.filter.status})

    def to_json(self) -> dict[str, Any]:
        return {"filter": self.filter.to_json()}


@dataclass(frozen=True, slots=True)
class Ticked:
    """Those with these keys, sorted by key, each with the status that was shown."""

    seen: tuple[tuple[int, str], ...]

    def count(self) -> int:
        return len(self.seen)

    def next(self, after: int, number: int) -> list[tuple[int, str]]:
        return [(key, status) for key, status in self.seen if key > after][:number]

    def statuses(self) -> frozenset[str]:
        return frozenset(status for _, status in self.seen)

    def to_json(self) -> dict[str, Any]:
        return {"seen": [list(pair) for pair in self.seen]}


def matching(chosen: StaffFilter) -> Matching:
    """Raises BadRequest for a filter that leaves the status open."""
    if chosen.status not in AccessRequest.Status.values:
        raise BadRequest(
            "A decision about all requests that match is about those of one status. Nothing was changed.",
            next_step="Choose the status pending, accepted or rejected in the filters, and apply them.",
        )
    return Matching(chosen)


def ticked(seen: Sequence[tuple[int, str]]) -> Ticked:
    """Raises BadRequest for none, or for a status that does not exist."""
    if not seen:
        raise BadRequest("Nobody is selected.", next_step="Tick those whom you want to decide about, or choose all.")
    if not {status for _, status in seen} <= set(AccessRequest.Status.values):
        raise BadRequest("The form is not complete.", next_step="Load the page again and repeat what you did.")
    return Ticked(tuple(sorted(dict(seen).items())))


def from_json(data: dict[str, Any]) -> Choice:
    """What `to_json` gave.  Raises for anything else."""
    if set(data) == {"filter"}:
        return matching(StaffFilter.from_json(data["filter"]))
    if set(data) == {"seen"}:
        return ticked([(int(key), str(status)) for key, status in data["seen"]])
    raise ValueError(f"not a choice of requests: {sorted(data)}")
