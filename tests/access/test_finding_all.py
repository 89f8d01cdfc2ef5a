"""Finding requests of all repos, held against the plain query: the same rows in the same order, whatever is asked."""

from __future__ import annotations

import itertools
import random
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.db.models import Q
from django.test.utils import CaptureQueriesContext

from access import finding_all, spans
from access.admin.asking import ORDERS
from access.filters_all import STATUSES, StaffFilter
from access.finding_all import StaffFinder
from access.looks import by_index_alone
from access.models import AccessRequest
from accounts import keyset
from accounts.models import Namespace, User
from repos.models import GateForm, Repo

BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
PEOPLE, REQUESTS = 60, 300
WORDS = ("Universität", "Institute", "王芳", "research", "Miskatonic")


@pytest.fixture(params=[timedelta(hours=1), timedelta(days=5)], ids=["of days", "of a year"])
def crowd(request, lab, olu, make_repo, ada, gated_repo):
    """300 requests of 60 people to six repos, in no order, several of them in the same second."""
    chance = random.Random(3)  # noqa: S311 - the same rows in each run.
    repos = [gated_repo, *(make_repo(f"lab/repo-{n}", by=ada, gated="manual") for n in range(3))]
    repos += [make_repo(f"olu/repo-{n}", by=olu, gated="manual", type_="dataset") for n in range(2)]
    people = User.objects.bulk_create(
        User(username=f"p{n}", fullname=f"Person {n}", email=f"p{n}@example.org") for n in range(PEOPLE)
    )
    pairs = chance.sample(list(itertools.product(repos, people)), REQUESTS)
    rows = []
    for place, (repo, user) in enumerate(pairs):
        status = chance.choice(STATUSES[""])
        asked = BEGAN + place // 4 * request.param
        decided = None if status == "pending" else asked + timedelta(hours=chance.randrange(50))
        word = WORDS[4] if place > REQUESTS * 4 // 5 else chance.choice(WORDS[:4])
        row = AccessRequest(
            repo=repo, user=user, status=status, form=repo.gate_form, requested_at=asked, reviewed_at=decided,
            reviewed_by=None if decided is None else chance.choice([ada, olu, None]),
            granted=status == "accepted" and place % 3 == 0, country=chance.choice(["DE", "FR", ""]),
            fullname=user.fullname, email=user.email, answers={"Company": word},
        )  # fmt: skip
        row.search_text = row.searchable() + f" {word.casefold()}"
        rows.append(row)
    AccessRequest.objects.bulk_create(rows)
    return repos


def filters(repos: list[Repo], ada: User, olu: User) -> list[StaffFilter]:
    """Those that ask for one thing, and many that ask for several at once."""
    form = GateForm.objects.filter(repo=repos[0]).order_by("pk").last()
    assert form is not None
    times = list(AccessRequest.objects.order_by("requested_at").values_list("requested_at", flat=True))
    asked = {
        "repos": [None, (repos[0].pk,), (repos[1].pk, repos[4].pk), ()],
        "namespace": [None, Namespace.objects.get(name="lab").pk, Namespace.objects.get(name="olu").pk],
        "status": list(STATUSES),
        "search": ["", "miskatonic", "person", "王芳", "p5", "nobody"],
        "country": ["", "DE", "US"],
        "forms": [None, (form.pk,)],
        "granted": [None, True, False],
        "reviewer": [None, ada.pk, olu.pk],
        "person": [None, User.objects.get(username="p7").pk],
        "asked_after": [None, times[80]],
        "asked_before": [None, times[200]],
    }
    single = [StaffFilter(**{name: value}) for name, values in asked.items() for value in values]
    chance = random.Random(5)  # noqa: S311
    usual = {name: values[0] for name, values in asked.items()}
    several = [
        StaffFilter(**(usual | {name: chance.choice(asked[name]) for name in chance.sample(sorted(asked), 3)}))
        for _ in range(60)
    ]
    lists = [StaffFilter(namespace=asked["namespace"][1], status=status) for status in STATUSES]
    return [*single, *lists, *several]


SMALL = {"LOOKED_AT": 6, "LOOKED_AT_IN_INDEX": 8, "MOST_SORTED": 12, "MOST_STRETCHES": 3}
SMALL |= {"SAMPLED_FROM": 1, "MOST_OF_STRETCH": 5}
BOUNDS = {
    "as they are": {},
    "each of the ways is gone": SMALL,
    "a namespace of many repos": {"MOST_STRETCHES": 3},
    "a namespace of too many repos": SMALL | {"MOST_REPOS": 3},
    "days and blocks of few": SMALL | {"SAMPLED_FROM": 1000, "MOST_OF_STRETCH": 1},
}
"""SQLite has no other way than to look, whatever they are."""


