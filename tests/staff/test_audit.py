"""The audit trail in the admin: found, read, exported.  stef is a superuser; aud may see it; rev may not."""

from __future__ import annotations

import csv
import io
import json
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from access import tokens
from accounts.actor import SYSTEM, Actor, Entrance
from accounts.audit_changes import Change, compared
from accounts.models import AuditEvent
from repos import services as repo_services
from tests.support.cast import make_token, text_of
from tests.web.pages import form_to, soup, words

LIST = "/admin/accounts/auditevent/"
EXPORT = f"{LIST}export/"


@pytest.fixture
def stef(make_staff):
    return make_staff("stef", superuser=True)


@pytest.fixture
def aud(make_staff):
    return make_staff("aud", "accounts.view_auditevent")


@pytest.fixture
def events(ada, gated_repo):
    """Three that say something of their own, beside those by which the cast came about."""
    token = tokens.authenticate(make_token(ada, name="nightly-ci"))
    by = Actor(user=ada, token=token, entrance=Entrance.GIT, address="192.0.2.7")
    return [
        AuditEvent.record(
            by=by, verb="repo:push", target="lab/toxic-bert@refs/heads/odd", repo=gated_repo.pk, before="a" * 40
        ),
        AuditEvent.record(by=SYSTEM, verb="mail_address:stopped", target="zoë@example.org", after={"what": "=1+1"}),
        AuditEvent.record(
            by=Actor(user=ada, entrance=Entrance.ADMIN, address="2001:db8::7"),
            verb="user:rights",
            target="sam",
            before={"is_staff": False, "kept": [1]},
            after={"is_staff": True, "kept": [1], "new": None},
        ),
    ]


def shown(answer) -> list[str]:
    return [words(cell) for cell in soup(answer).select("#result_list .field-target")]


def test_the_newest_is_first_and_a_look_at_it_changes_nothing(stef, events, browser):
    before = AuditEvent.objects.count()
    targets = shown(browser(stef).get(LIST))
    assert targets[:2] == ["sam", "zoë@example.org"]
    assert AuditEvent.objects.count() == before


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"q": "nightly"}, ["lab/toxic-bert@refs/heads/odd", "nightly-ci of ada"]),
        ({"q": "zoë@"}, ["zoë@example.org"]),
        ({"q": "Zoë"}, ["zoë@example.org"]),
        ({"q": "user:rights"}, ["sam"]),
        ({"q": "192.0.2.7"}, ["lab/toxic-bert@refs/heads/odd"]),
        ({"q": "2001:0db8::7"}, ["sam"]),
        ({"q": "192.0.2.8"}, []),
        ({"q": "%"}, []),
        ({"q": "_"}, []),
        ({"q": "nobody has this name"}, []),
        ({"noun": "mail_address"}, ["zoë@example.org"]),
        ({"noun": "user", "entrance__exact": "admin"}, ["sam"]),
        ({"entrance__exact": "git"}, ["lab/toxic-bert@refs/heads/odd"]),
        ({"noun": "no such noun"}, []),
        ({"age": "no such age"}, []),
    ],
    ids=str,
)
def test_what_is_found(query, found, events, stef, browser):
    answer = browser(stef).get(LIST, query)
    assert answer.status_code == 200
    assert sorted(shown(answer)) == sorted(found)


def test_a_repo_is_found_by_its_id_of_today_whatever_it_was_called(events, gated_repo, ada, stef, browser):
    repo_services.move_repo(gated_repo, namespace=ada.namespace, name="tame-bert", by=Actor(user=ada))
    targets = shown(browser(stef).get(LIST, {"q": "ada/tame-bert"}))
    assert "lab/toxic-bert@refs/heads/odd" in targets
    assert "sam" not in targets
    repo_services.delete_repo(gated_repo, by=Actor(user=ada))
    assert "ada/tame-bert" in shown(browser(stef).get(LIST, {"q": "ada/tame-bert"})), "by its name, once it is gone"


def test_what_is_old_is_left_out_by_age(events, stef, browser, monkeypatch):
    client, later = browser(stef), timezone.now() + timedelta(days=8)
    monkeypatch.setattr("accounts.admin.trail.timezone.now", lambda: later)
    assert shown(client.get(LIST, {"age": "7"})) == []
    assert "sam" in shown(client.get(LIST, {"age": "30"}))


def test_the_list_takes_as_many_queries_for_many_rows_as_for_few(events, stef, browser, django_assert_max_num_queries):
    client = browser(stef)
    by = Actor(address="192.0.2.7")
    AuditEvent.objects.bulk_create([AuditEvent.of(by=by, verb="thing:do", target=str(n)) for n in range(60)])
    with django_assert_max_num_queries(12):
        assert len(shown(client.get(LIST))) == 50


def test_a_row_shows_before_and_after_and_leads_to_who_and_what(events, ada, gated_repo, stef, browser):
    client = browser(stef)
    page = soup(client.get(reverse("admin:accounts_auditevent_change", args=[events[2].pk])))
    found = page.select(".audit-changes tbody tr")  # PostgreSQL keeps the names in an order of its own.
    rows = sorted([*(words(cell) for cell in row.select("th, td")), "differs" in row.get("class", [])] for row in found)
    assert rows == [
        ["is_staff", "no", "yes", True], ["kept", "[ 1 ]", "[ 1 ]", False], ["new", "nothing", "none", True]
    ]  # fmt: skip
    assert page.select_one(f'a[href="/admin/accounts/user/{ada.pk}/change/"]')
    page = soup(client.get(reverse("admin:accounts_auditevent_change", args=[events[0].pk])))
    assert words(page.select_one(f'a[href="/admin/repos/repo/{gated_repo.pk}/change/"]')) == "model lab/toxic-bert"
    assert "192.0.2.7" in words(page)


