"""Walking through long lists of requests for lab/toxic-bert, page by page, while others ask, decide and withdraw.

Names are equal, or differ in case and script; moments are equal; the database collates as it likes.
"""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection, transaction
from django.http import QueryDict

from access import finding, services
from access.models import AccessRequest
from accounts.actor import Actor
from accounts.models import User
from gatehub.web import review_lists
from tests.support.cast import ANSWERS

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
NAMES = ["ada", "Ada", "ADA", "Ádá", "", "zoe", "Zoë", "李明", "Иван", "a b", "a_b", "a-b", "o’brien", "OBrien"]
MANY = 38

collations = pytest.mark.parametrize(
    "collation",
    [
        "",  # The one of the database.
        *(
            pytest.param(name, marks=pytest.mark.postgresql)
            for name in ("", "C", "en-x-icu", "de-x-icu", "und-u-ks-level1-x-icu")
        ),
    ],
)


@pytest.fixture
def crowd(gated_repo, monkeypatch, collation, ada):
    """Thirty-eight, of which every third is accepted; both ways of finding are gone."""
    monkeypatch.setattr(review_lists, "PAGE_SIZE", 4)
    monkeypatch.setattr(finding, "LOOKED_AT", 10)
    if collation.startswith("und-u"):
        with connection.cursor() as cursor:  # No case, no accents in the order, yet other bytes are other names.
            cursor.execute(f"CREATE COLLATION \"{collation}\" (provider = icu, locale = 'und-u-ks-level1')")
    if collation:
        with connection.cursor() as cursor:
            cursor.execute(
                f'ALTER TABLE access_accessrequest ALTER COLUMN fullname TYPE varchar(120) COLLATE "{collation}"'
            )
    people = User.objects.bulk_create([User(username=f"person{n}", email=f"p{n}@example.org") for n in range(MANY)])
    rows = [
        AccessRequest(
            repo=gated_repo, user=user, fullname=NAMES[n % len(NAMES)], email=user.email, answers=ANSWERS,
            form=gated_repo.gate_form, requested_at=NOW - timedelta(hours=n // 5), reviewed_by=None if n % 3 else ada,
            status="pending" if n % 3 else "accepted", reviewed_at=None if n % 3 else NOW - timedelta(minutes=n // 10),
        )
        for n, user in enumerate(people)
    ]  # fmt: skip
    for row in rows:
        row.search_text = row.searchable()
    return AccessRequest.objects.bulk_create(rows)


def page(repo, query: str, **place: str) -> review_lists.Lists:
    said = QueryDict(query, mutable=True)
    said.update(place)
    return review_lists.Lists(said, repo)


def walk(repo, query: str, between=None) -> list[int]:
    """Keys of all rows, first page to last; `between` is called after each page with its number."""
    seen, place, number = [], {}, 0
    while not place or not is_behind_the_end(repo, query, place["after"]):
        here = page(repo, query, **place).slice
        seen += [row.pk for row in here.rows]
        if between is not None:
            between(number)
        number += 1
        if not here.next:
            return seen
        assert number < 100, "it goes in circles"
        place = {"after": here.next}
    return seen


def is_behind_the_end(repo, query: str, place: str) -> bool:
    """Whether nobody is left there: people are then shown the last page once more."""
    lists = page(repo, query)
    return not lists.asked.filter.requests(repo).filter(lists.asked.order.beyond(AccessRequest, place)).exists()


def walk_back(repo, query: str, last: str) -> list[int]:
    """Keys of all rows before a place, in the order in which they stand."""
    seen: list[int] = []
    while last:
        here = page(repo, query, before=last).slice
        seen = [row.pk for row in here.rows] + seen
        last = here.previous
    return seen


QUERIES = [
    *(f"status=pending&sort={sort}" for sort in ("oldest", "newest", "name")),
    *(f"status=accepted&sort={sort}" for sort in ("oldest", "newest", "name", "decided")),
    *(f"status=pending&sort={sort}&q=france" for sort in ("oldest", "newest", "name")),
    "status=accepted&sort=decided&q=france",
    "status=accepted&sort=name&q=example+person1",
    "status=pending&sort=name&q=ada",
    "status=pending&sort=name&country=FR",
]


def matching(query: str) -> set[int]:
    said = QueryDict(query)
    rows = AccessRequest.objects.filter(status=said["status"])
    for word in said.get("q", "").split():
        rows = rows.filter(search_text__contains=word)
    return set(rows.values_list("pk", flat=True))


@collations
def test_a_walk_meets_each_request_once_and_back_again(collation, crowd, gated_repo):
    for query in QUERIES:
        seen = walk(gated_repo, query)
        assert len(seen) == len(set(seen)), query
        assert set(seen) == matching(query), query
        last = review_lists.ORDERS[QueryDict(query)["sort"]][1].cursor(AccessRequest.objects.get(pk=seen[-1]))
        assert walk_back(gated_repo, query, last) == seen[:-1], query


@collations
def test_a_walk_misses_nobody_while_others_ask_decide_and_withdraw(collation, crowd, gated_repo, ada, make_user):
    by, numbers = Actor(user=ada), itertools.count()
    for query in QUERIES:
        status = QueryDict(query)["status"]
        before = matching(query)
        newcomers = set()

        def change(number: int, query=query, status=status, newcomers=newcomers) -> None:
            """One asks, one is decided away, one comes back, and one withdraws."""
            name = f"newcomer{next(numbers)}"
            user = User.objects.create(username=name, email=f"{name}@example.org", fullname=NAMES[number % len(NAMES)])
            new = AccessRequest(
                repo=gated_repo, user=user, fullname=user.fullname, answers=ANSWERS, form=gated_repo.gate_form
            )
            new.save()
            newcomers.add(new.pk)
            if status == "accepted":
                services.review(access_request=new, status="accepted", by=by)
            there = AccessRequest.objects.filter(status=status).exclude(pk=new.pk).order_by("?").first()
            other = "rejected" if status != "rejected" else "accepted"
            services.review(access_request=there, status=other, by=by)
            waiting = AccessRequest.objects.filter(status="pending").exclude(pk=new.pk).order_by("?").first()
            services.withdraw(repo=gated_repo, by=Actor(user=waiting.user))

        with transaction.atomic():
            seen = walk(gated_repo, query, between=change)
            stayed = before & matching(query)
            transaction.set_rollback(True)
        assert len(seen) == len(set(seen)), query
        assert stayed <= set(seen), query
        assert set(seen) <= before | newcomers, query


@pytest.mark.parametrize("collation", [""])
@pytest.mark.parametrize("query", QUERIES)
def test_behind_the_end_is_the_last_page_which_leads_nowhere_further(query, collation, crowd, gated_repo):
    seen = walk(gated_repo, query)
    last = review_lists.ORDERS[QueryDict(query)["sort"]][1].cursor(AccessRequest.objects.get(pk=seen[-1]))
    here = page(gated_repo, query, after=last).slice
    assert [row.pk for row in here.rows] == seen[-review_lists.PAGE_SIZE :]
    assert here.next == ""
    before = page(gated_repo, query, before=here.previous).slice if here.previous else None
    assert (before is not None) == (len(seen) > review_lists.PAGE_SIZE)
    if before:
        assert [row.pk for row in before.rows] == seen[: -review_lists.PAGE_SIZE][-review_lists.PAGE_SIZE :]


@pytest.mark.parametrize("collation", [""])
def test_the_place_may_go_meanwhile(collation, crowd, gated_repo):
    """A place is no row: the page after it is the same when its row is gone."""
    first = page(gated_repo, "status=pending&sort=name").slice
    second = [row.pk for row in page(gated_repo, "status=pending&sort=name", after=first.next).slice.rows]
    AccessRequest.objects.get(pk=first.rows[-1].pk).delete()
    assert [row.pk for row in page(gated_repo, "status=pending&sort=name", after=first.next).slice.rows] == second


@pytest.mark.parametrize("collation", [""])
def test_one_that_goes_between_finding_and_showing_hides_no_next_page(collation, crowd, gated_repo, monkeypatch):
    found = finding.Finder.first

    def first_then_gone(self, *args):
        keys = found(self, *args)
        AccessRequest.objects.filter(pk=keys[1]).delete()
        return keys

    monkeypatch.setattr(finding.Finder, "first", first_then_gone)
    here = page(gated_repo, "status=pending&q=france").slice
    assert len(here.rows) == 3
    assert here.next
