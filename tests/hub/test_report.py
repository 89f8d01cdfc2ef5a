"""`GET /{repo_id}/user-access-report`.  ada reviews lab/toxic-bert; sam was rejected, noor waits, olu was let in."""

from __future__ import annotations

import csv
import io
import json
import re

import pytest

from access import report, services
from access.models import AccessRequest
from accounts.actor import Actor
from accounts.models import AuditEvent
from repos import services as repo_services
from tests.support.cast import ANSWERS, add_files, text_of

REPORT = "/lab/toxic-bert/user-access-report"
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


@pytest.fixture
def asked(gated_repo, ada, sam, noor, olu):
    by = Actor(user=ada)
    rejected = services.ask(repo=gated_repo, answers=ANSWERS | {"Company": "Genève"}, by=Actor(user=sam))
    services.review(access_request=rejected, status="rejected", reason="Not now", by=by)
    services.ask(repo=gated_repo, answers=ANSWERS, by=Actor(user=noor))
    services.grant(repo=gated_repo, user=olu, by=by)
    return gated_repo


def rows(answer) -> list[dict[str, str]]:
    """The lines of a CSV report, as a spreadsheet reads them."""
    return list(csv.DictReader(io.StringIO(text_of(answer).decode("utf-8-sig"), newline="")))


def test_the_json_report_has_what_the_hub_gives(asked, api, ada):
    answer = api(ada).get(REPORT)
    assert answer.status_code == 200
    assert answer["Content-Type"] == "application/json"
    assert answer["Content-Disposition"] == 'attachment; filename="user-access-report-lab-toxic-bert.json"'
    assert answer["Cache-Control"] == "no-store"
    found = json.loads(text_of(answer))
    times = [row.pop(key) for row in found for key in ("time", "reviewedAt") if key in row]
    assert len(times) == 5
    assert all(TIME.fullmatch(time) for time in times)
    assert found == [
        {"fullname": "Sam Requester", "user": "sam", "email": "sam@example.org", "status": "rejected"},
        {"fullname": "Noor Haddad", "user": "noor", "email": "noor@example.org", "status": "pending"},
        {
            "fullname": "Olu Owner",
            "user": "olu",
            "email": None,
            "status": "accepted",
            "grantedBy": {"fullname": "Ada Lovelace", "user": "ada"},
        },
    ]


@pytest.mark.parametrize(("format_", "text"), [("json", b"[\n]\n"), ("jsonl", b"")])
def test_a_report_about_nobody_is_empty(format_, text, gated_repo, api, ada):
    assert text_of(api(ada).get(REPORT, {"format": format_})) == text


def test_the_csv_has_each_question_as_a_column_and_who_decided(asked, api, ada):
    answer = api(ada).get(REPORT, {"format": "csv"})
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert re.search(
        r'filename="user-access-report-lab-toxic-bert-20\d\d-\d\d-\d\d\.csv"$', answer["Content-Disposition"]
    )
    found = rows(answer)
    assert [row["user"] for row in found] == ["sam", "noor", "olu"]
    first = found[0]
    assert list(first)[-3:] == ["Company", "Country", "I agree"]
    assert (first["Company"], first["Country"], first["I agree"]) == ("Genève", "FR", "true")
    assert (first["reviewer"], first["reason"], first["form"]) == ("ada", "Not now", asked.gate_form.commit_sha)
    assert (found[1]["reviewer"], found[1]["reviewedAt"]) == ("", "")
    assert (found[2]["Company"], found[2]["form"], found[2]["email"]) == ("", "", "")


def test_json_lines_are_an_object_a_line_with_the_answers(asked, api, ada):
    found = [json.loads(line) for line in text_of(api(ada).get(REPORT, {"format": "jsonl"})).splitlines()]
    assert [row["user"] for row in found] == ["sam", "noor", "olu"]
    assert found[0]["fields"] == ANSWERS | {"Company": "Genève"}
    assert list(found[0]["fields"]) == list(ANSWERS)
    assert (found[0]["reviewer"], found[0]["reason"]) == ("ada", "Not now")


def test_questions_of_all_versions_of_the_form_are_columns(asked, api, ada, make_user):
    card = b"---\nextra_gated_fields:\n  Company: text\n  Purpose: text\n---\n"
    add_files(asked, {"README.md": card}, by=ada)
    asked.refresh_from_db()
    services.ask(repo=asked, answers={"Company": "New", "Purpose": "Study"}, by=Actor(user=make_user("late")))
    found = rows(api(ada).get(REPORT, {"format": "csv"}))
    assert list(found[0])[-4:] == ["Company", "Country", "I agree", "Purpose"]
    assert [row["Purpose"] for row in found] == ["", "", "", "Study"]
    assert [row["Company"] for row in found] == ["Genève", "Example University", "", "New"]


