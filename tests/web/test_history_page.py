"""The history of lab/toxic-bert for its people.  ada manages it, wes has the write role, sam asked, stef is staff."""

from __future__ import annotations

import csv
import io
import json

import pytest

from access import services
from accounts.actor import SYSTEM, Actor, Entrance
from accounts.models import AuditEvent, Namespace
from gatehub.web import history_facts, history_words
from repos import services as repo_services
from tests.support.cast import make_token, text_of
from tests.web.pages import soup, words

HISTORY = "/lab/toxic-bert/settings/history"
DOWNLOAD = f"{HISTORY}/download"


@pytest.fixture
def eventful(gated_repo, asked, ada, sam, noor, make_staff):
    by_ada = Actor(user=ada, entrance=Entrance.PAGE, address="192.0.2.7")
    services.review(access_request=asked[0], status="rejected", reason="Say more", by=by_ada)
    repo_services.change_settings(gated_repo, {"gated": "auto"}, by=by_ada)
    stef = make_staff("stef", superuser=True)
    by_stef = Actor(user=stef, entrance=Entrance.ADMIN, address="192.0.2.99")
    AuditEvent.record(by=by_stef, verb="repo:disable", target="lab/toxic-bert", repo=gated_repo.pk)
    AuditEvent.record(by=by_stef, verb="delivery:send_again", target="mail to x@example.org", repo=gated_repo.pk)
    return gated_repo


def gated_form(repo) -> str:
    return repo.gate_form.digest


def lines(page) -> list[str]:
    return [words(line) for line in page.select(".history > li")]


def test_the_settings_page_tells_the_newest_and_leads_to_all(eventful, browser, ada):
    page = soup(browser(ada).get("/lab/toxic-bert/settings"))
    told = lines(page.select_one("#history"))
    assert len(told) == 5
    assert told[0].startswith("Staff of this server had a mail sent again")
    what = "ada changed the settings Who may download Gated, manual review → Gated, automatic approval "
    assert told[2].startswith(what)
    assert page.select_one(f'#history a[href="{HISTORY}"]')
    assert page.select_one('.subnav a[href="#history"]')


def test_it_says_who_did_what_and_how_in_plain_words(eventful, browser, ada):
    page = soup(browser(ada).get(HISTORY))
    told = " | ".join(lines(page))
    for said in ("Staff of this server disabled the repository", "ada rejected the request of sam",
                 "Reason Say more", "sam asked for access", "ada created the repository", "ada committed to main",
                 "on the pages", "by the API"):  # fmt: skip
        assert said in told, said
    assert page.select_one('.history a.title[href="/sam"]')
    assert gated_form(eventful) not in told, "digests say nothing to people"
    assert gated_form(eventful) in text_of(browser(ada).get(DOWNLOAD, {"format": "jsonl"})).decode()


def test_it_tells_no_network_address_no_token_and_no_name_of_staff(eventful, api, browser, ada, sam):
    api(sam, name="sams-laptop").post("/api/models/lab/toxic-bert/user-access-request/cancel-mine")
    client = browser(ada)
    bodies = [client.get(path).content.decode() for path in (HISTORY, "/lab/toxic-bert/settings")]
    bodies += [text_of(client.get(DOWNLOAD, {"format": name})).decode() for name in ("csv", "jsonl")]
    for body in bodies:
        for secret in ("192.0.2", "127.0.0.1", "stef", "sams-laptop", "x@example.org"):
            assert secret not in body, secret


def test_a_search_for_the_name_of_staff_finds_nothing(eventful, browser, ada):
    page = soup(browser(ada).get(HISTORY, {"person": "stef"}))
    assert lines(page) == []
    assert "Nothing matches." in words(page)


@pytest.mark.parametrize(
    ("query", "there", "not_there"),
    [
        ({"kind": "requests"}, "asked for access", "created the repository"),
        ({"kind": "gate"}, "changed the settings", "asked for access"),
        ({"kind": "files"}, "committed to main", "changed the settings"),
        ({"kind": "repo"}, "created the repository", "committed to main"),
        ({"person": "sam"}, "ada rejected the request of sam", "noor asked for access"),
        ({"person": "noor", "kind": "requests"}, "noor asked", "sam"),
        ({"kind": "no such kind"}, "created the repository", "nothing"),
    ],
    ids=str,
)
def test_filters(query, there, not_there, eventful, browser, ada):
    told = " | ".join(lines(soup(browser(ada).get(HISTORY, query))))
    assert there in told
    assert not_there not in told