@pytest.fixture(
    params=["sqlite", *(pytest.param(name, marks=pytest.mark.postgresql) for name in BOUNDS)],
)
def bounds(request, monkeypatch):
    for name, value in BOUNDS.get(request.param, {}).items():
        monkeypatch.setattr(finding_all, name, value)


def pages(chosen: StaffFilter, order: keyset.Order, size: int) -> list[int]:
    rows, found, after = AccessRequest.objects.all(), [], ""
    while True:
        slice_ = keyset.slice_of(rows, order, size, after=after, pick=StaffFinder(chosen, 1000).first)
        found += [row.pk for row in slice_.rows]
        after = slice_.next
        if not after:
            return found


def test_each_filter_in_each_order_gives_what_the_plain_query_gives(crowd, ada, olu, bounds):
    for chosen, (name, (_, order)) in itertools.product(filters(crowd, ada, olu), ORDERS.items()):
        if name == "decided" and chosen.status in ("", "pending"):
            continue  # The list asks for those who are decided then.
        plain = list(chosen.requests().order_by(*order.columns).values_list("pk", flat=True))
        assert StaffFinder(chosen, 1000).first(Q(), order.columns, 5) == plain[:5], (chosen, name)
        if len(plain) < 100:
            assert pages(chosen, order, 7) == plain, (chosen, name)


def test_numbers_are_right_or_said_to_be_more(crowd, ada, olu, bounds):
    for chosen, most in itertools.product(filters(crowd, ada, olu), (10, 1000)):
        there = chosen.requests().count()
        number = StaffFinder(chosen, most).count()
        if number.more:
            assert there > number.value, chosen
        else:
            assert there == number.value, chosen
        fresh = StaffFinder(chosen, most)
        fresh.first(Q(), ["-requested_at", "-pk"], 5)
        assert fresh.count().value <= there


def test_a_filter_comes_back_from_json_as_it_was(crowd, ada, olu):
    for chosen in filters(crowd, ada, olu):
        assert StaffFilter.from_json(chosen.to_json()) == chosen
    whole = StaffFilter().to_json()
    for broken in (
        {},
        whole | {"more": 1},
        whole | {"status": "odd"},
        whole | {"granted": "yes"},
        whole | {"asked_after": "then"},
        whole | {"repos": ["x"]},
        {name: value for name, value in whole.items() if name != "status"},
    ):
        with pytest.raises((ValueError, TypeError, KeyError)):
            StaffFilter.from_json(broken)


def is_within(at: datetime, stretch: spans.Stretch) -> bool:
    return stretch.first <= spans.day_of(at) <= stretch.last


@pytest.mark.postgresql
def test_the_words_of_a_day_are_those_of_the_index(crowd):
    newest = AccessRequest.objects.latest("requested_at").requested_at
    stretches = [*spans.blocks_of_all(BEGAN, newest), *spans.blocks_of_all(newest, newest)[0].days_in_order()]
    for stretch in stretches:
        rows = AccessRequest.objects.filter(spans.IsOnOneOf(stretch.key))
        on_its_days = [row for row in AccessRequest.objects.all() if is_within(row.requested_at, stretch)]
        assert set(rows) == set(on_its_days), stretch
    with by_index_alone():
        plan = rows.filter(search_text__contains="miskatonic").explain()
    assert "Bitmap Index Scan on access_request_find" in plan
    assert "Index Cond: ((search_text ~~ '%miskatonic%'::text) AND (ARRAY[" in plan
    assert "Seq Scan" not in plan


@pytest.mark.postgresql
@pytest.mark.parametrize("crowd", [timedelta(days=5)], ids=["of a year"], indirect=True)
def test_of_a_crowd_far_from_the_end_no_more_is_fetched_than_is_sorted(crowd, monkeypatch):
    for name, value in {"LOOKED_AT": 6, "MOST_SORTED": 12, "MOST_OF_STRETCH": 5}.items():
        monkeypatch.setattr(finding_all, name, value)
    with CaptureQueriesContext(connection) as queries:
        found = StaffFinder(StaffFilter(search="miskatonic"), 1000).first(Q(), ["requested_at", "pk"], 3)
    assert len(found) == 3
    (sample, quiet, *rest) = (sql for query in queries if "&&" in (sql := query["sql"]))
    assert sample.endswith(f"LIMIT {finding_all.SOME + 1}")
    first = spans.blocks_of_all(BEGAN, BEGAN + timedelta(days=100))
    assert all(str(block.key) in quiet for block in first)  # At once those before the first that the sample knows of.
    assert all(sql.endswith("LIMIT 6") for sql in (quiet, *rest))