@pytest.mark.parametrize("evil", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1+1", "\r=1+1"])
def test_no_cell_begins_with_what_a_spreadsheet_would_run(evil, gated_repo, api, ada, sam, make_user):
    AccessRequest.objects.create(
        repo=gated_repo, user=sam, fullname=evil, answers={"Company": evil}, form=gated_repo.gate_form
    )
    found = rows(api(ada).get(REPORT, {"format": "csv"}))
    assert (found[0]["fullname"], found[0]["Company"]) == (f"'{evil}", f"'{evil}")


def test_a_question_may_not_run_either(gated_repo, api, ada, sam):
    card = b'---\nextra_gated_fields:\n  "=cmd|x": text\n---\n'
    add_files(gated_repo, {"README.md": card}, by=ada)
    gated_repo.refresh_from_db()
    services.ask(repo=gated_repo, answers={"=cmd|x": 'a, "b"\nc'}, by=Actor(user=sam))
    found = rows(api(ada).get(REPORT, {"format": "csv"}))
    assert found[0]["'=cmd|x"] == 'a, "b"\nc'


def test_a_question_named_like_a_column_of_ours_keeps_both(gated_repo, api, ada, sam):
    card = b"---\nextra_gated_fields:\n  email: text\n---\n"
    add_files(gated_repo, {"README.md": card}, by=ada)
    gated_repo.refresh_from_db()
    services.ask(repo=gated_repo, answers={"email": "another"}, by=Actor(user=sam))
    (row,) = rows(api(ada).get(REPORT, {"format": "csv"}))
    assert (row["email"], row["answer: email"]) == ("sam@example.org", "another")


@pytest.mark.parametrize("format_", ["xlsx", "", "CSV", "../json"])
def test_an_unknown_format_is_refused_and_not_recorded(format_, gated_repo, api, ada):
    answer = api(ada).get(REPORT, {"format": format_})
    assert answer.status_code == 400
    assert "json, csv, jsonl" in answer.json()["error"]
    assert not AuditEvent.objects.filter(verb="report:export").exists()


def test_each_export_is_in_the_audit_trail(asked, api, ada):
    api(ada, name="ci").get(REPORT, {"format": "csv"})
    event = AuditEvent.objects.get(verb="report:export")
    assert (event.actor, event.token_name, event.target, event.repo) == ("ada", "ci", "lab/toxic-bert", asked.pk)
    assert event.after == {"format": "csv"}


def test_whoever_may_not_review_gets_no_report(asked, stranger, api, ada, sam, rea, con, wes):
    assert stranger.get(REPORT).status_code == 401
    for caller in (api(sam), api(rea), api(con), api(ada, "read")):
        assert caller.get(REPORT).status_code == 403
    assert api(wes).get(REPORT).status_code == 200
    assert AuditEvent.objects.filter(verb="report:export").count() == 1


def test_a_hidden_repo_and_a_missing_one_have_no_report_alike(make_repo, ada, lab, api, sam):
    make_repo("lab/secret", by=ada, private=True, gated="manual")
    answers = [api(sam).get(f"/lab/{name}/user-access-report") for name in ("secret", "absent")]
    assert [answer.status_code for answer in answers] == [404, 404]
    assert answers[0].content == answers[1].content


def test_requests_stay_in_the_report_when_the_gate_is_off(asked, api, ada):
    repo_services.change_settings(asked, {"gated": False}, by=Actor(user=ada))
    assert len(json.loads(text_of(api(ada).get(REPORT)))) == 3


def test_a_signed_in_reviewer_downloads_it_from_the_page(asked, browser, ada):
    assert browser(ada).get(REPORT, {"format": "csv"}).status_code == 200


def test_datasets_have_a_report_too(make_repo, ada, lab, api, sam):
    repo = make_repo("lab/corpus", by=ada, type_="dataset", gated="manual")
    services.ask(repo=repo, answers={}, by=Actor(user=sam))
    assert json.loads(text_of(api(ada).get("/datasets/lab/corpus/user-access-report")))[0]["user"] == "sam"


@pytest.mark.parametrize("format_", list(report.FORMATS))
def test_more_rows_need_no_more_queries(format_, gated_repo, make_user, django_assert_max_num_queries):
    users = [make_user(f"person-{number}") for number in range(12)]
    AccessRequest.objects.bulk_create(
        AccessRequest(repo=gated_repo, user=user, form=gated_repo.gate_form, answers=ANSWERS) for user in users
    )
    with django_assert_max_num_queries(9):  # On PostgreSQL with those for transactions; SQLite takes 3.
        assert b"person-11" in b"".join(report.stream(format_, gated_repo.access_requests.all(), across_repos=False))


def test_a_head_exports_nothing_and_leaves_no_trail(asked, api, ada, monkeypatch):
    monkeypatch.setattr(report, "stream", None)
    answer = api(ada).head(f"{REPORT}?format=csv")
    assert (answer.status_code, answer["Content-Type"], text_of(answer)) == (200, "text/csv; charset=utf-8", b"")
    assert not AuditEvent.objects.filter(verb="report:export").exists()


def test_labels_that_are_called_like_other_columns_have_columns_of_their_own(gated_repo, api, ada, sam):
    labels = ["user", "answer: user", "status", "=1+1", "'=1+1"]
    fields = json.dumps(dict.fromkeys(labels, "text"))
    add_files(gated_repo, {"README.md": f"---\nextra_gated_fields: {fields}\n---\n".encode()}, by=ada)
    gated_repo.refresh_from_db()
    services.ask(repo=gated_repo, answers={label: f"to {label}" for label in labels}, by=Actor(user=sam))
    (row,) = rows(api(ada).get(REPORT, {"format": "csv"}))
    assert row["user"] == "sam"
    assert list(row.values())[-5:] == [f"to {label}" for label in labels]
    assert len(row) == len(report.COLUMNS) + 5
    (line,) = text_of(api(ada).get(REPORT, {"format": "jsonl"})).splitlines()
    assert list(json.loads(line)["fields"]) == labels
