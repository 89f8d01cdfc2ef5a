"""Signing in by an identity provider, there and back: it is browsers that hold pages to their policy of forms."""

from __future__ import annotations

import itertools
import re

import pytest
from playwright.sync_api import Page, expect

from tests.support.hub import PASSWORD

STYLE_OF_THE_PROVIDER = "https://cdn.jsdelivr.net"
_numbers = itertools.count(1)


@pytest.fixture
def name(worker_id, identity_provider):
    """Somebody whom the provider knows, and nobody here."""
    made = f"zoe-{worker_id}-{next(_numbers)}"
    identity_provider.knows(made, email=f"{made}@example.org", email_verified=True, preferred_username=made, name="Zoë")
    return made


@pytest.fixture
def open_page(new_context, server_with_providers, identity_provider, javascript):
    """`open_page("/login")`, in a browser of its own."""

    def go(path: str) -> Page:
        onward = (identity_provider.url, STYLE_OF_THE_PROVIDER)
        context = new_context(server_with_providers.url, javascript=javascript, onward=onward)
        context.route(f"{STYLE_OF_THE_PROVIDER}/**", lambda route: route.fulfill(body="", content_type="text/css"))
        page = context.new_page()
        page.goto(path)
        return page

    return go


def is_known_there(page: Page, name: str) -> None:
    """Says to the provider who one is."""
    page.locator("input[name=sub]").first.fill(name)
    page.get_by_role("button", name="Authorize").click()


def test_somebody_new_comes_in_and_comes_back(open_page, name):
    page = open_page("/login?next=/models")
    page.get_by_role("button", name="Continue with Example University").click()
    is_known_there(page, name)
    expect(page.get_by_label("Username")).to_have_value(name)
    expect(page.get_by_label("Full name")).to_have_value("Zoë")
    page.get_by_role("button", name="Create account").click()
    expect(page).to_have_url(re.compile("/models$"))
    expect(page.locator("header").get_by_text(name)).to_be_visible()

    again = open_page("/signup")
    again.get_by_role("button", name="Continue with Example University").click()
    is_known_there(again, name)
    expect(again.locator("header").get_by_text(name)).to_be_visible()


def test_an_account_is_connected_and_removed(open_page, name, server_with_providers):
    mine = f"its-{name}"
    server_with_providers.manage("create_user", mine, "--email", f"{mine}@example.org", "--password", PASSWORD)
    page = open_page("/login?next=/settings/connections")
    page.get_by_label("Username or email").fill(mine)
    page.get_by_label("Password").fill(PASSWORD)
    page.locator("main").get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_text("Nothing is connected.")).to_be_visible()
    page.get_by_role("button", name="Connect Example University").click()
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Confirm").click()
    is_known_there(page, name)
    expect(page.get_by_text("You can sign in with Example University from now on.")).to_be_visible()
    page.get_by_role("button", name=f"Remove Example University {name}@example.org").click()
    expect(page.get_by_text("Example University lets you in no more.")).to_be_visible()
    expect(page.get_by_text("Nothing is connected.")).to_be_visible()


def test_who_changes_their_mind_there_is_back_at_the_sign_in(open_page):
    page = open_page("/login/with/company")
    page.get_by_role("button", name="Continue with Example University").click()
    page.get_by_role("button", name="Deny").click()
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    expect(page.get_by_text("Example University did not confirm who you are")).to_be_visible()
