"""The lists of the review, as an address asks for them: pending, accepted and rejected requests of one repo."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property, partial
from typing import Any
from urllib.parse import urlencode

from django.db.models import QuerySet
from django.http import HttpRequest, QueryDict
from django.middleware.csrf import get_token
from django.utils import timezone
from django.utils.safestring import SafeString

from access import filters, selectors, services, tallies
from access.filters import AGES, Question, RequestFilter
from access.finding import Finder, Number
from access.models import AccessRequest, BulkReview
from access.moments import Clock
from accounts import compiled, keyset
from gatehub.web import refused
from gatehub.web.chart import chart_html
from gatehub.web.countries import located_country_options
from gatehub.web.refused import Refused
from gatehub.web.review_rows import Row, answers_in_words, day_of
from gatehub.web.skeleton import skeleton_of
from repos import cards
from repos.models import Repo

Status = AccessRequest.Status
PAGE_SIZE = 30
MOST_COUNTED = 500
"""A search that finds more says "more than": counting 600,000 rows takes longer than showing some."""
SHOWN_BULK_REVIEWS = 3
REASONS_LOOKED_AT = 50
REASONS_OFFERED = 5

ORDERS: dict[str, tuple[str, keyset.Order]] = {
    "oldest": ("Oldest first", keyset.Order("requested_at")),
    "newest": ("Newest first", keyset.Order("requested_at", descending=True)),
    "decided": ("Last decided first", keyset.Order("reviewed_at", descending=True)),
    "name": ("Full name", keyset.Order("fullname")),
}
SHOWN = (
    "pk", "request_id", "status", "answers", "email", "fullname", "requested_at", "granted", "reviewed_at",
    "rejection_reason", "user__username", "reviewed_by__username", "form__digest", "form__created_at",
)  # fmt: skip
"""What is shown of a request: as tuples, since fifty instances with all that theirs refer to took longer to make than
to find."""
KEPT = ("status", "q", "answer", "country", "age", "sort", "show")
"""What of the address leads back to a list, beside the place in it."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What an address asks for, as far as it makes sense.

    A filter that is not `understood`, such as an option that no form offers any more, is left out of the list.  Nothing
    is decided by it, since without it the list is longer.
    """

    filter: RequestFilter
    sort: str
    age: str
    understood: bool

    @property
    def order(self) -> keyset.Order:
        return ORDERS[self.sort][1]


def asked(said: QueryDict, first: Callable[[], str], questions: filters.Questions, now: datetime) -> Asked:
    """`first` tells the status of the list that an address without one begins with."""
    status = said.get("status", "")
    status = status if status in Status.values else first()
    search = " ".join(said.get("q", "").replace("\0", "").split())[:200]
    age = said.get("age", "")
    _, at_most, at_least = AGES.get(age, ("", None, None))
    country = cards.located_country_code(said.get("country", "")) if questions.countries_in else ""
    chosen = [questions.answer(pair) for pair in said.getlist("answer") if pair]
    usual = "oldest" if status == Status.PENDING else "decided"
    sort = said.get("sort", usual)
    if sort not in ORDERS or (sort == "decided" and status == Status.PENDING):
        sort = usual
    return Asked(
        filter=RequestFilter(
            status=status,
            search=search,
            answers=tuple(pair for pair in chosen if pair is not None),
            country=country,
            countries_in=questions.countries_in if country else (),
            asked_after=now - at_most if at_most else None,
            asked_before=now - at_least if at_least else None,
        ),
        sort=sort,
        age=age if age in AGES else "",
        understood=(
            said.get("status", status) == status
            and (age in AGES or not age)
            and bool(country) == bool(said.get("country"))
            and None not in chosen
        ),
    )


def kept(said: QueryDict, **changed: str) -> str:
    """The query that leads back to the list, with what is changed; "" leaves out."""
    pairs = [(name, value) for name in KEPT if name not in changed for value in said.getlist(name) if value]
    return urlencode([*pairs, *((name, value) for name, value in changed.items() if value)])


class Lists:
    """One of the three lists as an address asks for it, and what stands around it.  What is not shown costs nothing."""

    def __init__(
        self,
        said: QueryDict,
        repo: Repo,
        csrf_token: Callable[[], str] = str,
        take_refused: Callable[[], Refused] = Refused,
    ) -> None:
        self.said = said
        self.repo = repo
        self._csrf_token = csrf_token
        self._take_refused = take_refused
        self.now = timezone.now()

    @cached_property
    def questions(self) -> filters.Questions:
        return filters.questions_of(self.repo)

    @cached_property
    def asked(self) -> Asked:
        return asked(self.said, self._first, self.questions, self.now)

    def _first(self) -> str:
        """Where something is to be done; where nobody can wait, and nobody does, where new requests arrive."""
        is_empty = self.accepts_at_once and not self.counts[Status.PENDING]
        return (Status.ACCEPTED if is_empty else Status.PENDING).value

    @property
    def status(self) -> str:
        return self.asked.filter.status

    @property
    def search(self) -> str:
        return self.asked.filter.search

    @property
    def narrowed(self) -> bool:
        return self.asked.filter.narrows

    @cached_property
    def slice(self) -> keyset.Slice[Any]:
        # Those of a narrowed list are picked, and fetched by their keys.
        listed = AccessRequest.objects.none() if self.narrowed else self.asked.filter.requests(self.repo)
        rows = listed.values_list(*SHOWN, named=True)
        pick, fetch = (self._finder.first, self._with_keys) if self.narrowed else (None, None)
        slice_of = partial(keyset.slice_of, rows, self.asked.order, PAGE_SIZE, pick=pick, fetch=fetch)
        after, before = self.said.get("after", ""), self.said.get("before", "")
        try:
            found = slice_of(after=after, before=before)
            if not found.rows and after:  # All of the last page were decided about: another page is the last now.
                found = slice_of(last=True)
        except keyset.NotACursor:
            found = keyset.Slice([])
        at_first = not (after or before)
        return found if found.rows or at_first else slice_of()

    def _with_keys(self, keys: Sequence[int]) -> list[Any]:
        return compiled.rows(_shown, repo=self.repo.pk, status=str(self.status), keys=compiled.keys_as_text(keys))

    @cached_property
    def _finder(self) -> Finder:
        return Finder(self.repo, self.asked.filter, MOST_COUNTED, self._by_day)

    @cached_property
    def rows(self) -> list[Row]:
        # Forms are large and few, so they are not fetched with each row.
        forms = {request.form__digest: request.form__created_at for request in self.slice.rows if request.form__digest}
        specs, without = services.form_specs(self.repo, forms), cards.FormSpec()
        in_force = services.form_digest(self.repo.gate_form)
        days = {key: day_of(at) for key, at in forms.items() if key != in_force}
        rows, moment = [], Clock().moment
        for request in self.slice.rows:
            form = request.form__digest
            given = answers_in_words(specs.get(form, without), request.answers)
            asked, decided = moment(request.requested_at), moment(request.reviewed_at)
            rows.append(Row(request, given, asked, decided, days.get(form, "")))
        return rows

    @property
    def rows_html(self) -> list[SafeString]:
        """The rows as `repo/_request.html` shows them."""
        texts = {
            "decide_path": self.decide_path,
            "answers_path": f"{self.repo.path}/settings/answers",
            "query": self.query,
            "csrf_token": self._csrf_token(),
        }
        flags: dict[str, Hashable] = {"unfolded": self.unfolded}
        skeleton = skeleton_of("repo/_request.html")
        ticked = self.refused.ticked
        return [
            skeleton.row(
                texts | row.texts, row.beginnings, flags | row.flags | {"ticked": row.request.request_id in ticked}
            )
            for row in self.rows
        ]

    @property
    def has_answers(self) -> bool:
        return any(row.answers for row in self.rows)

    @property
    def unfolded(self) -> bool:
        """Whether all answers are shown at once."""
        return self.said.get("show") == "answers"

    @property
    def unfold_query(self) -> str:
        """What leads to the same page with all answers unfolded."""
        return self._showing("answers")

    @property
    def fold_query(self) -> str:
        """What leads to the same page with all answers folded: another address, or browsers would not load it anew."""
        return self._showing("" if self.said.get("show") else "folded")

    def _showing(self, show: str) -> str:
        place = {name: self.said.get(name, "") for name in ("after", "before")}
        return kept(self.said, show=show, **place)

    @cached_property
    def reasons(self) -> list[str]:
        """Reasons given here lately, each once, for whoever rejects to choose from."""
        if self.status == Status.REJECTED:  # Where nobody can be rejected any more.
            return []
        return list(dict.fromkeys(filter(None, compiled.rows(_lately, repo=self.repo.pk))))[:REASONS_OFFERED]

    @cached_property
    def refused(self) -> Refused:
        """What was ticked and typed for several, and not used because something was wrong."""
        return self._take_refused()

    @cached_property
    def _by_day(self) -> tuple[tallies.Day, ...]:
        return tallies.by_day(self.repo)

    @cached_property
    def counts(self) -> dict[str, int]:
        return tallies.sums_of(self._by_day)

    @property
    def chart_html(self) -> str:
        """The requests over time; "" where nobody has asked."""
        return chart_html(self._by_day, today=self.now.date())

    @property
    def tabs(self) -> list[tuple[str, str, int, str]]:
        return [
            (status.value, status.label, self.counts[status], kept(self.said, status=status.value, sort=""))
            for status in Status
        ]

    @property
    def accepts_at_once(self) -> bool:
        return self.repo.gated == Repo.Gated.AUTO and not services.has_unread_terms(self.repo)

    @property
    def pending(self) -> int:
        return self.counts[Status.PENDING]

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    @cached_property
    def _number(self) -> Number:
        """How many the list has."""
        if not self.narrowed:
            return Number(self.counts[self.status])
        if not (self.slice.previous or self.slice.next):
            return Number(len(self.slice.rows))
        return self._finder.count()

    @property
    def matches(self) -> int:
        """How many the list has; one more than is certain stands for any number above."""
        return self._number.value + self._number.more

    @property
    def more_than(self) -> int:
        """The number that is certain where there are too many to count, else 0."""
        return self._number.value if self._number.more else 0

    @cached_property
    def query(self) -> str:
        """What leads back to this page of this list."""
        place = {name: self.said.get(name, "") for name in ("after", "before")}
        return kept(self.said, **place)

    @cached_property
    def decide_path(self) -> str:
        """Where the forms of the rows go."""
        return f"{self.repo.path}/settings/review?{self.query}"

    @property
    def list_query(self) -> str:
        """What leads to the first page of this list."""
        return kept(self.said)

    @property
    def next_query(self) -> str:
        return kept(self.said, after=self.slice.next) if self.slice.next else ""

    @property
    def previous_query(self) -> str:
        return kept(self.said, before=self.slice.previous) if self.slice.previous else ""

    @property
    def choices(self) -> list[tuple[Question, list[tuple[str, str, bool]]]]:
        """Each question with its options as `key:answer`, words, and whether it is chosen."""
        chosen = set(self.asked.filter.answers)
        return [
            (
                question,
                [
                    (f"{question.key}:{answer}", words, (question.label, answer) in chosen)
                    for answer, words in question.options
                ],
            )
            for question in self.questions.choices
        ]

    @property
    def countries(self) -> str:
        """The options of the choice among countries; "" where no question tells one."""
        return located_country_options(self.asked.filter.country) if self.questions.countries_in else ""

    @property
    def ages(self) -> list[tuple[str, str]]:
        return [(value, words) for value, (words, _, _) in AGES.items()]

    @property
    def orders(self) -> list[tuple[str, str]]:
        fit = (value for value in ORDERS if value != "decided" or self.status != Status.PENDING)
        return [(value, ORDERS[value][0]) for value in fit]

    @property
    def filtered_by(self) -> int:
        """How many of the folded filters are set."""
        chosen = self.asked.filter
        return len(chosen.answers) + bool(chosen.country) + bool(self.asked.age)

    @property
    def decisions(self) -> list[tuple[str, str]]:
        """What a bulk review can make of the requests of this list: the status, and the words on its button."""
        words = {Status.ACCEPTED: "Accept", Status.REJECTED: "Reject", Status.PENDING: "Back to pending"}
        return [(status, words[status]) for status in words if status in services.REVIEWS[Status(self.status)]]

    @property
    def bulk_reviews(self) -> list[BulkReview]:
        """Those that run, and those that ended within the hour."""
        ended = self.now - timedelta(hours=1)
        recent = compiled.rows(_recent_bulk_reviews, repo=self.repo.pk)
        return [review for review in recent if review.finished_at is None or review.finished_at > ended]

    @property
    def person(self) -> str:
        return self.said.get("user", "")[:100]

    @property
    def people(self) -> selectors.People:
        return selectors.people_to_grant(self.repo, self.person)


def _shown(repo: int, status: str, keys: str) -> QuerySet[AccessRequest, Any]:
    rows = AccessRequest.objects.filter(compiled.IsOneOf(keys), repo=repo, status=status).order_by()
    return rows.values_list(*SHOWN, named=True)


def _lately(repo: int) -> QuerySet[AccessRequest, Any]:
    rejected = AccessRequest.objects.filter(repo=repo, status=Status.REJECTED).order_by("-reviewed_at", "-pk")
    return rejected.values_list("rejection_reason", flat=True)[:REASONS_LOOKED_AT]


def _recent_bulk_reviews(repo: int) -> QuerySet[BulkReview]:
    return BulkReview.objects.filter(repo=repo).order_by("-created_at")[:SHOWN_BULK_REVIEWS]


def lists(request: HttpRequest, repo: Repo) -> Lists:
    """What the address asks for: `status`, `q`, `answer` (several), `country`, `age`, `sort`, `after` or `before`."""
    return Lists(request.GET, repo, partial(get_token, request), partial(refused.take, request, repo))
