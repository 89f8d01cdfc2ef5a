"""A long answer is shown cut in the list of requests, and whole where it is asked for.

ada reviews lab/toxic-bert; sam asks, with one long answer and one that is not.
"""

from __future__ import annotations

import csv
import io

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from access import services
from accounts.actor import Actor
from repos import services as repo_services
from tests.support.cast import add_files, text_of
from tests.web.pages import assert_nothing_inline, soup, words

SETTINGS = "/lab/toxic-bert/settings"
QUESTION = "What for?\nBe <exact>"
CARD = b'---\nextra_gated_fields:\n  "What for?\\nBe <exact>": textarea\n  Company: text\n---\n'
LONG = "First <line>\n" + "word " * 4_000 + "end"


@pytest.fixture
def request_of_sam(gated_repo, ada, sam):
    add_files(gated_repo, {"README.md": CARD}, by=ada)
    gated_repo.refresh_from_db()
    return services.ask(repo=gated_repo, answers={QUESTION: LONG, "Company": "x" * 1_200}, by=Actor(user=sam))


@pytest.fixture
def whole(request_of_sam) -> str:
    return f"{SETTINGS}/answers/{request_of_sam.request_id}/1"


def test_a_long_answer_is_cut_in_the_list(request_of_sam, whole, browser, ada):
    response = browser(ada).get(SETTINGS)
    page = soup(response)
    long, short = page.select("#requests .answers dd")
    link = long.a.extract()
    assert words(link) == "Show the whole answer"
    assert link["href"] == f"{whole}?"
    assert link["aria-label"] == "Show the whole answer of sam"
    assert page.find(id=link["aria-describedby"]).text == QUESTION
    assert long.text.strip().endswith("word…")
    assert LONG.startswith(long.text.strip().removesuffix("…"))
    assert len(long.text) < 1_100
    assert short.text == "x" * 1_200
    assert not short.select("a")
    assert len(response.content) < 60_000


def test_the_whole_is_on_a_page_of_its_own_with_the_question_and_a_way_back(request_of_sam, whole, browser, ada):
    client = browser(ada)
    query = "status=pending&q=sam&show=answers"
    page = soup(client.get(f"{SETTINGS}?{query}"))
    link = page.select_one("#requests .answers dd a")["href"]
    assert link == f"{whole}?{query}"
    response = client.get(link)
    assert_nothing_inline(response)
    assert response["Cache-Control"] == "no-store"
    page = soup(response)
    assert words(page.select_one("main h2")) == "Answer of sam"
    assert page.select_one("main dt").text == QUESTION
    assert page.select_one("main dd").text == LONG
    back = page.find("a", string="Back to the requests")["href"]
    assert back == f"{SETTINGS}?{query}#answers-{request_of_sam.request_id}"
    assert soup(client.get(back)).select_one(f"#answers-{request_of_sam.request_id}")


def test_htmx_gets_the_answer_alone(whole, browser, ada):
    response = browser(ada).get(whole, headers={"HX-Request": "true"})
    assert response["Cache-Control"] == "no-store"
    page = soup(response)
    assert page.text.strip() == LONG
    assert not page.select("html, dt, a")


def test_the_question_is_as_it_was_asked(request_of_sam, whole, gated_repo, browser, ada):
    add_files(gated_repo, {"README.md": b"---\nextra_gated_fields:\n  Other: text\n---\n"}, by=ada)
    page = soup(browser(ada).get(whole))
    assert page.select_one("main dt").text == QUESTION
    assert "The form has changed since." in words(page.main)


def test_a_short_answer_has_a_page_as_well(request_of_sam, whole, browser, ada):
    assert soup(browser(ada).get(whole[:-1] + "2")).select_one("main dd").text == "x" * 1_200


def test_what_is_not_there_is_not_found(request_of_sam, whole, make_repo, browser, ada, olu):
    client = browser(ada)
    for number in ("0", "3", "1000000000000000000000"):
        response = client.get(whole[:-1] + number, headers={"Accept": "text/html"})
        assert response.status_code == 404
        assert "There is no such answer." in words(soup(response))
    for key in ("0" * 24, "x", "x" * 3_000):
        assert client.get(f"{SETTINGS}/answers/{key}/1").status_code == 404
    own = make_repo("olu/own", by=olu, gated="manual")
    assert browser(olu).get(f"{own.path}/settings/answers/{request_of_sam.request_id}/1").status_code == 404


def test_whoever_may_not_see_the_list_sees_no_answer(request_of_sam, whole, gated_repo, browser, rea, sam, noor):
    accept = {"Accept": "text/html"}
    for user in (rea, sam, noor):
        client = browser(user)
        assert client.get(whole, headers=accept).status_code == client.get(SETTINGS, headers=accept).status_code == 403
    assert browser().get(whole)["Location"].startswith("/login?")
    repo_services.change_settings(gated_repo, {"private": True}, by=Actor(user=rea))
    for user in (sam, noor):
        client = browser(user)
        assert client.get(whole, headers=accept).status_code == client.get(SETTINGS, headers=accept).status_code == 404
    assert browser(rea).post(whole).status_code == 405


def test_the_api_and_the_report_have_it_letter_for_letter(request_of_sam, api, ada):
    client = api(ada)
    listed = client.get("/api/models/lab/toxic-bert/user-access-request/pending").json()
    assert listed[0]["fields"][QUESTION] == LONG
    report = text_of(client.get("/lab/toxic-bert/user-access-report?format=csv"))
    assert LONG in next(csv.DictReader(io.StringIO(report.decode(), newline=""))).values()


def test_it_costs_few_queries(request_of_sam, whole, browser, ada):
    client = browser(ada)
    client.get(whole)
    with CaptureQueriesContext(connection) as queries:
        client.get(whole)
    assert len(queries) <= 6, [query["sql"] for query in queries]
