"""Answers as numbers in the index that finds requests: on PostgreSQL, since no other database has it.

What is found is held against `RequestFilter.requests`, which compares the answers themselves.
"""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.models import Q
from django.test.utils import CaptureQueriesContext

from access import answer_keys, finding, spans
from access.filters import RequestFilter
from access.finding import Finder, Number
from access.looks import by_index_alone
from access.models import AccessRequest
from accounts.models import User
from repos.models import Repo

pytestmark = [pytest.mark.postgresql, pytest.mark.django_db]

PEOPLE = 300
AT = datetime(2026, 11, 20, tzinfo=UTC)
LONG, LONGER = "ö" * answer_keys.LONGEST, "ö" * (answer_keys.LONGEST + 1)
PURPOSES = ["research", "other", LONG, LONGER, "Sant\N{LATIN SMALL LETTER E WITH ACUTE}", 'with "quotes" and \\']
COUNTRIES = ["FR", "CH", "DE", ""]
ORDERS = [["-requested_at", "-pk"], ["fullname", "pk"]]


@pytest.fixture(autouse=True)
def short_looks(monkeypatch):
    """So that a page of few is not found before the index is asked."""
    monkeypatch.setattr(finding, "LOOKED_AT", 15)
    finding.texts_of.cache_clear()


