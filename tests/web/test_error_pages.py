"""Pages of refusals: the cause, and what to do next.  lab/toxic-bert is gated; sam may not manage it."""

from __future__ import annotations

import pytest

from access import services
from accounts.actor import Actor
from tests.support.cast import ANSWERS
from tests.web.pages import assert_nothing_inline, soup, words

LONG = "x" * 3000


def shown(response, status: int) -> str:
    """The words of the page, which is a whole one."""
    assert response.status_code == status
    page = soup(response)
    assert words(page.select_one(".error-page .status")) == str(status)
    assert words(page.h1)
    assert page.select(".error-page .actions a"), "a way on"
    assert_nothing_inline(response)
    return words(page.main)


def links(response) -> list[tuple[str, str]]:
    return [(words(link), link["href"]) for link in soup(response).select(".error-page .actions a")]


def test_a_stranger_may_sign_in_and_come_back(browser, db):
    response = browser().get("/nobody/nothing?x=1")
    assert "Check the address for a mistyped name." in shown(response, 404)
    assert links(response) == [
        ("Sign in", "/login?next=/nobody/nothing%3Fx%3D1"),
        ("All models", "/models"),
        ("All datasets", "/datasets"),
    ]


def test_whoever_is_signed_in_is_not_sent_to_sign_in(browser, sam):
    response = browser(sam).get("/nobody/nothing")
    assert "sign in" not in shown(response, 404).lower()
    assert [text for text, _ in links(response)] == ["All models", "All datasets"]


@pytest.mark.parametrize("path", [f"/{LONG}", f"/lab/{LONG}", f"/lab/toxic-bert/tree/{LONG}", f"/a/b/c/{LONG}"])
def test_a_long_address_is_not_told_whole(gated_repo, browser, sam, path):
    response = browser(sam).get(path)
    assert LONG not in shown(response, 404)
    assert LONG not in response["X-Error-Message"]


def test_who_may_not_is_told_whom_to_ask(gated_repo, browser, sam):
    text = shown(browser(sam).get("/lab/toxic-bert/settings"), 403)
    assert "Ask its owners for the rights that this needs, or sign in with another account." in text


def test_a_form_without_its_token_can_be_sent_again(browser, sam):
    response = browser(sam, enforce_csrf_checks=True).post("/settings/profile", {"fullname": "Mallory"})
    text = shown(response, 403)
    assert "Nothing was changed. Go back and send it again." in text
    assert (
        "If that leads here once more, go back, copy what you have typed, reload the page and paste it there." in text
    )
    assert "owners" not in text
    sam.refresh_from_db()
    assert sam.fullname == "Sam Requester"


def test_an_address_for_forms_alone(gated_repo, browser, ada):
    assert "This address takes forms only" in shown(browser(ada).put("/lab/toxic-bert/settings/move"), 405)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("/models/?search=a+b", "/models?search=a+b"),
        ("/lab/toxic-bert/", "/lab/toxic-bert"),
        ("/lab/toxic-bert/settings///", "/lab/toxic-bert/settings"),
        ("/settings/tokens/", "/settings/tokens"),
        ("/lab/%C3%BCber/", "/lab/%C3%BCber"),
    ],
)
def test_a_slash_at_the_end_of_an_address_leads_to_it(gated_repo, browser, ada, typed, meant):
    response = browser(ada).get(typed)
    assert (response.status_code, response["Location"]) == (302, meant)


@pytest.mark.parametrize(
    "typed", ["/", "//", "//example.org/", "//example.org//", "/a/b/c/d/", "/no-such/page/of/ours/"]
)
def test_a_slash_leads_nowhere_else(db, browser, typed):
    response = browser().get(typed)
    assert "Location" not in response or response["Location"].startswith("/%2F"), response["Location"]


def test_clients_are_told_of_no_other_address(gated_repo, client, browser):
    assert client.get("/models/", headers={"accept": "*/*"}).status_code == 404
    assert client.get("/api/models/", headers={"accept": "text/html"}).status_code == 404
    assert browser().post("/models/").status_code == 404


def test_another_host_is_refused_and_not_named(browser, db):
    response = browser().get("/", headers={"host": "evil.example"})
    assert "evil.example" not in shown(response, 400)


def test_too_many_attempts_are_told_on_a_page_of_ours(browser, sam):
    client = browser(sam)
    for _ in range(5):
        assert client.post("/settings/password", {"oldpassword": "wrong"}).status_code == 200
    text = shown(client.post("/settings/password", {"oldpassword": "wrong"}), 429)
    assert "Wait a few minutes, then try again." in text


FILE = "/lab/toxic-bert/resolve/main/config.json"


def refused(client) -> tuple[str, str]:
    """The words of a refused download, and of the link in them, which leads to the repo's page."""
    response = client.get(FILE, headers={"accept": "text/html"})
    page = soup(response)
    assert "://" not in words(page.main), "an address is no text to read"
    assert_nothing_inline(response)
    return words(page.h1), words(page.select_one('.error-page p a[href="/lab/toxic-bert"]'))


def test_a_refused_download_leads_to_the_page_of_the_repo(gated_repo, browser, sam, ada):
    assert refused(browser())[1] == "Sign in, then ask for access on its page"
    assert refused(browser(sam)) == (
        "Access to model lab/toxic-bert is restricted, and you have no access to its files.",
        "Ask for it on its page",
    )
    request = services.ask(repo=gated_repo, answers=ANSWERS, by=Actor(user=sam))
    assert refused(browser(sam))[1] == "Follow it on its page"
    reason = "See <b>http: //x</b>. Or: {url}"
    services.review(access_request=request, status="rejected", reason=reason, by=Actor(user=ada))
    said, link = refused(browser(sam))
    assert said.endswith(f"has been rejected by its authors. Their reason: “{reason}”.")
    assert link == "See it on its page"


def test_a_link_that_is_broken_is_not_called_mistyped(browser, db):
    for path in ("/notifications/unsubscribe/x", "/notifications/address/x"):
        response = browser().get(path)
        text = shown(response, 404)
        assert "Copy it whole from the newest mail that you got." in text
        assert "mistyped" not in text
        assert [text for text, _ in links(response)] == ["All models", "All datasets"]
