"""Finding requests by stretches of time, held against the plain query.  Up to two hundred ask for lab/toxic-bert.

So few rows are looked at, sorted and sampled that every way of finding is gone.
"""

from __future__ import annotations

import itertools
import random
import re
from datetime import UTC, date, datetime, time, timedelta

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.models import BooleanField, Q
from django.db.models.expressions import RawSQL
from django.test.utils import CaptureQueriesContext

from access import finding, search, spans, tallies
from access.filters import RequestFilter
from access.finding import Finder, Number
from access.looks import by_index_alone
from access.models import AccessRequest
from accounts.keyset import Order
from accounts.models import User

MANY = 180
NUMBER = 7
DAY = timedelta(days=1)
BORDER = datetime.combine(date.fromordinal((23126 << 5) + 1), time.min, UTC)  # Of two blocks, in 2026.
TICK = timedelta(microseconds=1)
ORDERS = {
    "pending": [Order("requested_at"), Order("fullname")],
    "accepted": [Order("requested_at"), Order("reviewed_at"), Order("fullname")],
}
STATUSES = list(ORDERS)


def evenly(n: int) -> datetime:
    return BORDER + (n - MANY // 2) * 3.3 * DAY


def in_one_month(n: int) -> datetime:
    return BORDER + n * DAY / 6


def in_one_day(n: int) -> datetime:
    return BORDER + n * timedelta(minutes=8)


def at_once(n: int) -> datetime:
    return BORDER


def around_midnights(n: int) -> datetime:
    """Last and first microseconds of days, of which every 32nd ends a block."""
    return BORDER + (n // 6 - 15) * 16 * DAY + (n % 3 - 1) * TICK


def with_gaps_of_years(n: int) -> datetime:
    return BORDER.replace(year=1968 + n // 30 * 17) + n % 30 * DAY / 2


def at_the_ends_of_time(n: int) -> datetime:
    """Of Python's, almost: PostgreSQL's session is some hours from UTC, perhaps."""
    return datetime(9999, 12, 30, 12, tzinfo=UTC) - n * DAY if n % 2 else datetime(1, 1, 2, 12, tzinfo=UTC) + n * DAY


LAYOUTS = [evenly, in_one_month, in_one_day, at_once, around_midnights, with_gaps_of_years, at_the_ends_of_time]
layouts = pytest.mark.parametrize("layout", LAYOUTS, ids=[layout.__name__ for layout in LAYOUTS])
pytestmark = pytest.mark.postgresql


@pytest.fixture
def bounds(monkeypatch):
    for name, value in {
        "LOOKED_AT": 20,
        "ENOUGH": 11,
        "MOST_SORTED": 12,
        "SOME": 12,
        "CROWD": 30,
        "SAMPLED_FROM": 15,
    }.items():
        monkeypatch.setattr(finding, name, value)
    monkeypatch.setattr(spans, "MOST_AT_ONCE", 4)
    monkeypatch.setattr(search, "ENOUGH_TEXTS", 20)  # So that the index is asked for parts of words.
    finding.texts_of.cache_clear()


@pytest.fixture
def ask(gated_repo, make_repo, ada):
    """Many ask at the times of a layout, in no order of keys, and of the other repo as well.  `word(n)` is in their
    answers, of the nth in time; every third is accepted, at a time that has little to do with when they asked."""

    def ask(layout, word, number=MANY) -> None:
        seeded = random.Random(5)  # noqa: S311 - the same rows in each run
        people = [User(username=f"person{n}", email=f"p{n}@example.org") for n in range(number)]
        users = User.objects.bulk_create(people)
        places = list(range(number))
        seeded.shuffle(places)
        rows = []
        for repo in (gated_repo, make_repo("lab/other", by=ada, gated="manual")):
            for n, user in zip(places, users, strict=True):
                asked, said = layout(n), {"Why": f"everybody {word(n)}", "Country": "FR" if n % 4 else "CH"}
                decided = BORDER + seeded.randrange(100) * DAY if n % 3 == 1 else None
                rows.append(
                    AccessRequest(
                        repo=repo, user=user, email=user.email, fullname=seeded.choice(["Ada", "Zoë", "李明", ""]),
                        answers=said, requested_at=asked, status="accepted" if decided else "pending",
                        reviewed_at=decided, search_text=search.searchable([user.username, *said.values()]),
                    )
                )  # fmt: skip
        AccessRequest.objects.bulk_create(rows)

    return ask


def plain(repo, chosen: RequestFilter, beyond: Q, columns: list[str]) -> list[int]:
    rows = chosen.requests(repo).filter(beyond).order_by(*columns)
    return list(rows.values_list("pk", flat=True)[:NUMBER])


def asked_of_the_index(repo, chosen: RequestFilter, order: Order) -> list[str]:
    """What finding and counting asks the index of contents, once what was found is right; something at least."""
    with CaptureQueriesContext(connection) as queries:
        finder = Finder(repo, chosen, 9)
        found = finder.first(Q(), order.columns, NUMBER)
        finder.count()
    assert found == plain(repo, chosen, Q(), order.columns)
    by_index = [query["sql"] for query in queries if "&&" in query["sql"]]
    assert by_index
    # Each between what leaves the planner no choice, and what gives it back.
    return [
        re.fullmatch(r"SELECT set_config.*?; (SELECT .*?)(; SET LOCAL \w+ TO DEFAULT)+", sql)[1] for sql in by_index
    ]


def windows(seeded: random.Random, moments: list[datetime]) -> list[dict[str, datetime]]:
    """None; an open one each way; and some that begin and end with a request, or a microsecond beside one."""
    some = [sorted(seeded.sample(moments, 2)) for _ in range(3)]
    between = [
        {
            "asked_after": since + seeded.choice([-1, 0, 1]) * TICK,
            "asked_before": until + seeded.choice([-1, 0, 1]) * TICK,
        }
        for since, until in some
    ]
    return [{}, {"asked_after": moments[-12]}, {"asked_before": moments[20]}, *between]


WORDS = {
    "late": lambda n: "late" if n >= MANY * 3 // 4 else "",
    "early": lambda n: "early" if n < MANY // 4 else "",
    "middle": lambda n: "middle" if MANY // 3 < n < MANY // 2 else "",
    "rare": lambda n: "rare" if n in (0, 77, 150) else "",
}


@layouts
@pytest.mark.parametrize("rare", [finding.RARE, MANY], ids=["few are rare", "all seem rare"])
def test_what_is_found_is_what_a_plain_query_finds(layout, rare, bounds, ask, gated_repo, monkeypatch):
    monkeypatch.setattr(finding, "RARE", rare)
    seeded = random.Random(11)  # noqa: S311
    ask(layout, lambda n: " ".join(word(n) for word in WORDS.values()))
    moments = sorted(AccessRequest.objects.filter(repo=gated_repo).values_list("requested_at", flat=True))
    rows = {status: list(AccessRequest.objects.filter(repo=gated_repo, status=status)) for status in STATUSES}
    for text, status in itertools.product((*WORDS, "everybody", "nobody", "person7", "everybody rare", ""), STATUSES):
        for order in ORDERS[status]:
            window = seeded.choice(windows(seeded, moments))
            country = {"country": "CH", "countries_in": ("Country",)} if seeded.random() < 0.3 else {}
            chosen = RequestFilter(status, search=text, **(window if seeded.random() < 0.5 else {}), **country)
            for way in (order, order.reversed):
                place = way.beyond(AccessRequest, way.cursor(seeded.choice(rows[status])))
                for beyond in (Q(), place):
                    found = Finder(gated_repo, chosen, 9).first(beyond, way.columns, NUMBER)
                    assert found == plain(gated_repo, chosen, beyond, way.columns), (chosen, way, beyond)


@layouts
@pytest.mark.parametrize("rare", [finding.RARE, MANY], ids=["few are rare", "all seem rare"])
def test_numbers_are_right_after_each_way_of_finding(layout, rare, bounds, ask, gated_repo, monkeypatch):
    monkeypatch.setattr(finding, "RARE", rare)
    ask(layout, lambda n: " ".join(word(n) for word in WORDS.values()))
    for text, window in itertools.product((*WORDS, "everybody", "person7"), ({}, {"asked_before": BORDER + 3 * DAY})):
        chosen = RequestFilter("pending", search=text, **window)
        expected = chosen.requests(gated_repo).count()
        for order in (Order("requested_at"), Order("requested_at", descending=True), Order("fullname")):
            finder = Finder(gated_repo, chosen, 30)
            finder.first(Q(), order.columns, NUMBER)
            number = finder.count()
            if number.more:
                assert 0 < number.value < expected, (chosen, order)
            else:
                assert number == Number(expected), (chosen, order)


@pytest.mark.parametrize(
    ("word", "order"),
    [
        ("late", Order("requested_at")),
        ("early", Order("requested_at", descending=True)),
        ("middle", Order("requested_at")),
        ("middle", Order("requested_at", descending=True)),
    ],
)
@pytest.mark.parametrize("layout", [evenly, in_one_month], ids=["evenly", "in_one_month"])
def test_a_crowd_behind_a_stretch_without_any_is_never_collected(word, order, layout, bounds, ask, gated_repo):
    ask(layout, WORDS[word])
    chosen = RequestFilter("pending", search=word)
    for sql in asked_of_the_index(gated_repo, chosen, order):  # The LIMIT comes before any order.
        assert re.search(r"LIMIT (10|13|19)(\) AS (found|taken)( GROUP BY day)?( ORDER BY|$)|$)", sql), sql
        assert "ORDER BY" not in sql.partition("LIMIT")[0]


@pytest.mark.parametrize(("word", "said", "samples"), [("rare", "rare", 0), ("rare", "ra", 0), ("early", "early", 1)])
def test_of_rare_words_no_sample_is_taken(word, said, samples, bounds, ask, gated_repo):
    ask(evenly, WORDS[word])
    newest = Order("requested_at", descending=True)
    by_index = asked_of_the_index(gated_repo, RequestFilter("pending", search=said), newest)
    assert sum(sql.startswith("SELECT day, count(*) FROM") for sql in by_index) == samples
    assert samples or len(by_index) == 1  # What is rare is found and counted at once.


@pytest.mark.parametrize(("rare", "times"), [(0, 0), (MANY, 1)], ids=["not rare", "seems rare"])
def test_who_are_many_after_all_are_not_sorted_by_name_at_once(rare, times, bounds, ask, gated_repo, monkeypatch):
    """A crowd that the texts, which are of both ends of the list, do not tell of."""
    monkeypatch.setattr(finding, "RARE", rare)
    monkeypatch.setattr(finding, "LOOKED_AT", MANY)
    monkeypatch.setattr(finding, "LIKELY", 0.1)
    ask(evenly, WORDS["middle"])
    with CaptureQueriesContext(connection) as queries:
        finder = Finder(gated_repo, RequestFilter("pending", search="middle"), 9)
        found = finder.first(Q(), ["fullname", "pk"], NUMBER)
    assert found == plain(gated_repo, finder.chosen, Q(), ["fullname", "pk"])
    by_index = [query["sql"] for query in queries if "&&" in query["sql"]]
    assert all("LIMIT 19)" in sql for sql in by_index)
    assert len(by_index) == times
    assert finder.count().more


@pytest.mark.parametrize("order", [Order("requested_at"), Order("fullname")])
def test_the_index_is_not_asked_for_what_everybody_has(order, bounds, ask, gated_repo):
    ask(evenly, WORDS["rare"])
    chosen = RequestFilter("pending", search="person77 everybody")
    for sql in asked_of_the_index(gated_repo, chosen, order):
        assert "\"search_text\"::text LIKE '%everybody%'" not in sql
        assert re.search(r"""\("access_accessrequest"."search_text" \|\| ''\)::text LIKE '%everybody%'""", sql), sql


def test_some_texts_of_a_list_are_asked_for_once_in_a_while(bounds, ask, gated_repo, monkeypatch):
    ask(evenly, WORDS["rare"])
    clock = [1000.0]
    monkeypatch.setattr(finding, "monotonic", lambda: clock[0])

    def asked(word: str, status: str = "pending") -> int:
        with CaptureQueriesContext(connection) as queries:
            finder = Finder(gated_repo, RequestFilter(status, search=word), 9)
            assert finder.first(Q(), ["requested_at", "pk"], NUMBER) == plain(
                gated_repo, finder.chosen, Q(), ["requested_at", "pk"]
            )
        return sum("SUBSTRING" in query["sql"] for query in queries)

    assert [asked("person77"), asked("rare everybody"), asked("person77", "accepted")] == [1, 0, 1]
    clock[0] += finding.TEXTS_KEPT
    assert asked("person77") == 1


def test_of_a_window_its_blocks_alone_are_asked_for(bounds, ask, gated_repo, monkeypatch):
    ask(evenly, WORDS["late"])
    monkeypatch.setattr(finding, "LOOKED_AT", 10)  # Fewer than the window has.
    window = {"asked_after": BORDER + 100 * DAY, "asked_before": BORDER + 190 * DAY}
    with CaptureQueriesContext(connection) as queries:
        found = Finder(gated_repo, RequestFilter("pending", search="late", **window), 9).first(
            Q(), ["fullname", "pk"], NUMBER
        )
    assert len(found) == NUMBER
    (sql,) = [query["sql"] for query in queries if "&&" in query["sql"]]
    key = spans.key_of(gated_repo, "pending")
    assert str(key) not in sql  # The blocks of the window, not the list.


def is_in_one_of(*keys: int) -> RawSQL:
    return RawSQL(spans.IS_IN_ONE_OF, [list(keys)], output_field=BooleanField())  # noqa: S611


def is_in_list(key: int) -> RawSQL:
    return RawSQL(spans.IS_IN_LIST, [key], output_field=BooleanField())  # noqa: S611


def test_the_words_of_a_span_are_those_of_the_index(bounds, ask, gated_repo):
    ask(evenly, WORDS["late"])
    span = spans.blocks(gated_repo, "pending", tallies.by_day(gated_repo))[-1]
    list_key = spans.key_of(gated_repo, "pending")
    for key, words in ((span.key, is_in_one_of(span.key)), (list_key, is_in_list(list_key))):
        with by_index_alone():
            plan = AccessRequest.objects.filter(words, search_text__contains="late").explain()
        assert "Bitmap Index Scan on access_request_find" in plan
        (asked,) = [line for line in plan.splitlines() if "Index Cond" in line]
        assert f"&& '{{{key}}}'" in asked
        assert "Seq Scan" not in plan
    assert "TIME ZONE" not in plan  # Which takes the longest to make again for each row.


def test_it_does_not_matter_where_the_session_of_the_database_is(bounds, ask, gated_repo):
    ask(around_midnights, WORDS["late"])
    expected = plain(gated_repo, RequestFilter("pending", search="late"), Q(), ["requested_at", "pk"])
    with connection.cursor() as cursor:
        for zone in ("Pacific/Auckland", "America/Los_Angeles", "UTC"):
            cursor.execute("SELECT set_config('TimeZone', %s, false)", [zone])
            window = {"asked_after": evenly(0) - 1000 * DAY, "asked_before": evenly(MANY)}
            for more in ({}, window):
                chosen = RequestFilter("pending", search="late", **more)
                found = Finder(gated_repo, chosen, 9).first(Q(), ["requested_at", "pk"], NUMBER)
                assert found == expected, (zone, more)


def test_spans_are_days_and_blocks_in_utc(bounds, ask, gated_repo):
    ask(around_midnights, lambda n: "", number=36)
    listed = spans.blocks(gated_repo, "pending", tallies.by_day(gated_repo))
    rows = AccessRequest.objects.filter(repo=gated_repo, status="pending")
    assert spans.total(listed) == rows.count()
    tallied = tallies.by_day(gated_repo)
    for span in [*listed, *(day for block in listed for day in spans.days(gated_repo, "pending", tallied, block))]:
        within = rows.filter(requested_at__range=(span.begins, span.ends))
        assert set(within) == set(rows.filter(is_in_one_of(span.key)))
        assert len(within) == span.number
    assert set(rows.filter(is_in_list(spans.key_of(gated_repo, "pending")))) == set(rows)
    assert not rows.filter(is_in_one_of()).exists()


@pytest.mark.django_db(transaction=True)
def test_the_index_is_replaced_beside_readers_and_after_a_broken_attempt(gated_repo):
    def definition() -> str:
        with connection.cursor() as cursor:
            cursor.execute("SELECT indexdef FROM pg_indexes WHERE indexname LIKE 'access_request_find%%'")
            ((found,),) = cursor.fetchall()
            return str(found)

    assert "'UTC'" in definition()
    call_command("migrate", "access", "0006", verbosity=0)
    assert "'UTC'" not in definition()
    with connection.cursor() as cursor:
        cursor.execute("CREATE INDEX access_request_find_new ON access_accessrequest (email)")
    call_command("migrate", verbosity=0)
    assert "'UTC'" in definition()
