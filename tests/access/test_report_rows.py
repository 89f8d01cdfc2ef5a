"""The rows of a report, as PostgreSQL and as Python write them.  ada publishes lab/toxic-bert; many people ask."""

from __future__ import annotations

import csv
import io
import json
import random
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

import pytest
from django.db import connection
from django.db.models.expressions import RawSQL

from access import report
from access.models import AccessRequest
from access.report import columns, copied, plain
from accounts.models import User
from repos.models import GateForm

WRITERS = [pytest.param(plain.rows, id="python"), pytest.param(copied.rows, id="sql", marks=pytest.mark.postgresql)]
SIGNS = "=+-@\t\r\n '\"\\,;{}[]:%_/\x01\x02\x0b\x1b\x7f\x85é€\u2028\ufeff😀👩‍🚀aZ0"
HOSTILE = [
    *("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "'=1", " =1", '"=1"'),
    *("", " ", "'", '"', '""', '","', "\\", "\\.", "\\n", '\\"', "a\\", "%s %% %", "{}", "[]", "null", "true", "NULL"),
    *("two\nlines", "two\r\nlines", "a\rb", "\x01\x02\x03", "\x7f\x85\u2028\u2029", "\ufeffm", "e\u0301", "\U0010fffd"),
    *("😀", "👩‍🚀 in space", "עברית", "ไทย", "x" * 20_480, "é" * 20_480, '"\\' * 10_240, "\n" * 500),
    *(True, False, None, 0, -1, 1.5, 10**20, 1e300, 1.50, [], {}, ["a", 1, None], {"a": {"b": ['"', "\\"]}}),
]  # fmt: skip


def written(writer: Any, format_: str, *, across_repos: bool = False, requests: Any = None) -> bytes:
    requests = AccessRequest.objects.all() if requests is None else requests
    return b"".join(report.framed(writer, format_, requests, across_repos=across_repos))


def form_of(repo: Any, labels: list[str]) -> GateForm:
    number = repo.gate_forms.count()
    fields = [{"label": label, "type": "text"} for label in labels]
    return GateForm.objects.create(
        repo=repo, digest=f"{number:064}", commit_sha=f"{number:040}", spec={"fields": fields}
    )


@pytest.fixture
def hostile(gated_repo, make_repo, ada, lab):
    """Requests with whatever one can think of, some of them of a dataset, to versions of a form that differ."""
    chance = random.Random(5)  # noqa: S311 - the same rows in each run
    other = make_repo("lab/corpus", by=ada, type_="dataset", gated="manual")
    labels = ["Company", "=cmd", "user", 'quoted "label"', "50 %s", "2020", "two\nlines", "back\\slash", "", "a" * 200]
    forms = [form_of(gated_repo, labels), form_of(gated_repo, labels[1:3]), form_of(other, ["Company", "Other"]), None]
    texts = [answer for answer in HOSTILE if isinstance(answer, str)]
    began = datetime(2026, 1, 31, 23, 59, 59, 999999, tzinfo=UTC)
    people = User.objects.bulk_create(User(username=f"person-{number}", email="") for number in range(200))
    requests = []
    for number, answer in enumerate([*HOSTILE, *("".join(chance.choices(SIGNS, k=9)) for _ in range(40))]):
        form = forms[number % 4]
        asked = [] if form is None else [field["label"] for field in form.spec["fields"]]
        status = ("pending", "accepted", "rejected")[number % 3]
        at = began + timedelta(seconds=number // 3, microseconds=0 if number % 2 else 1001 * number)
        decided = {} if status == "pending" else {"reviewed_at": at + timedelta(days=1)}
        if number % 5 and decided:
            decided["reviewed_by"] = ada
        text = answer if isinstance(answer, str) else chance.choice(texts)
        requests.append(
            AccessRequest(
                repo=other if form is None or form is forms[2] else gated_repo,
                user=people[number],
                form=form,
                answers={
                    label: answer if place == number % 3 else chance.choice(HOSTILE)
                    for place, label in enumerate(asked)
                }
                | ({"Unasked": answer, "Company": answer} if number % 7 == 0 else {}),
                fullname=text[:120],
                email=text[:200] if number % 2 else "",
                status=status,
                rejection_reason=text[:200] if status == "rejected" else "",
                requested_at=at,
                granted=form is None,
                **decided,
            )
        )
    AccessRequest.objects.bulk_create(requests)
    if connection.vendor == "postgresql":  # As it spells them, which Python would not.
        numbers = RawSQL("""'{"Company": 1.50, "2020": 1e400, "Unasked": -0.0}'::jsonb""", [])
        AccessRequest.objects.filter(pk=requests[0].pk).update(answers=numbers)
    return requests


@pytest.mark.postgresql
def test_postgresql_and_python_write_the_same_bytes(hostile, monkeypatch):
    for most, format_, across_repos in product((1_000, 4, 0), report.FORMATS, (False, True)):
        monkeypatch.setattr(columns, "MOST_ANSWERS", most)
        theirs = written(plain.rows, format_, across_repos=across_repos)
        ours = written(copied.rows, format_, across_repos=across_repos)
        assert len(ours) > 10_000
        assert ours.splitlines() == theirs.splitlines()
        assert ours == theirs


def cell(answer: Any) -> str:
    """What a reader of CSV finds for an answer."""
    if answer is None:
        return ""
    text = answer if isinstance(answer, str) else json.dumps(answer, ensure_ascii=False)
    return f"'{text}" if text[:1] in {"=", "+", "-", "@", "\t", "\r", "\n"} and text else text


def table(text: bytes) -> list[list[str]]:
    """As any reader of CSV takes it, and a strict one without complaint."""
    return list(csv.reader(io.StringIO(text.decode("utf-8-sig"), newline=""), strict=True))


@pytest.mark.parametrize("writer", WRITERS)
def test_a_reader_of_csv_reads_back_what_was_answered(hostile, gated_repo, writer):
    asked = AccessRequest.objects.filter(repo=gated_repo).exclude(pk=hostile[0].pk)
    header, *rows = table(written(writer, "csv", requests=asked))
    requests = list(asked.select_related("user", "form", "reviewed_by").order_by("requested_at", "pk"))
    assert len(rows) == len(requests) > 30
    asked_most = max(gated_repo.gate_forms.all(), key=lambda form: len(form.spec["fields"]))
    labels = [field["label"] for field in asked_most.spec["fields"]]
    assert header == [
        *report.COLUMNS, "Company", "'=cmd", "answer: user", *labels[3:],
    ]  # fmt: skip
    for row, request in zip(rows, requests, strict=True):
        own = dict(zip(report.COLUMNS, row, strict=False))
        assert own["user"] == request.user.username
        assert own["fullname"] == cell(request.fullname)
        assert own["email"] == cell(request.email)
        assert own["reason"] == cell(request.rejection_reason)
        assert own["reviewer"] == ("" if request.reviewed_by is None else "ada")
        assert own["form"] == ("" if request.form is None else request.form.commit_sha)
        assert row[len(report.COLUMNS) :] == [cell(request.answers.get(label)) for label in labels]


@pytest.mark.parametrize("writer", WRITERS)
@pytest.mark.parametrize("format_", ["jsonl", "json"])
def test_json_reads_back_what_was_answered(hostile, writer, format_):
    asked = AccessRequest.objects.exclude(pk=hostile[0].pk)
    text = written(writer, format_, across_repos=True, requests=asked).decode()
    lines = text.removesuffix("\n").split("\n")  # `splitlines` knows more ends of a line than JSON does.
    rows = json.loads(text) if format_ == "json" else [json.loads(line) for line in lines]
    requests = list(asked.select_related("user", "form", "repo__namespace").order_by("requested_at", "pk"))
    for row, request in zip(rows, requests, strict=True):
        assert list(row)[:2] == ["type", "repo"]
        assert (row["type"], row["repo"], row["user"]) == (request.repo.type, str(request.repo), request.user.username)
        assert row["fullname"] == request.fullname
        if format_ == "jsonl":
            assert row["fields"] == request.answers
        else:
            assert ("grantedBy" in row) == (request.status == "accepted" and request.reviewed_by_id is not None)


@pytest.mark.parametrize("writer", WRITERS)
def test_times_have_milliseconds_that_are_cut_off(gated_repo, sam, writer):
    at = datetime(2026, 1, 31, 23, 59, 59, 999999, tzinfo=UTC)
    later = datetime(2026, 2, 1, tzinfo=UTC)
    AccessRequest.objects.create(repo=gated_repo, user=sam, status="accepted", requested_at=at, reviewed_at=later)
    (row,) = json.loads(written(writer, "json"))
    assert (row["time"], row["reviewedAt"]) == ("2026-01-31T23:59:59.999Z", "2026-02-01T00:00:00.000Z")


@pytest.mark.parametrize("writer", WRITERS)
def test_what_has_no_column_of_its_own_is_in_the_last_one(gated_repo, sam, noor, writer, monkeypatch):
    monkeypatch.setattr(columns, "MOST_ANSWERS", 2)
    form = form_of(gated_repo, ["one", "two", "three", "more answers"])
    answers = {"one": "1", "two": "=2", "three": "=3", "more answers": "=4"}
    AccessRequest.objects.create(repo=gated_repo, user=sam, form=form, answers=answers)
    AccessRequest.objects.create(repo=gated_repo, user=noor, form=form, answers={"one": "only"})
    header, first, second = table(written(writer, "csv"))
    assert header[len(report.COLUMNS) :] == ["one", "two", "more answers"]
    assert first[len(report.COLUMNS) : -1] == ["1", "'=2"]
    assert json.loads(first[-1]) == {"three": "=3", "more answers": "=4"}
    assert second[len(report.COLUMNS) :] == ["only", "", ""]
    lines = [json.loads(line) for line in written(writer, "jsonl").splitlines()]
    assert [line["fields"] for line in lines] == [answers, {"one": "only"}]


@pytest.mark.parametrize("writer", WRITERS)
def test_a_thousand_questions_of_many_repos_are_columns(make_repo, ada, lab, sam, writer):
    names = ["lab/a", "lab/b", "lab/c"]
    for number, name in enumerate(names):
        repo = make_repo(name, by=ada, gated="manual")
        labels = [f"question {number} {place}" for place in range(400)]
        answers = {label: f"to {label}" for label in labels}
        AccessRequest.objects.create(repo=repo, user=sam, form=form_of(repo, labels), answers=answers)
    header, *rows = table(written(writer, "csv", across_repos=True))
    assert len(header) == 2 + len(report.COLUMNS) + 1_000 + 1
    assert [row[1] for row in rows] == names
    assert [sum(map(bool, row[2 + len(report.COLUMNS) : -1])) for row in rows] == [400, 400, 200]
    assert len(json.loads(rows[2][-1])) == 200


@pytest.mark.parametrize("writer", WRITERS)
@pytest.mark.parametrize("format_", list(report.FORMATS))
def test_a_report_about_nobody(gated_repo, writer, format_):
    nobody = {"csv": b"\xef\xbb\xbf" + ",".join(report.COLUMNS).encode() + b"\n", "jsonl": b"", "json": b"[\n]\n"}
    assert written(writer, format_) == nobody[format_]
    assert written(writer, format_, requests=AccessRequest.objects.none()) == nobody[format_]
    assert b"".join(report.stream(format_, AccessRequest.objects.all(), across_repos=False)) == nobody[format_]
