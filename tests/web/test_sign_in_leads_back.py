"""Where one is after signing in, or up: where one was.  lab/toxic-bert is gated; ada manages it, and is signed out."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit

import pytest
from django.core import mail
from django.core.cache import cache

from tests.support.cast import PASSWORD
from tests.web.pages import press, soup

PATH = "/lab/toxic-bert"
HERE = f"http://testserver{PATH}/settings?status=pending&search=a%20b"
"""The page on which a script asks for a part."""
ZOE = {
    "username": "zoe", "fullname": "Zoë Zed", "email": "zoe@example.org",
    "password1": PASSWORD, "password2": PASSWORD,
}  # fmt: skip


@pytest.fixture(autouse=True)
def no_limits_from_the_test_before(db):
    cache.clear()


def redirect_of(client, where: str) -> str:
    """Where the script sends the browser whose session has ended on the page `where`."""
    headers = {"HX-Request": "true"} | ({"HX-Current-URL": where} if where else {})
    answer = client.get(f"{PATH}/settings/people?search=a", headers=headers)
    assert answer.status_code == 204
    return answer["HX-Redirect"]


def next_of(address: str) -> str:
    parts = urlsplit(address)
    return parse_qs(parts.query).get("next", [""])[0]


def test_a_script_leads_back_to_its_page(gated_repo, browser):
    address = redirect_of(browser(), HERE)
    assert urlsplit(address).path == "/login"
    assert next_of(address) == HERE.removeprefix("http://testserver")


@pytest.mark.parametrize(
    "where",
    [
        "",
        "http://evil.example/lab/x",
        "https://testserver.evil.example/x",
        "javascript:alert(1)",
        "http://testserver//evil.example/x",
        "http://[",
        "//evil.example",
    ],
)
def test_and_to_no_other_site(gated_repo, browser, where):
    assert redirect_of(browser(), where) == "/login"


@pytest.fixture
def link_in_mail(deliver_mails, settings):
    """`link_in_mail()`: the path of the link in the newest mail, once it is sent."""
    settings.PUBLIC_URL = "http://testserver"

    def find() -> str:
        deliver_mails()
        return re.search(r"https?://\S+", mail.outbox[-1].body)[0].removeprefix("http://testserver")

    return find


def sign_up(client, path: str):
    """Go to the sign-up by the header of the page, and make zoe an account."""
    link = soup(client.get(path)).select_one(".site-nav a[href^='/signup']")
    answer = press(client, soup(client.get(link["href"])), "/signup", **ZOE)
    assert answer["Location"] == "/account/verify"


def confirm(client, link: str) -> str:
    """Where one is after confirming the address."""
    return press(client, soup(client.get(link)), link)["Location"]


def sign_in(client, path: str) -> str:
    return press(client, soup(client.get(path)), "/login", login="zoe", password=PASSWORD)["Location"]


@pytest.mark.parametrize("path", [PATH, f"{PATH}/tree/main?x=1"])
def test_a_sign_up_leads_back_once_the_address_is_confirmed(gated_repo, browser, link_in_mail, path):
    client = browser()
    sign_up(client, path)
    to = confirm(client, link_in_mail())
    assert (urlsplit(to).path, next_of(to)) == ("/login", path)
    assert sign_in(client, to) == path


def test_so_it_does_from_the_gate_and_by_way_of_the_sign_in(gated_repo, browser):
    gate = soup(browser().get(PATH)).select_one("#gate")
    for link in (gate.find("a", string="Create an account"), gate.select_one("a[href^='/login']")):
        page = soup(browser().get(link["href"]))
        assert {next_of(other["href"]) for other in page.select("a[href^='/signup'], a[href^='/login']")} == {PATH}


def test_another_browser_knows_no_way_back(gated_repo, browser, link_in_mail):
    sign_up(browser(), PATH)
    assert confirm(browser(), link_in_mail()) == "/login"


def test_a_sign_up_from_nowhere_leads_to_the_sign_in(browser, db, link_in_mail):
    client = browser()
    press(client, soup(client.get("/signup")), "/signup", **ZOE)
    assert confirm(client, link_in_mail()) == "/login"


def test_the_address_of_somebody_else_does_not_lead_there(gated_repo, browser, link_in_mail):
    sign_up(browser(), "/models")
    link = link_in_mail()
    client = browser()
    other = soup(client.get(f"/signup?next={PATH}"))
    press(client, other, "/signup", **ZOE | {"username": "yan", "email": "yan@example.org"})
    assert confirm(client, link) == "/login"


def test_a_sign_up_leads_to_no_other_site(browser, db, link_in_mail):
    client = browser()
    press(client, soup(client.get("/signup?next=https://evil.example/")), "/signup", **ZOE)
    assert confirm(client, link_in_mail()) == "/login"
