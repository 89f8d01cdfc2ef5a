"""What the address of the list of requests asks for, and the form that writes such addresses.

A filter that is not understood finds nothing and says so: without it the list would be longer, and so would be what is
exported and decided.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta

from django.db.models import Q
from django.http import QueryDict
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.http import urlencode

from access.filters import AGES
from access.filters_all import DECIDED, STATUSES, StaffFilter
from access.models import AccessRequest
from accounts import keyset
from accounts.models import Namespace
from repos import cards
from repos.models import GateForm, Repo

Status = AccessRequest.Status
NEWEST_FORMS = 50
NEWEST, OLDEST, LAST_DECIDED = "newest", "oldest", "decided"
ORDERS: dict[str, tuple[str, keyset.Order]] = {
    NEWEST: ("Newest first", keyset.Order("requested_at", descending=True)),
    OLDEST: ("Oldest first", keyset.Order("requested_at")),
    LAST_DECIDED: ("Last decided first", keyset.Order("reviewed_at", descending=True)),
}
FILTERS = ("q", "repo", "namespace", "status", "age", "from", "to", "country", "form", "granted", "reviewer", "user")
PLACE = ("after", "before")
KNOWN = frozenset({*FILTERS, *PLACE, "sort", "e"})  # Django adds `e` where it could not read an address.
_HEX = re.compile("[0-9a-f]{7,64}", re.ASCII)


@dataclass(slots=True)
class Asked:
    """What an address asks for.  With problems, which are sentences, there is no filter."""

    said: QueryDict
    sort: str = NEWEST
    problems: list[str] = field(default_factory=list)
    repos: list[Repo] = field(default_factory=list)  # Those that the filter names.
    filter: StaffFilter | None = None

    @property
    def order(self) -> keyset.Order:
        return ORDERS[self.sort][1]

    @property
    def narrowed(self) -> bool:
        return any(self.said.get(name) for name in FILTERS)

    def text(self, name: str, most: int = 200) -> str:
        """A value as the form shows it again."""
        return " ".join(self.said.get(name, "").replace("\0", "").split())[:most]

    def query(self, **changed: str) -> str:
        """The query of this list, without the place in it, with what is changed; "" leaves out."""
        said = {name: self.said.get(name, "") for name in (*FILTERS, "sort")} | changed
        return urlencode([(name, value) for name, value in said.items() if value])


def asked(said: QueryDict, now: datetime | None = None) -> Asked:
    found = Asked(said)
    reader = _Reader(found, now or timezone.now())
    chosen = reader.read()
    if not found.problems:
        found.filter = chosen
    return found


class _Reader:
    """Reads one address."""

    def __init__(self, asked: Asked, now: datetime) -> None:
        self.asked = asked
        self.now = now

    def read(self) -> StaffFilter:
        for name in sorted(set(self.asked.said) - KNOWN):
            self._problem(f"There is no filter {name[:40]!r}.")
        repos = self._repos()
        status = self._status()
        after, before = self._times()
        return StaffFilter(
            repos=repos,
            namespace=self._key("namespace", "pk", "organization or person"),
            status=status,
            search=self.asked.text("q"),
            country=self._country(),
            forms=self._forms(repos),
            granted=self._granted(),
            reviewer=self._person("reviewer"),
            person=self._person("user"),
            asked_after=after,
            asked_before=before,
        )

    def _problem(self, sentence: str) -> None:
        self.asked.problems.append(sentence)

    def _repos(self) -> tuple[int, ...] | None:
        said = self.asked.text("repo", 160)
        if not said:
            return None
        kind, _, rest = said.partition("/")
        types = {"models": ["model"], "datasets": ["dataset"]}.get(kind) if "/" in rest else None
        namespace, _, name = (rest if types else said).partition("/")
        for type_ in types or Repo.Type.values:
            self.asked.repos += Repo.objects.with_id(type_, namespace, name).select_related("namespace")
        if not self.asked.repos:
            self._problem(f"There is no repo {said}.")
        return tuple(repo.pk for repo in self.asked.repos)

    def _status(self) -> str:
        asked = self.asked
        status = asked.said.get("status", "")
        asked.sort = asked.said.get("sort") or NEWEST
        if asked.sort not in ORDERS:
            self._problem(f"There is no order {asked.sort[:40]!r}.")
            asked.sort = NEWEST
        if status not in STATUSES:
            self._problem(f"There is no status {status[:40]!r}.")
            return ""
        if asked.sort == LAST_DECIDED:  # Who waits has no place in that order.
            if status == Status.PENDING:
                asked.sort = NEWEST
            return status or DECIDED
        return status

    def _times(self) -> tuple[datetime | None, datetime | None]:
        age = self.asked.said.get("age", "")
        if age and age not in AGES:
            self._problem(f"There is no age {age[:40]!r}.")
        _, at_most, at_least = AGES.get(age, ("", None, None))
        first, last = self._day("from", time.min), self._day("to", time.max)
        earliest = [moment for moment in (first, at_most and self.now - at_most) if moment]
        latest = [moment for moment in (last, at_least and self.now - at_least) if moment]
        return max(earliest, default=None), min(latest, default=None)

    def _day(self, name: str, at: time) -> datetime | None:
        said = self.asked.text(name, 40)
        if not said:
            return None
        try:
            day = parse_date(said)
            if day is not None:
                return timezone.make_aware(datetime.combine(day, at))
        except (ValueError, OverflowError):
            pass
        self._problem(f"There is no day {said!r}: write it as {timezone.localdate():%Y-%m-%d}.")
        return None

    def _country(self) -> str:
        said = self.asked.text("country", 60)
        code = cards.located_country_code(said) if said else ""
        if said and not code:
            self._problem(f"There is no country {said}.")
        return code

    def _forms(self, repos: tuple[int, ...] | None) -> tuple[int, ...] | None:
        said = self.asked.text("form", 64).lower()
        if not said:
            return None
        keys: list[int] = []
        if _HEX.fullmatch(said):
            forms = GateForm.objects.filter(Q(commit_sha__startswith=said) | Q(digest__startswith=said))
            within = forms if repos is None else forms.filter(repo__in=repos)
            keys = list(within.values_list("pk", flat=True)[: NEWEST_FORMS + 1])
        if not keys:
            self._problem(f"There is no form version {said}: name its commit, by seven digits or more.")
        if len(keys) > NEWEST_FORMS:
            self._problem(f"More than {NEWEST_FORMS} form versions begin with {said}: name more of its digits.")
        return tuple(keys)

    def _granted(self) -> bool | None:
        said = self.asked.said.get("granted", "")
        if said not in ("", "yes", "no"):
            self._problem(f"Granted unasked is yes or no, not {said[:40]!r}.")
        return {"yes": True, "no": False}.get(said)

    def _person(self, name: str) -> int | None:
        return self._key(name, "user", "person")

    def _key(self, name: str, column: str, what: str) -> int | None:
        """By the name space, whose index knows no case."""
        said = self.asked.text(name, 60)
        if not said:
            return None
        key: int | None = Namespace.objects.named(said).values_list(column, flat=True).first()
        if key is None:
            self._problem(f"There is no {what} {said}.")
        return key


def until_of(said: str) -> datetime | None:
    """A moment that a form carried; None for anything else."""
    try:
        moment = datetime.fromisoformat(said)
    except ValueError:
        return None
    return None if timezone.is_naive(moment) or moment > timezone.now() + timedelta(minutes=1) else moment
