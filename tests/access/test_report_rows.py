"""The rows of a report, as PostgreSQL and as Python write them.  ada publishes lab/toxic-bert; many people ask."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
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
@pytest.mark.parametrize("across_repos", [False, True])
@pytest.mark.parametrize("format_", list(report.FORMATS))
@pytest.mark.parametrize("most", [1_000, 4, 0])
def test_postgresql_and_python_write_the_same_bytes(hostile, format_, across_repos, most, monkeypatch):
    monkeypatch.setattr(columns, "MOST_ANSWERS", most)
    theirs = written(plain.rows, format_, across_repos=across_repos)
    ours = written(copied.rows, format_, across_repos=across_repos)
    assert len(ours) > 10_000
    assert ours.splitlines() == theirs.splitlines()
    assert ours == theirs