@pytest.fixture
def ask(gated_repo, make_repo, ada):
    """Requests of two repos and two statuses, whose answers repeat in different rhythms."""

    def ask() -> Repo:
        users = User.objects.bulk_create(
            [User(username=f"person{n}", email=f"p{n}@example.org") for n in range(PEOPLE)]
        )
        rows = [
            AccessRequest(
                repo=repo, user=user, fullname=f"{n * 7 % 50:02} Person", email=user.email,
                requested_at=AT + timedelta(hours=5 * n),
                status=["pending", "accepted", "pending"][n % 3],
                reviewed_at=AT if n % 3 == 1 else None,
                answers={
                    "Purpose": PURPOSES[n // 5 % len(PURPOSES)],
                    "Country": COUNTRIES[n // 2 % 4],
                    "Lives in": COUNTRIES[n // 9 % 4],
                    "I agree": ["true", "false"][n // 40 % 2],
                },
            )
            for repo in (gated_repo, make_repo("lab/other", by=ada, gated="manual"))
            for n, user in enumerate(users)
        ]  # fmt: skip
        for row in rows:
            row.search_text = row.searchable()
        AccessRequest.objects.bulk_create(rows)
        return gated_repo

    return ask


def chosen_ones() -> list[RequestFilter]:
    """Each answer alone, two and three of them, and with a country that one question tells, or any of two."""
    answers = [(), *[(("Purpose", purpose),) for purpose in [*PURPOSES, "nobody's"]]]
    answers += [(*pair, ("I agree", "true")) for pair in answers[1:4]]
    answers.append((("Purpose", "other"), ("Purpose", "research")))  # Which nobody has.
    countries = [{}, {"country": "FR", "countries_in": ("Country",)}]
    countries += [{"country": "CH", "countries_in": ("Country", "Lives in")}, {"country": "XX", "countries_in": ()}]
    times = [{}, {"asked_after": AT + timedelta(days=20), "asked_before": AT + timedelta(days=55)}]
    listed = [("pending", ""), ("accepted", ""), ("pending", "person"), ("pending", "person1")]
    everything = itertools.product(listed, answers, countries, times)
    return [
        RequestFilter(status, search, answers, **country, **time)
        for (status, search), answers, country, time in everything
    ]


def test_what_is_found_and_counted_is_what_a_plain_query_finds(ask):
    repo, by_number = ask(), 0
    for chosen in chosen_ones():
        by_number += answer_keys.condition(chosen, spans.key_of(repo, chosen.status)) is not None
        for columns in ORDERS:
            expected = list(chosen.requests(repo).order_by(*columns).values_list("pk", flat=True))
            finder = Finder(repo, chosen, 1000)
            assert finder.first(Q(), columns, 7) == expected[:7], (chosen, columns)
            number = finder.count()
            assert number == Number(len(expected)) or (number.more and number.value < len(expected)), chosen
            if len(expected) > 7:  # And what follows.
                place = AccessRequest.objects.get(pk=expected[3])
                sign, column = ("lt" if columns[0][0] == "-" else "gt"), columns[0].lstrip("-")
                value = getattr(place, column)
                beyond = Q(**{f"{column}__{sign}": value}) | Q(**{column: value, f"pk__{sign}": place.pk})
                assert Finder(repo, chosen, 1000).first(beyond, columns, 4) == expected[4:8], (chosen, columns)
    assert by_number > 150


def asked_by_number(repo: Repo, chosen: RequestFilter) -> list[str]:
    with CaptureQueriesContext(connection) as queries:
        Finder(repo, chosen, 1000).first(Q(), ["fullname", "pk"], 30)
    return [query["sql"].split("; ")[1] for query in queries if "access_answer_keys" in query["sql"]]


def test_the_numbers_alone_find_the_answers_of_a_list(ask):
    """No row is compared with the list again, and none of another list is fetched."""
    repo = ask()
    (question,) = asked_by_number(repo, RequestFilter("pending", "", (("Purpose", "other"), ("I agree", "true"))))
    with by_index_alone(), connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE) {question}")
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "Index Cond: (access_answer_keys(" in plan
    assert "Bitmap Index Scan on access_request_find" in plan
    assert "ARRAY[" not in plan
    assert "Rows Removed" not in plan


@pytest.mark.parametrize(
    ("answers", "search", "is_asked"),
    [
        ((("Purpose", LONG),), "", True),
        ((("Purpose", LONGER),), "", False),  # It has no number.
        ((("Purpose", LONGER), ("I agree", "true")), "", False),
        ((("Purpose", ""),), "", False),
        ((("Purpose", "other"), ("Purpose", "research")), "", False),
        ((("Purpose", "other"),), "person", True),  # A word that all have.
        ((("Purpose", "other"),), "person12", False),  # By the word, the index finds fewer.
    ],
)
def test_numbers_are_asked_for_where_all_answers_have_one(ask, answers, search, is_asked):
    assert bool(asked_by_number(ask(), RequestFilter("pending", search, answers))) is is_asked


def test_answers_with_the_same_number_are_told_apart(ask):
    """Somebody may have tried until a town of theirs had the number of an option."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_get_functiondef('access_answer_keys'::regproc)")
        ((function,),) = cursor.fetchall()
        cursor.execute(function.replace("hashtextextended(value, hashtextextended(key, list))", "4711::bigint"))
        cursor.execute('SELECT access_answer_keys(1, \'{"a": "b"}\'), access_answer_keys(2, \'{"c": "d"}\')')
        assert cursor.fetchall() == [([4711], [4711])]
    test_what_is_found_and_counted_is_what_a_plain_query_finds(ask)


def test_the_same_answer_has_another_number_in_each_list_and_to_each_question():
    with connection.cursor() as cursor:
        said = [(1, "Town", "Paris"), (2, "Town", "Paris"), (1, "Place", "Paris"), (1, "Town", "Bern")]
        cursor.execute(
            "SELECT access_answer_keys(list, jsonb_build_object(label, answer))"
            " FROM unnest(%s::bigint[], %s::text[], %s::text[]) AS said (list, label, answer)",
            [list(column) for column in zip(*said, strict=True)],
        )
        numbers = [number for ((number,),) in cursor.fetchall()]
    assert len(set(numbers)) == len(said)


@pytest.mark.parametrize("answers", [[], ["a"], "text", 3, {}, {"Ages": [1, 2], "More": {"a": "b"}, "No": None}])
def test_no_answers_are_refused_for_their_numbers(gated_repo, ada, answers):
    """The index makes them of whatever is written."""
    row = AccessRequest.objects.create(repo=gated_repo, user=ada)
    AccessRequest.objects.filter(pk=row.pk).update(answers=answers)
    row.refresh_from_db()
    assert row.answers == answers


@pytest.mark.django_db(transaction=True)
def test_the_numbers_come_and_go_with_their_migration(ask):
    repo = ask()
    chosen = RequestFilter("pending", "", (("Purpose", "other"),))
    expected = set(chosen.requests(repo).values_list("pk", flat=True))

    def numbers() -> int:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT (SELECT count(*) FROM pg_proc WHERE proname = 'access_answer_keys')"
                " + (SELECT count(*) FROM pg_indexes WHERE indexname = 'access_request_find'"
                " AND indexdef LIKE '%access_answer_keys%')"
            )
            ((number,),) = cursor.fetchall()
            return int(number)

    assert numbers() == 2
    call_command("migrate", "access", "0010", verbosity=0)
    assert numbers() == 0
    call_command("migrate", verbosity=0)
    assert numbers() == 2
    assert set(Finder(repo, chosen, 1000).first(Q(), ["fullname", "pk"], PEOPLE)) == expected
