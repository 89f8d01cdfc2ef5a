"""Finding requests in one of two ways.  Three hundred people ask for lab/toxic-bert, thirty for lab/other.

What is found is held against looking at each row in Python, with so few rows looked at first that both ways are gone.
"""

from __future__ import annotations

import itertools
import re
from datetime import UTC, datetime, timedelta

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.models import Q
from django.test.utils import CaptureQueriesContext

from access import finding, search
from access.filters import RequestFilter
from access.finding import Finder, Number
from access.looks import by_index_alone
from access.models import AccessRequest
from accounts.models import User

MANY = 300
NOW = datetime(2026, 11, 20, tzinfo=UTC)
NAMES = [
    "Zoë Ångström",
    "zoe angstrom",
    "ÅSA Öst",
    "李明",
    "Иван Петров",
    "O’Brien",
    "100% real",
    "under_score",
    "back\\slash",
    "",
]
TOWNS = ["Paris", "paris texas", "Straße", "Genève"]

both = pytest.mark.parametrize(
    "database", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)]
)  # On the one that the suite runs on; the mark chooses it for the run on PostgreSQL.


@pytest.fixture
def crowd(gated_repo, make_repo, ada, monkeypatch):
    """Names, towns and times repeat in different rhythms.  `rare` was said once, `late` by the last tenth."""
    monkeypatch.setattr(finding, "LOOKED_AT", 20)
    monkeypatch.setattr(finding, "ENOUGH", 10)
    finding.texts_of.cache_clear()
    users = User.objects.bulk_create([User(username=f"person{n}", email=f"p{n}@example.org") for n in range(MANY)])
    other = make_repo("lab/other", by=ada, gated="manual")
    rows = []
    for repo, people in ((gated_repo, users), (other, users[:30])):
        for n, user in enumerate(people):
            town = (
                TOWNS[n % len(TOWNS)] + (" rare" if n == MANY // 2 else "") + (" late" if n >= MANY * 9 // 10 else "")
            )
            rows.append(
                AccessRequest(
                    repo=repo, user=user, fullname=NAMES[n % len(NAMES)], email=user.email,
                    answers={"Town": town, "I agree": "true", "Country": ["FR", "CH", "DE"][n % 3]},
                    requested_at=NOW - timedelta(days=(MANY - n) // 3),
                    status=["pending", "accepted", "pending"][n % 3],
                    reviewed_at=NOW - timedelta(hours=n // 10) if n % 3 == 1 else None,
                )
            )  # fmt: skip
    for row in rows:
        row.search_text = row.searchable()
    AccessRequest.objects.bulk_create(rows)
    return gated_repo


SEARCHES = ["", "person", "rare", "late", "zoe", "ZOË", "øystein", "x", "p", "李", "100%", "%", "_", "under_", "\\",
            "strasse", "paris & texas", "paris texas", "late zoë", "person1", "r_s", "пЕТРОВ", "o’b", "'"]  # fmt: skip
MORE = [
    {},
    {"answers": (("I agree", "true"),)},
    {"answers": (("Town", "Genève"),), "country": "CH", "countries_in": ("Country",)},
    {"asked_after": NOW - timedelta(days=3)},
    {"asked_before": NOW - timedelta(days=30), "answers": (("I agree", "true"),)},
]
ORDERS = [["requested_at", "pk"], ["-requested_at", "-pk"], ["fullname", "pk"], ["-reviewed_at", "-pk"]]


def by_hand(repo, chosen: RequestFilter) -> set[int]:
    """Keys of what the filter matches, found row by row."""
    found = set()
    said = search.searchable([chosen.search]).split()
    words = [word for word in said if any(letter.isalnum() for letter in word)]
    if said and not words:
        return found
    for row in AccessRequest.objects.filter(repo=repo, status=chosen.status):
        texts = [word if re.search(r"[^\W_]{3}", word) else f" {word}" for word in words]
        if (
            all(text in row.search_text for text in texts)
            and all(row.answers.get(label) == answer for label, answer in chosen.answers)
            and (not chosen.country or row.answers["Country"] == chosen.country)
            and (chosen.asked_after is None or row.requested_at >= chosen.asked_after)
            and (chosen.asked_before is None or row.requested_at <= chosen.asked_before)
        ):
            found.add(row.pk)
    return found


@both
def test_both_ways_find_what_is_there_in_order(database, crowd):
    for text, more, status in itertools.product(SEARCHES, MORE, ["pending", "accepted"]):
        chosen = RequestFilter(status, search=text, **more)
        expected = by_hand(crowd, chosen)
        for columns in ORDERS:
            if status == "pending" and columns[0] == "-reviewed_at":
                continue
            found = Finder(crowd, chosen, 1000).first(Q(), columns, 7)
            in_order = AccessRequest.objects.filter(pk__in=expected).order_by(*columns).values_list("pk", flat=True)
            assert found == list(in_order)[:7], (chosen, columns)


@both
def test_numbers_are_exact_where_few_match_and_certain_where_many_do(database, crowd):
    for text, more in itertools.product(SEARCHES, MORE):
        chosen = RequestFilter("pending", search=text, **more)
        expected = len(by_hand(crowd, chosen))
        number = Finder(crowd, chosen, 1000).count()
        if number.more:
            assert 0 < number.value < expected, chosen
        else:
            assert number.value == expected, chosen
    assert Finder(crowd, RequestFilter("pending", search="rare"), 1000).count() == Number(1)
    assert Finder(crowd, RequestFilter("pending", search="late"), 9).count() == Number(9, more=True)


@pytest.mark.postgresql
@pytest.mark.parametrize("text", ["rare", "late", "nobody"])
def test_what_few_have_is_found_by_its_index_alone(crowd, text):
    """Also where the planner would read the table, since it is so small."""
    with CaptureQueriesContext(connection) as queries:
        Finder(crowd, RequestFilter("pending", search=text), 1000).first(Q(), ["requested_at", "pk"], 7)
    found = next(query["sql"] for query in queries if "ARRAY" in query["sql"]).split("; ")[1]
    with by_index_alone(), connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {found}")
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "Bitmap Index Scan on access_request_find" in plan
    assert "Index Cond: ((ARRAY[" in plan
    assert "Seq Scan" not in plan
    assert planner() == {"enable_indexscan": "on", "enable_seqscan": "on", "jit": "on"}


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_the_planner_has_its_choice_back_afterwards(gated_repo):
    """Also without a transaction around it, as a page is shown."""
    before = planner()
    assert Finder(gated_repo, RequestFilter("pending", search="rare"), 1000).first(Q(), ["requested_at", "pk"], 7) == []
    assert not connection.in_atomic_block
    assert planner() == before


def planner() -> dict[str, str]:
    settings = {}
    with connection.cursor() as cursor:
        for name in ("enable_indexscan", "enable_seqscan", "jit"):
            cursor.execute(f"SHOW {name}")
            settings[name] = cursor.fetchone()[0]
    return settings


@pytest.mark.postgresql
def test_no_more_rows_are_looked_at_than_bounded(crowd):
    """A crowd is found without the index, however the statistics are."""
    with CaptureQueriesContext(connection) as queries:
        Finder(crowd, RequestFilter("pending", search="person"), 1000).first(Q(), ["fullname", "pk"], 7)
    texts, first, then = [query["sql"] for query in queries]
    assert "LIMIT 150" in texts  # Once in a while: they do not say that the word is rare.
    assert "LIMIT 1)" in first
    assert "LIMIT 20)" in then


@pytest.mark.postgresql
def test_some_of_rare_words_side_by_side_are_no_reason_to_look_at_many_rows(crowd, monkeypatch):
    monkeypatch.setattr(finding, "LOOKED_AT", 150)
    listed = AccessRequest.objects.filter(repo=crowd, status="pending").order_by("requested_at", "pk")
    place, *near = listed[100:103]
    for row in near:
        AccessRequest.objects.filter(pk=row.pk).update(search_text=f"{row.search_text} zebra")
    beyond = Q(requested_at__gt=place.requested_at) | Q(requested_at=place.requested_at, pk__gt=place.pk)
    with CaptureQueriesContext(connection) as queries:
        found = Finder(crowd, RequestFilter("pending", search="zebra"), 1000).first(beyond, ["requested_at", "pk"], 7)
    assert found == [row.pk for row in near]
    looks = [query["sql"] for query in queries if "looked_at AS" in query["sql"]]
    assert len(looks) == 1
    assert "LIMIT 10)" in looks[0]


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_the_index_is_made_and_unmade_beside_readers(gated_repo):
    def names() -> set[str]:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT indexname FROM pg_indexes WHERE indexdef LIKE '%USING gin%'"
                " AND tablename IN ('access_accessrequest', 'accounts_user')"
            )
            return {name for (name,) in cursor.fetchall()}

    assert {"access_request_find", "user_find"} <= names()
    call_command("migrate", "access", "0004", verbosity=0)
    assert {"access_request_search", "access_request_answers", "user_find"} == names()
    call_command("migrate", "accounts", "0002", verbosity=0)
    assert "user_find" not in names()
    call_command("migrate", verbosity=0)
    assert {"access_request_find", "user_find"} == names()
