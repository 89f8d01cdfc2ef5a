"""How a report comes: in which order and pieces, by which queries, and how it ends when it cannot be completed."""

from __future__ import annotations

import csv
import io
import itertools
import json
import threading
import time
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from access import report, search
from access.models import AccessRequest
from access.report import copied, plain
from accounts.models import User
from tests.support.cast import ANSWERS

WRITERS = [pytest.param(plain.rows, id="python"), pytest.param(copied.rows, id="sql", marks=pytest.mark.postgresql)]


@pytest.fixture
def ask_many(gated_repo):
    """`ask_many([moment, …])`: a request of p0, p1, … at each of these, with the answers that are given."""

    def ask(moments, answers=ANSWERS):
        people = User.objects.bulk_create(User(username=f"p{number}") for number in range(len(moments)))
        return AccessRequest.objects.bulk_create(
            AccessRequest(repo=gated_repo, user=person, form=gated_repo.gate_form, answers=answers, requested_at=at)
            for person, at in zip(people, moments, strict=True)
        )

    return ask


def people_in(pieces) -> list[str]:
    return [json.loads(line)["user"] for line in b"".join(pieces).splitlines()]


def few_at_once(monkeypatch, rows: int, keys: int = 100) -> None:
    monkeypatch.setattr(plain, "_ROWS_AT_ONCE", rows)
    monkeypatch.setattr(copied, "_FIRST_ROWS", rows)
    monkeypatch.setattr(copied, "_MOST_ROWS", rows)
    monkeypatch.setattr(copied, "_FIRST_KEYS", keys)
    monkeypatch.setattr(copied, "_KEYS_AT_ONCE", keys)


@pytest.mark.parametrize("writer", WRITERS)
@pytest.mark.parametrize(("rows", "keys"), [(1, 1), (1, 4), (2, 3), (3, 2), (10, 3), (10, 6), (10, 7)])
def test_each_request_comes_once_by_time_however_few_are_read_at_once(writer, rows, keys, ask_many, monkeypatch):
    """Also where several were sent in the same moment."""
    few_at_once(monkeypatch, rows, keys)
    now = timezone.now()
    ask_many([now, now, now, now - timedelta(seconds=1), now, now + timedelta(microseconds=1)])
    found = report.framed(writer, "jsonl", AccessRequest.objects.all(), across_repos=False)
    assert people_in(found) == ["p3", "p0", "p1", "p2", "p4", "p5"]


@pytest.mark.parametrize("writer", WRITERS)
def test_who_asks_after_it_began_is_not_in_it(writer, ask_many, make_user, gated_repo, monkeypatch):
    few_at_once(monkeypatch, 1, 1)
    ask_many([timezone.now()] * 3)
    pieces = report.framed(writer, "jsonl", AccessRequest.objects.all(), across_repos=False)
    began = next(pieces)
    AccessRequest.objects.create(repo=gated_repo, user=make_user("late"), answers={"New": "question"})
    assert people_in([began, *pieces]) == ["p0", "p1", "p2"]


@pytest.mark.postgresql
def test_who_is_decided_about_meanwhile_is_not_in_the_report_of_those_who_wait(ask_many, monkeypatch):
    few_at_once(monkeypatch, 1)
    requests = ask_many([timezone.now()] * 3)
    pieces = report.stream("jsonl", AccessRequest.objects.pending(), across_repos=False)
    AccessRequest.objects.filter(pk=requests[1].pk).update(status="accepted", reviewed_at=timezone.now())
    assert people_in(pieces) == ["p0", "p2"]


@pytest.mark.parametrize("order", ["-requested_at", "fullname", "?"])
def test_any_queryset_will_do(order, ask_many, gated_repo):
    ask_many([timezone.now() - timedelta(days=number) for number in range(4)])
    AccessRequest.objects.filter(user__username="p2").update(search_text=search.searchable(["Wanted"]))
    asked = AccessRequest.objects.select_related("user", "repo").order_by(order).defer("answers")
    assert people_in(report.stream("jsonl", asked, across_repos=False)) == ["p3", "p2", "p1", "p0"]
    found = asked.filter(
        search.matching("want"), user__username__startswith="p", repo__namespace__name="lab"
    ).distinct()
    assert people_in(report.stream("jsonl", found, across_repos=False)) == ["p2"]
    assert people_in(report.stream("jsonl", asked.filter(search.matching("100%")), across_repos=False)) == []


