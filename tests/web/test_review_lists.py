"""The lists of the review: pages, order, search and filters.  ada reviews lab/toxic-bert; sam and noor ask."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import urlencode

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from access import services
from access.models import AccessRequest
from accounts.actor import Actor
from accounts.models import User
from gatehub.web import review_lists
from repos import services as repo_services
from tests.support.cast import ANSWERS, add_files
from tests.web.pages import people_on, press, soup, words

OTHER_CARD = b"---\nextra_gated_fields:\n  Other: {type: select, options: [a, b]}\n---\n"
SETTINGS = "/lab/toxic-bert/settings"
REVIEW = f"{SETTINGS}/review"


def link_to(page, rel: str) -> str:
    return page.select_one(f"#requests a[rel={rel}]")["href"]


@pytest.mark.parametrize(("search", "found"), [
    ("SAM", ["sam"]), ("haddad", ["noor"]), ("noor@", ["noor"]), ("genève", ["noor"]), ("Example University", ["sam"]),
    ("FRANCE", ["sam", "noor"]), ("de genè", ["noor"]), ("sam example", ["sam"]), ("nowhere sam", []),
    ("nobody", []), ("%", []), ("' OR 1=1 --", []), ("\0", ["sam", "noor"]),
])  # fmt: skip
def test_search_over_names_addresses_and_answers(asked, browser, ada, search, found):
    page = soup(browser(ada).get(SETTINGS, {"q": search}))
    assert [link.text for link in page.select("#requests .who a")] == found


def test_lists_come_in_pages(asked, gated_repo, browser, ada, olu, monkeypatch):
    monkeypatch.setattr(review_lists, "PAGE_SIZE", 1)
    services.ask(repo=gated_repo, answers=ANSWERS, by=Actor(user=olu))
    client = browser(ada)
    first = soup(client.get(SETTINGS))
    assert people_on(first) == ["sam"]
    assert words(first.select_one("#requests .pager")) == "3 in all, 1 on this page Next"
    second = soup(client.get(link_to(first, "next")))
    assert people_on(second) == ["noor"]
    third = soup(client.get(link_to(second, "next")))
    assert people_on(third) == ["olu"]
    assert not third.select("#requests a[rel=next]")
    assert people_on(soup(client.get(link_to(third, "prev")))) == ["noor"]
    back_at_first = soup(client.get(link_to(soup(client.get(link_to(third, "prev"))), "prev")))
    assert people_on(back_at_first) == ["sam"]
    assert not back_at_first.select("#requests a[rel=prev]")
    # A decision leads back to the page that it was made on.
    response = press(client, second, REVIEW, 'aria-label="Accept noor"')
    assert response["Location"].partition("#")[0] == link_to(first, "next").partition("#")[0]


def test_the_list_is_right_when_the_last_of_a_page_is_decided(asked, gated_repo, browser, ada, olu, monkeypatch):
    """The reviewer goes on with the page before it, not with an empty one."""
    monkeypatch.setattr(review_lists, "PAGE_SIZE", 1)
    services.ask(repo=gated_repo, answers=ANSWERS, by=Actor(user=olu))
    client = browser(ada)
    second = soup(client.get(link_to(soup(client.get(SETTINGS)), "next")))
    third = soup(client.get(link_to(second, "next")))
    response = press(client, third, REVIEW, 'aria-label="Accept olu"')
    last = soup(client.get(response["Location"]))
    assert people_on(last) == ["noor"]
    assert not last.select("#requests a[rel=next]")
    press(client, second, REVIEW, 'aria-label="Accept noor"')
    assert people_on(soup(client.get(response["Location"]))) == ["sam"], "nor where nobody is left on that page, either"
    press(client, soup(client.get(SETTINGS)), REVIEW, 'aria-label="Accept sam"')
    assert "Nobody is waiting" in words(soup(client.get(response["Location"])).select_one("#requests .empty"))


@pytest.mark.parametrize(("gated", "status", "says"), [
    ("manual", "pending", "Requests appear here as soon as somebody sends the form"),
    ("manual", "accepted", "Add somebody yourself, or wait for a request."),
    ("manual", "rejected", "Whoever you reject stays listed here, with your reason"),
    ("auto", "pending", "Whoever sends the form has access at once, and is listed under Accepted"),
    ("auto", "accepted", "Whoever sends the form on the model page is listed here."),
])  # fmt: skip
def test_an_empty_list_says_what_to_do(gated_repo, browser, ada, gated, status, says):
    repo_services.change_settings(gated_repo, {"gated": gated}, by=Actor(user=ada))
    page = soup(browser(ada).get(SETTINGS, {"status": status}))
    assert says in words(page.select_one("#requests .empty"))


def test_in_automatic_mode_the_list_begins_where_requests_arrive(gated_repo, browser, ada, sam):
    repo_services.change_settings(gated_repo, {"gated": "auto"}, by=Actor(user=ada))
    gated_repo.refresh_from_db()
    services.ask(repo=gated_repo, answers=ANSWERS, by=Actor(user=sam))
    page = soup(browser(ada).get(SETTINGS))
    assert people_on(page) == ["sam"]
    assert words(page.select_one("#requests .tabs [aria-current]")) == "Accepted 1"
    assert "automatically" in words(page.select_one("#requests .request"))


def test_in_automatic_mode_those_who_still_wait_come_first(asked, gated_repo, browser, ada):
    repo_services.change_settings(gated_repo, {"gated": "auto"}, by=Actor(user=ada))
    page = soup(browser(ada).get(SETTINGS))
    assert people_on(page) == ["sam", "noor"]
    assert words(page.select_one("#requests .tabs [aria-current]")) == "Pending 2"


def test_where_the_terms_cannot_be_read_requests_wait_whatever_the_mode(make_repo, lab, browser, ada):
    make_repo("lab/broken", by=ada, gated="auto", files={"README.md": b"---\nextra_gated_fields: [\n---\n"})
    page = soup(browser(ada).get("/lab/broken/settings"))
    assert words(page.select_one("#requests .tabs [aria-current]")) == "Pending 0"


@pytest.mark.parametrize(
    "place", ["after=x", "before=x", "after=W10", "after=WyIwIiwgMF0", "after=%00", "after=WzEsIDFd"]
)
def test_a_place_that_is_none_is_the_first_page(asked, browser, ada, place):
    assert people_on(soup(browser(ada).get(f"{SETTINGS}?{place}"))) == ["sam", "noor"]


@pytest.mark.parametrize(("query", "found"), [
    ("sort=newest", ["noor", "sam"]), ("sort=oldest", ["sam", "noor"]), ("sort=name", ["noor", "sam"]),
    ("sort=decided", ["sam", "noor"]), ("sort=nonsense", ["sam", "noor"]), ("country=FR", ["sam"]),
    ("country=CH", ["noor"]), ("country=DE", []), ("country=nowhere", ["sam", "noor"]), ("age=1d", ["noor"]),
    ("age=7d", ["sam", "noor"]), ("age=over-7d", []), ("age=nonsense", ["sam", "noor"]),
    ("answer=x:true", ["sam", "noor"]),
])  # fmt: skip
def test_a_list_is_sorted_and_filtered(asked, browser, ada, query, found):
    AccessRequest.objects.filter(user__username="noor").update(answers=ANSWERS | {"Country": "CH"})
    AccessRequest.objects.filter(user__username="sam").update(requested_at=timezone.now() - timedelta(days=2))
    page = soup(browser(ada).get(f"{SETTINGS}?{query}"))
    assert people_on(page) == found
    unknown = query.partition("=")[2] in ("nowhere", "x:true") or query == "age=nonsense"
    assert ("was left out" in words(page)) == unknown


def test_a_list_is_filtered_by_the_answer_to_a_question(asked, gated_repo, browser, ada):
    """Also by one that the form in force does not ask any more."""
    AccessRequest.objects.filter(user__username="noor").update(answers={"Company": "x", "Country": "FR"})
    add_files(gated_repo, {"README.md": OTHER_CARD}, by=ada)
    page = soup(browser(ada).get(SETTINGS))
    labels = {
        words(page.select_one(f'label[for="{control["id"]}"]')): control for control in page.select("[name=answer]")
    }
    assert list(labels) == ["Other", "I agree"]
    yes = next(option["value"] for option in labels["I agree"].select("option") if option.text == "Yes")
    found = soup(browser(ada).get(SETTINGS, {"answer": ["", yes]}))
    assert people_on(found) == ["sam"]
    assert "1 pending request matches the filters set." in words(found)
    found = soup(browser(ada).get(SETTINGS, {"answer": yes, "q": "sam"}))
    assert "1 pending request matches “sam” and the filters set." in words(found)
    assert found.select_one("[name=answer] option[selected]").text == "Yes"


def test_a_filter_that_leaves_nobody_says_how_to_see_all(asked, browser, ada):
    page = soup(browser(ada).get(SETTINGS, {"q": "nobody at all"}))
    assert [words(said) for said in page.select("#requests [role=status]")] == ["No pending request matches."]
    assert page.select_one("#requests .empty a")["href"] == f"{SETTINGS}?status=pending#requests"


def test_what_cannot_be_counted_quickly_is_said_to_be_more(asked, browser, ada, monkeypatch):
    monkeypatch.setattr(review_lists, "MOST_COUNTED", 1)
    monkeypatch.setattr(review_lists, "PAGE_SIZE", 1)
    assert "More than 1 pending requests match “example”." in words(soup(browser(ada).get(SETTINGS, {"q": "example"})))


def test_a_list_costs_the_same_number_of_queries_whatever_its_length(asked, gated_repo, browser, ada, make_user,
                                                                      django_assert_num_queries):  # fmt: skip
    client = browser(ada)
    headers = {"HX-Request": "true", "HX-Target": "requests"}
    client.get(SETTINGS, headers=headers)
    with CaptureQueriesContext(connection) as few:
        client.get(SETTINGS, headers=headers)
    for number in range(20):
        services.ask(repo=gated_repo, answers=ANSWERS, by=Actor(user=make_user(f"person{number}")))
    with django_assert_num_queries(len(few)):
        page = soup(client.get(SETTINGS, headers=headers))
    assert len(people_on(page)) == 22
    assert len(few) <= 8, [query["sql"] for query in few]


@pytest.mark.parametrize(
    "database", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)]
)  # PostgreSQL finds in two ways, the second of which costs three queries more.
@pytest.mark.parametrize("query", ["q=person", "q=nobody", "q=person&country=FR&age=7d&sort=name", "q=person9"])
def test_a_narrowed_list_costs_as_many_queries_for_many_as_for_few(
    database, query, gated_repo, browser, ada, django_assert_max_num_queries, monkeypatch
):
    monkeypatch.setattr(review_lists, "PAGE_SIZE", 10)
    client = browser(ada)
    headers = {"HX-Request": "true", "HX-Target": "requests"}
    for number in range(3):
        people = [User(username=f"person{number}-{n}", email=f"p{number}-{n}@example.org") for n in range(30)]
        rows = [
            AccessRequest(repo=gated_repo, user=user, answers=ANSWERS, form=gated_repo.gate_form)
            for user in User.objects.bulk_create(people)
        ]
        for row in rows:
            row.search_text = row.searchable()
        AccessRequest.objects.bulk_create(rows)
        client.get(f"{SETTINGS}?{query}", headers=headers)  # A process keeps the forms that it has seen.
        # One of them for the reasons given lately.
        with django_assert_max_num_queries(14 if connection.vendor == "postgresql" else 10):
            page = soup(client.get(f"{SETTINGS}?{query}", headers=headers))
        assert len(people_on(page)) == (0 if query in ("q=nobody", "q=person9") else 10)


def test_a_full_list_costs_as_many_queries_as_a_short_one(
    gated_repo, browser, ada, noor, make_user, django_assert_max_num_queries
):
    people = [User(username=f"p{number}", email=f"p{number}@example.org") for number in range(60)]
    User.objects.bulk_create(people)
    AccessRequest.objects.bulk_create(
        AccessRequest(repo=gated_repo, user=user, status="rejected", reviewed_by=noor, reviewed_at=timezone.now())
        for user in people
    )
    client = browser(ada)
    with django_assert_max_num_queries(13):
        client.get(f"{SETTINGS}?status=rejected")


LINES_CARD = (
    b"---\nextra_gated_fields:\n  Use:\n    type: select\n    options:\n    - |\n      Two\n      lines\n    - "
    + b"word " * 30
    + b"\n---\n"
)


@pytest.fixture
def in_lines(gated_repo, ada, sam, noor):
    """sam has chosen an option of two lines, noor one of 150 characters."""
    add_files(gated_repo, {"README.md": LINES_CARD}, by=ada)
    gated_repo.refresh_from_db()
    for user, answer in ((sam, "Two\r\nlines\r\n"), (noor, "word " * 30)):
        services.ask(repo=gated_repo, answers={"Use": answer}, by=Actor(user=user))


def as_a_browser_sends_it(option) -> str:
    return option["value"].replace("\n", "\r\n")


def test_an_option_of_several_lines_filters_the_list_without_scripts(in_lines, browser, ada):
    client = browser(ada)
    option = soup(client.get(SETTINGS)).select("[name=answer] option")[1]
    page = soup(client.get(SETTINGS, {"answer": as_a_browser_sends_it(option)}))
    assert people_on(page) == ["sam"]
    assert "was left out" not in words(page)
    assert page.select_one("[name=answer] option[selected]")["value"] == option["value"]


def test_all_with_an_option_of_several_lines_are_decided_about(in_lines, browser, ada, sam):
    client = browser(ada)
    option = soup(client.get(SETTINGS)).select("[name=answer] option")[1]
    bulk = f"{SETTINGS}/bulk?{urlencode({'answer': as_a_browser_sends_it(option)})}"
    page = soup(client.post(bulk, {"scope": "all", "status": "accepted", "until": timezone.now().isoformat()}))
    assert "1 pending request will be accepted" in words(page)
    press(client, page, f"{SETTINGS}/bulk")
    assert AccessRequest.objects.get(status="accepted").user == sam


def test_an_option_that_is_cut_has_the_whole_as_its_title(in_lines, browser, ada):
    _, two, long = soup(browser(ada).get(SETTINGS)).select("[name=answer] option")
    assert not two.has_attr("title")
    assert len(long.text) == 90
    assert long["title"] == ("word " * 30).strip()