@pytest.mark.parametrize("person", ["%", "_", "\0", "🦉", "' OR 1=1"])
def test_odd_names_find_nothing_and_break_nothing(person, eventful, browser, ada):
    answer = browser(ada).get(HISTORY, {"person": f"x{person}"})
    assert answer.status_code == 200
    assert lines(soup(answer)) == []


def test_pages_follow_each_other_without_gap_or_double(gated_repo, browser, ada):
    AuditEvent.objects.bulk_create(
        [
            AuditEvent.of(by=Actor(user=ada), verb="branch:create", target=f"lab/toxic-bert@b{n}", repo=gated_repo.pk)
            for n in range(120)
        ]
    )
    client, address, told = browser(ada), f"{HISTORY}?kind=files", []
    while address:
        page = soup(client.get(address))
        told += lines(page)
        following = page.select_one("a[rel=next]")
        address = following["href"] if following else ""
    branches = [line.split("created the branch ")[1].split()[0] for line in told if "created the branch" in line]
    assert branches == [f"b{n}" for n in reversed(range(120))]
    back = page.select_one("a[rel=prev]")["href"]
    assert "kind=files" in back
    assert len(lines(soup(client.get(back)))) == 50


def test_a_place_that_is_none_shows_the_first_page(eventful, browser, ada):
    client = browser(ada)

    def told(**place: str) -> list[str]:
        return [words(line) for line in soup(client.get(HISTORY, place)).select(".history .what")]

    for nonsense in ("x", "W10", "%00"):
        assert told(after=nonsense) == told()


def test_a_moved_repo_keeps_its_history_and_another_in_its_place_has_its_own(eventful, browser, ada, make_repo):
    repo_services.move_repo(eventful, namespace=Namespace.objects.get(name="ada"), name="bert", by=Actor(user=ada))
    told = " | ".join(lines(soup(browser(ada).get("/ada/bert/settings/history"))))
    assert "moved it from lab/toxic-bert to ada/bert" in told
    assert "sam asked for access" in told
    make_repo("lab/toxic-bert", by=ada)
    assert "sam" not in " | ".join(lines(soup(browser(ada).get(HISTORY))))


def test_who_may_not_change_the_settings_sees_no_history(eventful, browser, sam, rea, make_user, api, ada):
    for user, status in ((sam, 403), (rea, 403)):
        for path in (HISTORY, f"{DOWNLOAD}?format=csv"):
            assert browser(user).get(path).status_code == status
    assert browser().get(HISTORY).status_code == 302
    repo_services.change_settings(eventful, {"private": True}, by=Actor(user=ada))
    assert browser(sam).get(HISTORY).status_code == 404


def _events_of(verb):
    return AuditEvent.objects.filter(verb=verb)


def test_a_download_as_csv_is_safe_in_spreadsheets_and_recorded(eventful, browser, ada):
    AuditEvent.record(by=SYSTEM, verb="tag:create", target="lab/toxic-bert@=1+1", repo=eventful.pk, after="-2")
    answer = browser(ada).get(DOWNLOAD, {"format": "csv", "kind": "files"})
    assert answer["Content-Disposition"] == 'attachment; filename="history-lab-toxic-bert.csv"'
    rows = list(csv.DictReader(io.StringIO(text_of(answer).decode().removeprefix("\ufeff"))))
    assert (rows[0]["person"], rows[0]["what"], rows[0]["after"]) == ("GateHub", "created the tag =1+1", "'-2")
    assert {row["verb"].partition(":")[0] for row in rows} <= {"tag", "branch", "repo"}
    event = _events_of("audit:export").get()
    assert (event.actor, event.entrance, event.repo) == ("ada", "page", eventful.pk)
    assert event.after == {"format": "csv", "asked": "kind=files"}