@pytest.mark.postgresql
def test_a_question_called_like_our_stand_in_is_a_question(gated_repo, sam):
    gated_repo.gate_form.spec["fields"][0]["label"] = copied._KEYS
    type(gated_repo.gate_form).objects.filter(pk=gated_repo.gate_form_id).update(spec=gated_repo.gate_form.spec)
    AccessRequest.objects.create(repo=gated_repo, user=sam, form=gated_repo.gate_form, answers={copied._KEYS: "yes"})
    (row,) = csv.DictReader(
        io.StringIO(b"".join(report.stream("csv", AccessRequest.objects.all(), across_repos=False)).decode())
    )
    assert row[copied._KEYS] == "yes"


@pytest.mark.postgresql
def test_a_search_is_carried_out_once_where_few_match(ask_many, monkeypatch):
    """However many batches its rows are."""
    few_at_once(monkeypatch, 1, 1_000)
    ask_many([timezone.now()] * 5)
    with CaptureQueriesContext(connection) as asked:
        b"".join(report.stream("json", AccessRequest.objects.all(), across_repos=False))
    copies = [query["sql"] for query in asked if query["sql"].startswith("COPY")]
    assert sum("LIMIT 1000)" in sql for sql in copies) == 1
    assert sum("ANY('{" in sql for sql in copies) == 5


@pytest.mark.postgresql
def test_long_answers_go_to_the_disk_and_make_batches_smaller(ask_many, monkeypatch, settings):
    batches = []
    rows_of = copied._copy_rows
    monkeypatch.setattr(copied, "_IN_MEMORY", 50_000)
    monkeypatch.setattr(copied, "_BATCH", 100_000)
    monkeypatch.setattr(copied, "_FIRST_ROWS", 20)

    def noted(database, statement, spool):
        size = rows_of(database, statement, spool)
        batches.append((size, spool._rolled))
        return size

    monkeypatch.setattr(copied, "_copy_rows", noted)
    ask_many([timezone.now()] * 60, {"Company": "é" * 20_000})
    pieces = list(report.stream("jsonl", AccessRequest.objects.all(), across_repos=False))
    assert len(people_in(pieces)) == 60
    assert max(map(len, pieces)) <= copied._PIECE
    assert all(rolled for _, rolled in batches)
    assert [round(size / 40_000) for size, _ in batches] == [20, *[2] * 20]
    assert not [path for path in settings.GATEHUB_TMP_DIR.rglob("*") if path.is_file()]


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("format_", list(report.FORMATS))
def test_no_connection_is_held_while_the_reader_takes_its_time(format_, ask_many, monkeypatch):
    few_at_once(monkeypatch, 2)
    ask_many([timezone.now()] * 6)
    seen = 0
    for _ in report.stream(format_, AccessRequest.objects.all(), across_repos=True):
        assert connection.connection is None
        seen += 1
    assert seen >= 3


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_the_next_rows_are_copied_while_some_are_sent_but_not_all(ask_many, monkeypatch):
    few_at_once(monkeypatch, 1)
    ask_many([timezone.now()] * 6)
    made: list[str] = []
    rows_of = copied._copy_rows

    def noted(*args):
        made.append(threading.current_thread().name)
        return rows_of(*args)

    monkeypatch.setattr(copied, "_copy_rows", noted)
    pieces = report.stream("jsonl", AccessRequest.objects.all(), across_repos=False)
    next(pieces)
    ahead = 1 + copied._AT_ONCE
    deadline = time.monotonic() + 30
    while len(made) < ahead:
        assert time.monotonic() < deadline, "nothing is copied ahead"
        time.sleep(0.01)
    time.sleep(0.2)
    assert len(made) == ahead
    assert len(people_in([*pieces])) == 5
    assert len(made) == 6
    assert all(name.startswith("report") for name in made)


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_rows_keep_their_order_however_long_each_batch_takes(ask_many, monkeypatch):
    few_at_once(monkeypatch, 2, keys=5)
    now = timezone.now()
    ask_many([now + timedelta(seconds=number) for number in range(17)])
    rows_of, asked = copied._copy_rows, itertools.count()

    def uneven(*args):
        if next(asked) % 2 == 0:
            time.sleep(0.05)
        return rows_of(*args)

    monkeypatch.setattr(copied, "_copy_rows", uneven)
    pieces = report.stream("jsonl", AccessRequest.objects.all(), across_repos=False)
    assert people_in(pieces) == [f"p{number}" for number in range(17)]


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_a_reader_who_goes_away_leaves_no_thread_and_no_file(ask_many, monkeypatch, settings):
    few_at_once(monkeypatch, 1)
    monkeypatch.setattr(copied, "_IN_MEMORY", 1)
    ask_many([timezone.now()] * 6)
    pieces = report.stream("jsonl", AccessRequest.objects.all(), across_repos=False)
    next(pieces)
    pieces.close()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("report")]
    assert not [path for path in settings.GATEHUB_TMP_DIR.rglob("*") if path.is_file()]


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_what_fails_while_rows_are_sent_ends_the_report_as_broken(ask_many, monkeypatch):
    few_at_once(monkeypatch, 1)
    ask_many([timezone.now()] * 6)
    rows_of, asked = copied._copy_rows, itertools.count()

    def failing(*args):
        if next(asked) == 2:
            raise RuntimeError("the database has gone")
        return rows_of(*args)

    monkeypatch.setattr(copied, "_copy_rows", failing)
    got: list[bytes] = []
    with pytest.raises(RuntimeError, match="the database has gone"):
        got.extend(report.stream("jsonl", AccessRequest.objects.all(), across_repos=False))
    assert b"This report is incomplete" in got[-1]
    assert len(people_in(got[:-1])) < 6


