"""Addresses and forms that lead on instead of to a bare refusal.  lab/toxic-bert is gated; ada manages it, sam asks."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest
from django.conf import settings
from django.core.cache import cache

from access.models import AccessRequest
from accounts.actor import Actor
from repos import services
from tests.support.cast import PASSWORD
from tests.web.pages import data_of, form_to, press, soup, words

PATH = "/lab/toxic-bert"
OPEN = "This repository is open now; nothing needs to be asked."
FORMS = {
    # Addresses that only take forms, and where these stand.
    f"{PATH}/ask-access": PATH,
    f"{PATH}/ask-access?form=abc&by=def": PATH,
    f"{PATH}/withdraw-request": PATH,
    **{
        f"{PATH}/settings/{tail}": f"{PATH}/settings"
        for tail in ("change", "confirm-address", "move", "delete", "review", "grant", "accept-queue", "bulk")
    },
    f"{PATH}/settings/bulk?status=rejected&search=a%20b": f"{PATH}/settings?status=rejected&search=a%20b",
    f"{PATH}/settings/bulk/7/stop": f"{PATH}/settings/bulk/7",
    "/datasets/lab/rows/settings/move": "/datasets/lab/rows/settings",
    "/datasets/lab/rows/ask-access": "/datasets/lab/rows",
    "/lab/%C3%BCber%20all/withdraw-request": "/lab/%C3%BCber%20all",
    "/settings/tokens/7/revoke": "/settings/tokens",
    "/settings/connections/7/remove": "/settings/connections",
    "/settings/addresses/use-again": "/settings/addresses",
    "/organizations/lab/settings/delete": "/organizations/lab/settings",
    "/organizations/lab/members/add": "/organizations/lab/members",
    "/organizations/lab/members/role": "/organizations/lab/members",
    "/organizations/lab/members/remove": "/organizations/lab/members",
    "/organizations/lab/leave": "/organizations/lab",
}


@pytest.fixture(autouse=True)
def no_limits_from_the_test_before(db):
    cache.clear()


@pytest.fixture
def opened(browser, gated_repo, sam):
    """A browser in which sam has the gate's form open; and what it holds."""
    client = browser(sam, enforce_csrf_checks=True)
    form = form_to(soup(client.get(PATH)), f"{PATH}/ask-access")
    return client, form["action"], data_of(form) | {"Company": "Example", "Country": "CH", "I agree": "true"}


def open_up(repo, ada) -> None:
    services.change_settings(repo, {"gated": False}, by=Actor(user=ada))


def send(client, action, data, **headers):
    headers = {"origin": "http://testserver"} | headers
    return client.post(action, urlencode(data), content_type="application/x-www-form-urlencoded", headers=headers)


def sign_in(client) -> None:
    assert press(client, soup(client.get("/login")), "/login", login="sam", password=PASSWORD).status_code == 302


def is_told_that_it_is_open(client, answer) -> bool:
    assert answer.status_code == 303
    assert answer["Location"] == f"http://testserver{PATH}"
    return OPEN in words(soup(client.get(PATH)).select_one("#toasts"))


def test_a_gate_that_was_opened_meanwhile_is_told_on_the_page(opened, gated_repo, ada):
    client, action, form = opened
    open_up(gated_repo, ada)
    assert is_told_that_it_is_open(client, send(client, action, form))
    assert not AccessRequest.objects.exists()


def test_so_it_is_after_a_sign_in_in_another_tab(opened, gated_repo, ada):
    client, action, form = opened
    press(client, soup(client.get(PATH)), "/logout")
    sign_in(client)
    open_up(gated_repo, ada)
    assert is_told_that_it_is_open(client, send(client, action, form))


def test_and_after_the_session_has_ended(opened, gated_repo, ada):
    client, action, form = opened
    del client.cookies[settings.SESSION_COOKIE_NAME]
    send(client, action, form)
    open_up(gated_repo, ada)
    sign_in(client)
    page = soup(client.get(PATH))
    assert OPEN in words(page.select_one("#toasts"))
    assert not page.select("#gate")


def test_a_script_is_refused_as_before(opened, gated_repo, ada, api, sam):
    client, action, form = opened
    open_up(gated_repo, ada)
    for answer in (api(sam).post(f"{PATH}/ask-access", {}), send(client, action, form, accept="application/json")):
        assert (answer.status_code, answer["X-Error-Code"]) == (400, "RepoNotGated")


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize(("path", "page"), FORMS.items())
def test_whoever_looks_at_where_a_form_goes_is_led_to_the_form(browser, ada, method, path, page):
    answer = browser(ada).generic(method, path)
    assert (answer.status_code, answer["Location"]) == (302, page)


@pytest.mark.parametrize("path", FORMS)
def test_other_methods_are_refused(browser, ada, path):
    client = browser(ada)
    for method in ("PUT", "DELETE", "PATCH"):
        answer = client.generic(method, path)
        assert (answer.status_code, "POST" in answer["Allow"]) == (405, True)


@pytest.mark.parametrize("path", FORMS)
def test_machines_are_refused_as_before(browser, ada, path):
    answer = browser(ada).get(path, headers={"accept": "*/*"})
    assert answer.status_code == 405


def test_no_address_leads_to_a_path_of_dots(browser, ada):
    for path in ("/../../withdraw-request", "/lab/.git/settings/move", "/./x/settings/move"):
        answer = browser(ada).get(path)
        assert "Location" not in answer, path


@pytest.mark.parametrize("repo_type", ["", "/datasets"])
@pytest.mark.parametrize("what", ["tree", "commits"])
def test_without_a_revision_it_is_main(browser, make_repo, lab, ada, sam, repo_type, what):
    repo = make_repo("lab/x", by=ada, type_="dataset" if repo_type else "model", files={"README.md": b"# X\n"})
    for path in (f"{repo.path}/{what}", f"/{repo.path.lstrip('/').replace('x', 'none')}/{what}"):
        for method in ("GET", "HEAD"):
            answer = browser().generic(method, path)
            assert (answer.status_code, answer["Location"]) == (302, f"{path}/main")
        assert browser().post(path).status_code == 405
    assert browser(sam).get(f"{repo.path}/{what}/", follow=True).status_code == 200


@pytest.mark.parametrize(
    "name", ["tree", "commits", "settings", "withdraw-request", "ask-access", "user-access-report"]
)
def test_a_dataset_of_that_name_has_its_page(browser, make_repo, lab, ada, name):
    repo = make_repo(f"lab/{name}", by=ada, type_="dataset", files={"README.md": b"# Rows\n"})
    assert words(soup(browser().get(repo.path)).article) == "Rows"