def test_a_row_outlives_who_and_what(events, ada, gated_repo, stef, browser):
    repo_services.delete_repo(gated_repo, by=Actor(user=ada))
    ada.delete()
    page = soup(browser(stef).get(reverse("admin:accounts_auditevent_change", args=[events[0].pk])))
    assert f"key {gated_repo.pk or events[0].repo}, deleted" in words(page)
    assert not page.select('a[href*="/admin/repos/repo/"][href$="change/"]')


def test_whoever_may_not_see_addresses_sees_exports_and_finds_none(events, aud, browser):
    client = browser(aud)
    answer = client.get(LIST)
    assert answer.status_code == 200
    assert "192.0.2.7" not in answer.content.decode()
    assert (
        "192.0.2.7" not in client.get(reverse("admin:accounts_auditevent_change", args=[events[0].pk])).content.decode()
    )
    assert shown(client.get(LIST, {"q": "192.0.2.7"})) == []


def test_a_reviewer_sees_nothing_of_it(events, make_staff, browser):
    client = browser(make_staff("rev", "access.view_accessrequest", "access.review_accessrequest"))
    assert client.get(LIST).status_code == 403
    assert client.post(EXPORT, {"format": "csv"}).status_code == 403


def test_seeing_is_not_exporting(events, aud, browser):
    client, before = browser(aud), AuditEvent.objects.count()
    assert not soup(client.get(LIST)).select(".audit-export")
    assert client.post(EXPORT, {"format": "csv"}).status_code == 403
    assert AuditEvent.objects.count() == before


def _exported(client, format_, query=""):
    page = soup(client.get(LIST + query))
    form = form_to(page, EXPORT)
    answer = client.post(form["action"], {"format": format_})
    assert answer.status_code == 200, answer
    return text_of(answer).decode()


def test_an_export_holds_what_the_list_shows_and_leaves_a_row_itself(events, stef, browser):
    text = _exported(browser(stef), "csv", "?noun=mail_address")
    rows = list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))
    assert [row["target"] for row in rows] == ["zoë@example.org"]
    assert json.loads(rows[0]["after"]) == {"what": "=1+1"}
    event = AuditEvent.objects.first()
    assert (event.verb, event.actor, event.entrance, event.address) == ("audit:export", "stef", "admin", "127.0.0.1")
    assert event.after == {"format": "csv", "asked": "noun=mail_address"}


def test_cells_that_a_spreadsheet_would_run_are_text(ada, stef, browser):
    AuditEvent.record(by=SYSTEM, verb="thing:do", target='=HYPERLINK("x")', before="@a", after="line\none")
    row = next(csv.DictReader(io.StringIO(_exported(browser(stef), "csv").removeprefix("\ufeff"))))
    assert (row["target"], row["before"], row["after"]) == ('\'=HYPERLINK("x")', "'@a", "line\none")


def test_json_lines_keep_everything_in_order_over_many_batches(events, stef, browser, monkeypatch):
    monkeypatch.setattr("accounts.audit_export.ROWS_AT_ONCE", 2)
    kept = list(AuditEvent.objects.order_by("-at", "-pk").values_list("target", flat=True))
    rows = [json.loads(line) for line in _exported(browser(stef), "jsonl").splitlines()]
    assert [row["target"] for row in rows] == kept
    by_target = {row["target"]: row for row in rows}
    assert by_target["sam"]["after"] == {"is_staff": True, "kept": [1], "new": None}
    assert by_target["sam"]["address"] == "2001:db8::7"


def test_an_export_without_the_right_to_addresses_has_none(events, make_staff, browser):
    client = browser(make_staff("exp", "accounts.view_auditevent", "accounts.export_auditevent"))
    text = _exported(client, "jsonl")
    assert "192.0.2.7" not in text
    assert "address" not in json.loads(text.splitlines()[0])


@pytest.mark.parametrize("format_", ["", "xml", "json"])
def test_an_unknown_format_leads_back_and_exports_nothing(events, stef, browser, format_):
    before = AuditEvent.objects.count()
    assert browser(stef).post(EXPORT, {"format": format_})["Location"] == LIST
    assert AuditEvent.objects.count() == before


def test_a_look_at_the_export_exports_nothing(events, stef, browser):
    before = AuditEvent.objects.count()
    assert browser(stef).get(EXPORT).status_code == 302
    assert AuditEvent.objects.count() == before


def test_values_are_compared_by_name_or_as_a_whole():
    assert compared(None, None) == []
    assert compared("a", "b") == [Change("", "a", "b")]
    assert compared(None, {"x": 1}) == [Change("x", None, "1")]
    assert compared({"x": True}, None) == [Change("x", "yes", None)]
    assert compared({"x": 1}, "gone") == [Change("", '{\n "x": 1\n}', "gone")]
    assert not Change("x", "1", "1").differs
