"""The first page of the admin.  stef is a superuser; the others may see one kind of rows each."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from access import bulk, services
from access.filters import RequestFilter
from access.models import AccessRequest, BulkReview
from accounts.actor import Actor, Entrance
from accounts.models import AuditEvent
from gatehub.caches import kept
from gatehub.staff import dashboard
from gatehub.templatetags.staff import what_was_done
from notifications.models import Delivery, OutboxMessage
from repos import services as repos
from tests.support.cast import ANSWERS
from tests.web.pages import assert_nothing_inline, soup, words


@pytest.fixture(autouse=True)
def sums_are_quick(monkeypatch):
    """However slow the machine is: sums that took long are kept, which is for one test alone."""
    kept.delete(dashboard._SUMS)
    monkeypatch.setattr(dashboard, "SLOW", 3600)


@pytest.fixture
def stef(make_staff):
    return make_staff("stef", superuser=True)


@pytest.fixture
def asked(gated_repo, sam, noor, olu, ada):
    """One request waits, for five days; one was accepted, one rejected."""
    requests = [services.ask(repo=gated_repo, answers=ANSWERS, by=Actor(user=user)) for user in (sam, noor, olu)]
    services.review(access_request=requests[1], status="accepted", by=Actor(user=ada))
    services.review(access_request=requests[2], status="rejected", by=Actor(user=ada))
    AccessRequest.objects.filter(pk=requests[0].pk).update(requested_at=timezone.now() - timedelta(days=5, hours=1))
    return requests


def shown(browser, user):
    answer = browser(user).get("/admin/")
    assert answer.status_code == 200
    assert_nothing_inline(answer)
    return soup(answer)


def numbers(page) -> dict[str, str]:
    return {words(row.select_one("span")): words(row.strong) for row in page.select(".staff-numbers li")}


def headings(page) -> set[str]:
    return {words(heading) for heading in page.select(".staff-dashboard h2")}


def test_it_counts_and_names_what_waits(asked, stef, browser):
    page = shown(browser, stef)
    told = numbers(page)
    assert (told["Pending"], told["Accepted"], told["Rejected"]) == ("1", "1", "1")
    assert (told["Gated repos"], told["Disabled repos"], told["People"]) == ("1", "0", "5")
    oldest = page.select_one("[aria-labelledby=oldest-heading] li")
    assert words(oldest.a) == "sam on lab/toxic-bert"
    assert words(oldest.select_one(".when")) == "asked 5 days, 1 hour ago"
    assert oldest.a["href"] == f"/admin/access/accessrequest/{asked[0].pk}/change/"
    most = page.select_one("[aria-labelledby=most-heading] li")
    assert words(most) == "lab/toxic-bert 1"
    assert page.select(".over-time svg rect")


def test_each_link_leads_somewhere(asked, stef, browser):
    client = browser(stef)
    links = {link["href"] for link in soup(client.get("/admin/")).select("#content a[href], #nav-sidebar a[href]")}
    assert len(links) > 25
    for link in links:
        assert client.get(link).status_code == 200, link


def test_an_empty_hub_has_a_dashboard(stef, browser):
    page = shown(browser, stef)
    assert numbers(page)["Pending"] == "0"
    assert "Nobody waits." in words(page)
    assert not page.select(".over-time")


PARTS = {
    "access.view_accessrequest": {
        "Requests over time", "Waiting longest", "Most waiting", "Reviews in the background",
    },
    "notifications.view_delivery": {"Mail"},
    "accounts.view_auditevent": {"Last acts of staff"},
    "repos.view_repo": set(),
    "accounts.view_user": set(),
    "access.view_accesstoken": set(),
}  # fmt: skip
NUMBERS = {
    "access.view_accessrequest": {"Pending", "Accepted", "Rejected"},
    "notifications.view_delivery": {"Waiting", "Late", "Given up"},
    "accounts.view_auditevent": set(),
    "repos.view_repo": {"Gated repos", "Disabled repos"},
    "accounts.view_user": {"People"},
    "access.view_accesstoken": {"Tokens"},
}


@pytest.mark.parametrize("permission", PARTS)
def test_each_part_is_for_those_who_may_see_its_rows(asked, permission, make_staff, browser):
    page = shown(browser, make_staff("one", permission))
    assert headings(page) == PARTS[permission]
    assert set(numbers(page)) == NUMBERS[permission]
    if permission != "access.view_accessrequest":
        assert "sam" not in words(page.select_one("#content"))


def test_whoever_may_see_nothing_is_shown_nothing(asked, make_staff, browser):
    page = shown(browser, make_staff("none"))
    assert headings(page) == set()
    assert numbers(page) == {}
    entries = {words(link) for link in page.select("#nav-sidebar-apps a span:last-of-type")}
    assert entries == {"Dashboard", "Back to the site"}


@pytest.mark.parametrize("permission", ["repos.view_repo", "accounts.view_user", "notifications.view_delivery"])
def test_the_sidebar_names_what_the_one_who_asks_may_open(permission, make_staff, browser):
    app, _, codename = permission.partition(".")
    client = browser(make_staff("one", permission))
    page = soup(client.get("/admin/"))
    links = {link["href"] for link in page.select("#nav-sidebar-apps a")}
    assert links == {"/admin/", "/", f"/admin/{app}/{codename.removeprefix('view_')}/"}
    for link in links:
        assert client.get(link).status_code == 200


def test_late_and_dead_mails_stand_out(gated_repo, sam, stef, browser):
    ago = timezone.now() - timedelta(hours=1)
    for state, due in (("waiting", timezone.now()), ("waiting", ago), ("dead", ago), ("dead", ago)):
        message = OutboxMessage.objects.create(kind="accepted", repo=gated_repo, state="dispatched")
        Delivery.objects.create(
            message=message, kind="accepted", user=sam, address="sam@example.org", state=state, due_at=due
        )
    page = shown(browser, stef)
    told = numbers(page)
    assert (told["Waiting"], told["Late"], told["Given up"]) == ("2", "1", "2")
    assert {words(row.span) for row in page.select(".staff-numbers .bad")} == {"Late", "Given up"}
    [dead] = [row.a["href"] for row in page.select(".staff-numbers .bad") if "Given up" in words(row)]
    rows = soup(browser(stef).get(dead)).select("#result_list tbody tr")
    assert len(rows) == 2


def test_reviews_that_run_and_those_that_stopped(asked, gated_repo, ada, stef, browser):
    review = bulk.start(repo=gated_repo, chosen=RequestFilter("pending"), status="accepted", by=Actor(user=ada))
    said = words(shown(browser, stef).select_one("[aria-labelledby=reviews-heading]"))
    assert "lab/toxic-bert : accepted, 0 of 1 by ada" in said
    BulkReview.objects.filter(pk=review.pk).update(finished_at=timezone.now(), stopped_because="The database was away.")
    assert "Stopped: The database was away." in words(shown(browser, stef))
    BulkReview.objects.update(finished_at=timezone.now() - timedelta(days=31))
    assert "None is running" in words(shown(browser, stef))


def test_the_last_acts_of_staff_and_of_nobody_else(asked, gated_repo, stef, browser):
    repos.disable(gated_repo, by=Actor(user=stef, entrance=Entrance.ADMIN))
    rows = shown(browser, stef).select("[aria-labelledby=acts-heading] li")
    assert [words(row.a) for row in rows] == ["stef disabled the repository: lab/toxic-bert"]
    assert re.fullmatch("now|(a|[0-9]+) seconds? ago", words(rows[0].select_one(".when")))


@pytest.mark.parametrize(
    ("verb", "target", "told"),
    [
        ("access_request:accepted", "sam on lab/toxic-bert", "accepted the request of sam on lab/toxic-bert"),
        ("access_request:granted", "sam on lab/toxic-bert", "gave sam access: sam on lab/toxic-bert"),
        ("token:revoke", "laptop of sam", "revoked the token laptop of sam"),
        ("repo:move", "lab/new", "moved it from lab/old to lab/new"),
        ("of:tomorrow", "lab/new", "of: tomorrow: lab/new"),
    ],
)
def test_what_was_done_is_told_in_words_and_to_what(verb, target, told):
    moved = {"before": "lab/old", "after": "lab/new"} if verb == "repo:move" else {}
    assert what_was_done(AuditEvent(verb=verb, target=target, **moved)) == told


def test_what_is_many_is_not_counted_to_its_end(asked, stef, browser, monkeypatch):
    monkeypatch.setattr(dashboard, "MOST_COUNTED", 3)
    assert numbers(shown(browser, stef))["People"] == "over 3"


def test_it_costs_as_many_queries_with_many_rows_as_with_few(
    asked, gated_repo, make_repo, make_user, ada, stef, browser, django_assert_max_num_queries
):
    client = browser(stef)
    client.get("/admin/")
    with django_assert_max_num_queries(60) as few:
        client.get("/admin/")
    for number in range(8):
        repo = make_repo(f"lab/more-{number}", by=ada, gated="manual")
        for one in range(2):
            services.ask(repo=repo, answers={}, by=Actor(user=make_user(f"more-{number}-{one}")))
        bulk.start(repo=repo, chosen=RequestFilter("pending"), status="accepted", by=Actor(user=ada))
        repos.disable(repo, by=Actor(user=stef, entrance=Entrance.ADMIN))
    with django_assert_max_num_queries(len(few)):
        page = soup(client.get("/admin/"))
    assert len(page.select("[aria-labelledby=most-heading] li")) == dashboard.SHOWN
    assert len(page.select("[aria-labelledby=oldest-heading] li")) == dashboard.SHOWN
    assert not [query for query in few.captured_queries if 'COUNT(*) FROM "access_accessrequest"' in query["sql"]]


@pytest.mark.parametrize(("slow", "told"), [(0, "1"), (3600, "0")])
def test_sums_that_took_long_are_kept_for_a_minute_and_others_are_not(
    asked, stef, browser, ada, monkeypatch, slow, told
):
    monkeypatch.setattr(dashboard, "SLOW", slow)
    assert numbers(shown(browser, stef))["Pending"] == "1"
    services.review(access_request=asked[0], status="accepted", by=Actor(user=ada))
    assert numbers(shown(browser, stef))["Pending"] == told
    kept.delete(dashboard._SUMS)
