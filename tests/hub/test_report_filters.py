"""`GET /{repo_id}/user-access-report` with filters.  ada reviews lab/toxic-bert; sam asked on a day, noor on the next,
olu was let in on the day after."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime

import pytest

from access import report, services
from access.models import AccessRequest
from accounts.actor import Actor
from accounts.models import AuditEvent
from tests.support.cast import ANSWERS, text_of
from tests.web.pages import soup, words

REPORT = "/lab/toxic-bert/user-access-report"
DAYS = {
    "sam": datetime(2026, 1, 30, 23, 59, 59, 999999, tzinfo=UTC),
    "noor": datetime(2026, 1, 31, 0, 0, tzinfo=UTC),
    "olu": datetime(2026, 2, 1, 12, 30, tzinfo=UTC),
}


@pytest.fixture
def asked(gated_repo, ada, sam, noor, olu):
    by = Actor(user=ada)
    rejected = services.ask(repo=gated_repo, answers=ANSWERS, by=Actor(user=sam))
    services.review(access_request=rejected, status="rejected", reason="Not now", by=by)
    services.ask(repo=gated_repo, answers=ANSWERS, by=Actor(user=noor))
    services.grant(repo=gated_repo, user=olu, by=by)
    for name, at in DAYS.items():
        AccessRequest.objects.filter(user__username=name).update(requested_at=at)
    return gated_repo


def people(answer) -> list[str]:
    assert answer.status_code == 200, answer.content
    return [row["user"] for row in json.loads(text_of(answer))]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("status=pending", ["noor"]),
        ("status=accepted", ["olu"]),
        ("status=rejected&status=accepted", ["sam", "olu"]),
        ("status=rejected,pending", ["sam", "noor"]),
        ("status=rejected,%20accepted&status=pending", ["sam", "noor", "olu"]),
        ("status=", ["sam", "noor", "olu"]),
        ("from=2026-01-31", ["noor", "olu"]),
        ("to=2026-01-30", ["sam"]),
        ("to=2026-01-31", ["sam", "noor"]),
        ("from=2026-01-31&to=2026-01-31", ["noor"]),
        ("from=2026-01-30T23:59:59.999999Z&to=2026-01-31T00:00:00Z", ["sam", "noor"]),
        ("from=2026-02-01T12:30:01", []),
        ("from=2026-02-01T14:30:00%2B02:00", ["olu"]),
        ("from=2026-02-01T14:30:00+02:00", ["olu"]),
        ("from=&to=", ["sam", "noor", "olu"]),
        ("from=0001-01-01&to=9999-12-31", ["sam", "noor", "olu"]),
        ("status=accepted&to=2026-01-31", []),
    ],
)
def test_only_those_asked_for_are_in_the_report(query, found, asked, api, ada):
    assert people(api(ada).get(f"{REPORT}?{query}")) == found


@pytest.mark.parametrize(
    ("query", "field", "says"),
    [
        ("status=granted", "status", "pending, accepted, rejected, not 'granted'"),
        ("status=pending,PENDING", "status", "not 'PENDING'"),
        ("from=yesterday", "from", "2026-01-31T10:20:30Z, not 'yesterday'"),
        ("from=2026-02-30", "from", "must be a date"),
        ("to=2026-13-01T00:00:00Z", "to", "must be a date"),
        ("to=%00", "to", "must be a date"),
        ("from=0001-01-01T00:00:00%2B14:00", "from", "must be a date"),
        ("from=2026-02-01&to=2026-01-31", "from", "after `to`"),
        ("from=2026-01-31T12:00:00Z&to=2026-01-31T11:59:59Z", "from", "after `to`"),
        ("format=xlsx", "format", "json, csv, jsonl"),
    ],
)
def test_what_makes_no_sense_is_named_and_exports_nothing(query, field, says, asked, api, ada):
    answer = api(ada).get(f"{REPORT}?{query}")
    assert answer.status_code == 400
    assert list(answer.json()["fields"]) == [field]
    assert says in answer.json()["error"]
    assert not AuditEvent.objects.filter(verb="report:export").exists()


def test_all_that_is_wrong_is_said_at_once(asked, api, ada):
    answer = api(ada).get(f"{REPORT}?status=vip&from=x&to=y")
    assert list(answer.json()["fields"]) == ["status", "from", "to"]


def test_the_trail_says_what_was_asked_for(asked, api, ada):
    api(ada).get(f"{REPORT}?format=csv&status=accepted,pending&from=2026-01-31&to=2026-02-01T00:00:00Z")
    assert AuditEvent.objects.get(verb="report:export").after == {
        "format": "csv",
        "filter": {
            "status": ["pending", "accepted"],
            "from": "2026-01-31T00:00:00+00:00",
            "to": "2026-02-01T00:00:00+00:00",
        },
    }


@pytest.mark.parametrize("format_", list(report.FORMATS))
def test_without_a_row_in_the_trail_there_is_no_report(format_, asked, api, ada, monkeypatch):
    def fail(*_, **__):
        raise RuntimeError("the disk is full")

    streamed = []
    caller = api(ada)
    monkeypatch.setattr(AuditEvent, "record", fail)
    monkeypatch.setattr(report, "stream", lambda *_, **__: streamed.append(1) or iter([b""]))
    with pytest.raises(RuntimeError, match="the disk is full"):  # A 500, where a server answers.
        caller.get(REPORT, {"format": format_})
    assert not streamed


def test_the_trail_is_written_before_the_first_byte(asked, api, ada, monkeypatch):
    seen = []
    monkeypatch.setattr(
        report,
        "stream",
        lambda *_, **__: seen.append(AuditEvent.objects.filter(verb="report:export").count()) or iter([]),
    )
    text_of(api(ada).get(REPORT))
    assert seen == [1]


def test_the_page_says_that_it_came_by_the_page(asked, browser, ada):
    text_of(browser(ada).get(REPORT, {"format": "csv"}))
    event = AuditEvent.objects.get(verb="report:export")
    assert (event.actor, event.entrance, event.token_name) == ("ada", "page", "")


def test_datasets_are_filtered_alike(make_repo, ada, lab, api, sam):
    repo = make_repo("lab/corpus", by=ada, type_="dataset", gated="manual")
    services.ask(repo=repo, answers={}, by=Actor(user=sam))
    path = "/datasets/lab/corpus/user-access-report"
    assert people(api(ada).get(f"{path}?status=pending")) == ["sam"]
    assert people(api(ada).get(f"{path}?status=accepted")) == []
    assert "user-access-report-lab-corpus-20" in api(ada).get(f"{path}?status=pending")["Content-Disposition"]


def test_who_may_not_see_the_requests_learns_nothing_of_wrong_filters_either(asked, stranger, api, sam):
    assert stranger.get(f"{REPORT}?status=vip").status_code == 401
    assert api(sam).get(f"{REPORT}?status=vip").status_code == 403


def test_the_schema_tells_the_parameters(client):
    schema = client.get("/api/openapi.json").json()
    told = schema["paths"]["/{namespace}/{name}/user-access-report"]["get"]["parameters"]
    by_name = {entry["name"]: entry for entry in told}
    assert {"format", "status", "from", "to"} <= set(by_name)
    assert by_name["format"]["schema"]["enum"] == sorted(report.FORMATS)
    assert by_name["status"]["schema"]["items"]["enum"] == sorted(AccessRequest.Status.values)


def test_the_form_on_the_settings_page_asks_for_what_the_report_knows(asked, browser, ada):
    client = browser(ada)
    form = soup(client.get("/lab/toxic-bert/settings")).find("form", action=REPORT)
    assert form.get("method", "get") == "get"
    options = {
        select["name"]: [option["value"] for option in select.select("option")] for select in form.select("select")
    }
    assert sorted(options["format"]) == sorted(report.FORMATS)
    assert options["status"] == ["", *AccessRequest.Status.values]
    sent = {control["name"]: "" for control in form.select("[name]")} | {"format": "csv", "status": "rejected"}
    assert set(sent) == {"format", "status", "from", "to"}
    text = text_of(client.get(REPORT, sent)).decode("utf-8-sig")
    assert [row["user"] for row in csv.DictReader(io.StringIO(text, newline=""))] == ["sam"]


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("from=2026-02-01&to=2026-01-31", "“Asked from” must not be after “Asked up to”. No report was made"),
        ("from=yesterday", "“Asked from” must be a date such as 2026-01-31"),
        ("status=vip", "“Status” must be one or more of pending, accepted, rejected"),
    ],
)
def test_people_are_told_in_the_words_of_the_form(query, says, asked, browser, ada):
    answer = browser(ada).get(f"{REPORT}?{query}", headers={"Accept": "text/html"})
    assert answer.status_code == 400
    page = words(soup(answer).main)
    assert says in page
    assert "Invalid input" not in page
    assert answer["X-Error-Message"].startswith("Invalid input: ")
