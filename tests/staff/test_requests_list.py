"""The list of all access requests in the admin.  rita reviews; lab/toxic-bert and olu/rows are gated."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from access import services
from access.admin import request_list
from access.models import AccessRequest
from accounts.actor import Actor
from tests.staff.conftest import EXPORT, REQUESTS, REVIEW, SEE, page_of
from tests.web.pages import soup, words

Status = AccessRequest.Status


@pytest.fixture
def olu_rows(olu, make_repo):
    return make_repo("olu/rows", by=olu, type_="dataset", gated="manual")


@pytest.fixture
def scene(gated_repo, olu_rows, sam, noor, ada, request_from):
    """sam and noor ask for toxic-bert, noor for rows.  ada rejects noor; sam's is the oldest."""
    requests = {
        "sam": request_from(sam, gated_repo),
        "noor": request_from(noor, gated_repo, Company="Miskatonic 王芳", Country="US"),
        "rows": request_from(noor, olu_rows),
    }
    services.review(access_request=requests["noor"], status="rejected", reason="Not now", by=Actor(user=ada))
    for days, name in enumerate(("rows", "noor", "sam")):
        at = timezone.now() - timedelta(days=days * 10, hours=1)
        AccessRequest.objects.filter(pk=requests[name].pk).update(requested_at=at)
    return requests


@pytest.fixture
def shown(browser, rita, scene):
    """`shown("status=pending")`: which of the scene the list shows, in its order."""

    def names(query: str = "") -> list[str]:
        page = browser(rita).get(f"{REQUESTS}?{query}")
        assert page.status_code == 200
        keys = {request.pk: name for name, request in scene.items()}
        return [keys[int(box["value"])] for box in soup(page).select("[name=_selected_action]")]

    return names


def problems(browser, user, query: str) -> list[str]:
    page = soup(browser(user).get(f"{REQUESTS}?{query}"))
    assert not page.select("[name=_selected_action]")
    return [words(line) for line in page.select(".requests-problems li")]


def test_all_requests_are_listed_newest_first(shown):
    assert shown() == ["rows", "noor", "sam"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("sort=oldest", ["sam", "noor", "rows"]),
        ("sort=decided", ["noor"]),
        ("status=pending", ["rows", "sam"]),
        ("status=rejected", ["noor"]),
        ("status=decided", ["noor"]),
        ("status=accepted", []),
        ("repo=lab/toxic-bert", ["noor", "sam"]),
        ("repo=LAB/Toxic-Bert", ["noor", "sam"]),
        ("repo=olu/rows", ["rows"]),
        ("repo=datasets/olu/rows", ["rows"]),
        ("namespace=lab", ["noor", "sam"]),
        ("namespace=olu", ["rows"]),
        ("repo=lab/toxic-bert&namespace=olu", []),
        ("country=US", ["noor"]),
        ("country=fr", ["sam"]),
        ("granted=yes", []),
        ("granted=no", ["rows", "noor", "sam"]),
        ("reviewer=ada", ["noor"]),
        ("reviewer=ADA", ["noor"]),
        ("user=noor", ["rows", "noor"]),
        ("age=7d", ["rows"]),
        ("age=over-7d", ["noor", "sam"]),
        ("q=miskatonic", ["noor"]),
        ("q=noor", ["rows", "noor"]),
        ("q=haddad+example.org", ["rows", "noor"]),
        ("q=sam%40example", ["sam"]),
        ("q=王芳", ["noor"]),
        ("q=nobody", []),
        ("q=noor&status=pending", ["rows"]),
        ("q=university&country=FR&status=pending&repo=lab/toxic-bert&age=over-7d&sort=oldest", ["sam"]),
    ],
)
def test_filters_searches_and_orders(query, expected, shown):
    assert shown(query) == expected


def test_days_are_whole_days_of_the_server(shown):
    day = timezone.localtime(timezone.now() - timedelta(days=10, hours=1)).date()
    assert shown(f"from={day}") == ["rows", "noor"]
    assert shown(f"to={day - timedelta(days=1)}") == ["sam"]
    assert shown(f"from={day}&to={day}") == ["noor"]


def test_form_versions_are_found_by_their_commit(shown, gated_repo):
    sha = gated_repo.gate_form.commit_sha
    assert shown(f"form={sha[:7]}") == ["noor", "sam"]
    assert shown(f"form={gated_repo.gate_form.digest}") == ["noor", "sam"]
    assert shown(f"repo=lab/toxic-bert&form={sha}") == ["noor", "sam"]


def test_the_versions_of_a_repo_that_is_named_are_offered(browser, rita, scene, gated_repo):
    page = soup(browser(rita).get(f"{REQUESTS}?repo=lab/toxic-bert"))
    offered = [option["value"] for option in page.select("#requests-form option")]
    assert offered[0] == ""
    assert gated_repo.gate_form.commit_sha in offered[1:]


def test_who_was_granted_access_unasked_is_found(scene, gated_repo, make_user, ada, rita, browser):
    granted = services.grant(repo=gated_repo, user=make_user("guest"), by=Actor(user=ada))
    page = browser(rita).get(f"{REQUESTS}?granted=yes")
    assert [int(box["value"]) for box in soup(page).select("[name=_selected_action]")] == [granted.pk]