@pytest.mark.parametrize("format_", list(report.FORMATS))
def test_a_report_that_cannot_be_completed_is_not_taken_for_a_whole_one(format_, ask_many, monkeypatch):
    few_at_once(monkeypatch, 1)
    monkeypatch.setattr(plain, "_PIECE", 1)
    ask_many([timezone.now()] * 3)
    writer = copied.rows if connection.vendor == "postgresql" else plain.rows

    def failing(layout, requests):
        yield next(writer(layout, requests))
        raise RuntimeError("the database has gone")

    monkeypatch.setattr(copied, "rows", failing)
    monkeypatch.setattr(plain, "rows", failing)
    got: list[bytes] = []
    with pytest.raises(RuntimeError, match="the database has gone"):  # So the server breaks the connection off.
        got.extend(report.stream(format_, AccessRequest.objects.all(), across_repos=False))
    text = b"".join(got).decode("utf-8-sig")
    assert "p0" in text
    assert "This report is incomplete" in text
    with pytest.raises((csv.Error, json.JSONDecodeError)):
        read(format_, text)


def read(format_: str, text: str) -> object:
    """As a strict reader would."""
    if format_ == "csv":
        return list(csv.reader(io.StringIO(text, newline=""), strict=True))
    return json.loads(text) if format_ == "json" else [json.loads(line) for line in text.splitlines()]


def test_what_is_wrong_from_the_start_is_raised_before_an_answer_begins(ask_many, monkeypatch):
    def failing(layout, requests):
        raise RuntimeError("the database has gone")
        yield

    monkeypatch.setattr(copied, "rows", failing)
    monkeypatch.setattr(plain, "rows", failing)
    for format_ in report.FORMATS:
        with pytest.raises(RuntimeError):
            report.stream(format_, AccessRequest.objects.all(), across_repos=False)


@pytest.mark.postgresql
@pytest.mark.parametrize(
    ("chosen", "index"),
    [
        ({"repo__name": "toxic-bert"}, "access_request_"),
        ({}, "access_request_of_all"),
        ({"status": "pending"}, "access_request_of_all_queue"),
    ],
)
def test_an_index_has_the_keys_in_the_order_of_the_report(chosen, index, gated_repo):
    """With a sort, the first byte took three seconds at 600,000."""
    if "repo__name" in chosen:
        chosen = {"repo": gated_repo}
    with CaptureQueriesContext(connection) as asked:
        list(copied._keys(AccessRequest.objects.filter(**chosen)))
    (copy,) = [query["sql"] for query in asked if query["sql"].startswith("COPY")]
    with connection.cursor() as cursor:
        cursor.execute(
            "SET LOCAL enable_seqscan TO off; SET LOCAL enable_bitmapscan TO off; SET LOCAL enable_sort TO off"
        )
        if "status" in chosen:  # Of a table without rows either may be chosen, as earlier tests have left them.
            cursor.execute("DROP INDEX access_request_of_all")
        cursor.execute("EXPLAIN " + copy.removeprefix("COPY (").removesuffix(") TO STDOUT"))
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert index in plan
    assert "Sort" not in plan