def test_a_download_as_json_lines_tells_all_of_the_page(eventful, browser, ada):
    rows = [json.loads(line) for line in text_of(browser(ada).get(DOWNLOAD, {"format": "jsonl"})).splitlines()]
    assert len(rows) == AuditEvent.objects.filter(repo=eventful.pk).exclude(verb="audit:export").count()
    settings = next(row for row in rows if row["verb"] == "repo:settings")
    assert (settings["before"], settings["after"]) == ({"gated": "manual"}, {"gated": "auto"})
    assert "downloaded this history" in lines(soup(browser(ada).get(HISTORY)))[0]


def test_an_unknown_format_or_a_look_at_the_headers_records_nothing(eventful, browser, ada):
    assert browser(ada).get(DOWNLOAD, {"format": "xml"}).status_code == 400
    assert browser(ada).head(DOWNLOAD, {"format": "csv"}).status_code == 200
    assert not _events_of("audit:export").exists()


def test_what_matches_nothing_is_no_download(eventful, browser, ada):
    client = browser(ada)
    assert len(soup(client.get(HISTORY)).select("a[download]")) == 2
    assert not soup(client.get(HISTORY, {"person": "nobody"})).select("a[download]")


def test_settings_are_called_as_on_the_settings_page(gated_repo, browser, ada):
    by = Actor(user=ada, entrance=Entrance.PAGE)
    changed = {"private": True, "orgMembersGated": True, "gatedNotificationsMode": "real-time"}
    repo_services.change_settings(gated_repo, changed, by=by)
    repo_services.change_settings(gated_repo, {"gated": False, "gatedNotificationsEmail": "desk@example.com"}, by=by)
    client = browser(ada)
    page, settings = soup(client.get(HISTORY)), words(soup(client.get("/lab/toxic-bert/settings")))
    told = [words(fact) for fact in page.select(".history dl > div")]
    assert "Visibility Public → Private" in told
    assert "Members must ask, too no → yes" in told
    assert "Notifications Once a day → Real-time" in told
    assert "Notification address none → desk@example.com" in told
    assert "Who may download Gated, manual review → Open" in told
    assert not [fact for fact in told if "_" in fact]
    for known in ("Public", "Private", "Once a day", "Real-time", "Gated, manual review", "Open"):
        assert known in settings, "the history says it as the settings do"


@pytest.mark.parametrize(
    ("event", "said", "told"),
    [
        ("started", {"status": "accepted", "total": 1}, "began to accept 1 request"),
        ("started", {"status": "rejected", "total": 1400}, "began to reject 1,400 requests at once"),
        ("finished", {"status": "accepted", "decided": 12, "refused": 3}, "accepted 12 requests at once"),
        ("finished", {"status": "pending", "decided": 0, "refused": 1}, "put back to pending no request"),
        ("stopped", {"status": "accepted", "decided": 2, "because": "x"}, "accepted 2 requests at once, and stopped"),
        ("finished", None, "decided about many requests at once"),
        ("finished", {"status": ["x"], "decided": "y"}, "decided about many requests at once"),
    ],
)
def test_a_decision_about_many_says_which_and_how_many(event, said, told):
    assert history_words.sentence(AuditEvent(verb=f"bulk_review:{event}", target="lab/x", after=said)).startswith(told)


def test_facts_hide_no_setting_that_they_have_no_name_for_and_show_nothing_empty():
    assert history_facts.facts("repo:settings", {"new_thing": False}, {"new_thing": True}) == [
        ("New thing", "no", "yes")
    ]
    before, after = {"disabled": False, "reason": ""}, {"disabled": True, "reason": ""}
    assert history_facts.facts("repo:disable", before, after) == []
    assert history_facts.facts("bulk_review:finished", None, {"bulk_review": 7, "decided": 1, "refused": 2}) == [
        ("Left as they were", None, "2")
    ]
    assert history_facts.facts("bulk_review:finished", None, {"bulk_review": 7, "decided": 1, "refused": 0}) == []
    for odd in (None, "x", ["y"], 7, {}):
        assert history_facts.facts("repo:push", odd, odd) == []


def test_the_page_takes_as_many_queries_for_many_as_for_few(eventful, browser, ada, django_assert_max_num_queries):
    client = browser(ada)
    make_token(ada)
    AuditEvent.objects.bulk_create(
        [AuditEvent.of(by=Actor(user=ada), verb="repo:push", target="x@y", repo=eventful.pk) for _ in range(60)]
    )
    with django_assert_max_num_queries(12):
        assert len(lines(soup(client.get(HISTORY)))) == 50