@pytest.mark.parametrize(
    ("query", "problem"),
    [
        ("status=approved", "There is no status 'approved'."),
        ("repo=lab/nothing", "There is no repo lab/nothing."),
        ("repo=nothing", "There is no repo nothing."),
        ("namespace=nowhere", "There is no organization or person nowhere."),
        ("country=Atlantis", "There is no country Atlantis."),
        ("form=1234567", "There is no form version 1234567: name its commit, by seven digits or more."),
        ("form=%25", "There is no form version %: name its commit, by seven digits or more."),
        ("granted=perhaps", "Granted unasked is yes or no, not 'perhaps'."),
        ("reviewer=nobody", "There is no person nobody."),
        ("user=lab", "There is no person lab."),
        ("age=long", "There is no age 'long'."),
        ("sort=colour", "There is no order 'colour'."),
        ("status__exact=pending", "There is no filter 'status__exact'."),
        ("after=x", "The place in the list is not one that this server gave out."),
    ],
)
def test_what_is_not_understood_finds_nothing_and_says_so(query, problem, browser, rita, scene):
    assert problems(browser, rita, query) == [problem]


def test_a_day_that_is_none_is_named(browser, rita, scene):
    [problem] = problems(browser, rita, "from=2026-02-31")
    assert problem.startswith("There is no day '2026-02-31': write it as ")


def test_odd_texts_break_nothing(browser, rita, scene):
    for text in ("%00", "%F0%9F%8E%89", "'", "%25", "_", "\\", "a" * 5000, "%ED%A0%80"):
        for name in ("q", "repo", "namespace", "form", "user", "country", "from", "after", "before", "status"):
            assert browser(rita).get(f"{REQUESTS}?{name}={text}").status_code == 200, (name, text)


def test_pages_follow_each_other_without_gaps_or_repeats(browser, rita, scene, monkeypatch):
    monkeypatch.setattr(request_list, "PAGE_SIZE", 2)
    for sort in ("newest", "oldest"):
        client, query, seen, pages = browser(rita), f"sort={sort}", [], 0
        while True:
            page = soup(client.get(f"{REQUESTS}?{query}"))
            seen += [int(box["value"]) for box in page.select("[name=_selected_action]")]
            pages += 1
            link = page.select_one("a[rel=next]")
            if link is None:
                break
            query = link["href"].removeprefix("?")
        assert pages == 2
        assert sorted(seen) == sorted(request.pk for request in scene.values())
        back = page.select_one("a[rel=prev]")["href"].removeprefix("?")
        first = soup(client.get(f"{REQUESTS}?{back}"))
        assert [int(box["value"]) for box in first.select("[name=_selected_action]")] == seen[:2]


def test_a_row_tells_who_what_and_what_became_of_it_with_html_as_text(browser, rita, scene, sam):
    AccessRequest.objects.filter(pk=scene["noor"].pk).update(fullname="<b>Noor</b>", rejection_reason="<script>")
    page = browser(rita).get(f"{REQUESTS}?status=rejected")
    row = words(soup(page).select_one(".requests-table tbody tr"))
    for told in ("noor", "<b>Noor</b>", "noor@example.org", "lab/toxic-bert", "rejected", "ada", "<script>", "(US)"):
        assert told in row
    assert b"<b>Noor" not in page.content
    assert soup(page).select_one(".requests-table tbody th a")["href"] == page_of(scene["noor"])


def test_the_list_takes_as_many_queries_for_many_rows_as_for_one(
    browser, rita, scene, make_user, request_from, gated_repo, django_assert_max_num_queries
):
    client = browser(rita)
    client.get(REQUESTS)
    for number in range(20):
        request_from(make_user(f"person-{number}"), gated_repo)
    with django_assert_max_num_queries(12):
        client.get(REQUESTS)


def test_without_permissions_there_is_no_list_and_no_actions(browser, make_staff, scene, vic):
    assert browser(make_staff("nil")).get(REQUESTS).status_code == 403
    assert browser(make_staff("odd", REVIEW, EXPORT)).get(REQUESTS).status_code == 403
    page = soup(browser(vic).get(REQUESTS))
    assert len(page.select("[name=_selected_action]")) == 3
    assert not page.select("[name=action]")
    only_review = soup(browser(make_staff("rev", SEE, REVIEW)).get(REQUESTS))
    assert {button["value"] for button in only_review.select("[name=action]")} == {"accept", "reject", "cancel"}
    only_export = soup(browser(make_staff("exp", SEE, EXPORT)).get(REQUESTS))
    assert {button["value"] for button in only_export.select("[name=action]")} == {
        "export_csv",
        "export_json",
        "export_jsonl",
    }


def test_an_empty_list_says_so(browser, rita):
    assert "Nobody has asked for access yet." in browser(rita).get(REQUESTS).content.decode()
    assert "No request matches." in browser(rita).get(f"{REQUESTS}?q=x").content.decode()
