"""Security keys, by Chromium's virtual authenticator; and codes of an app without scripts."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.support.authenticator import App
from tests.support.hub import PASSWORD

KEY = {
    "protocol": "ctap2",
    "transport": "usb",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


@pytest.fixture
def person(stage):
    return stage.next()


@pytest.fixture
def here(stage):
    """The same server by its name: browsers use no keys on a bare address."""
    return stage.url.replace("127.0.0.1", "localhost")


def plug_in(page: Page) -> None:
    """A key of its own for this browser, which is touched whenever it is asked for."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    session.send("WebAuthn.addVirtualAuthenticator", {"options": KEY})


def sign_in(page: Page, name: str, path: str) -> None:
    page.goto(f"/login?next={path}")
    page.get_by_label("Username or email").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.locator("main").get_by_role("button", name="Sign in").click()


def confirm(page: Page) -> None:
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Confirm").click()


def add_key(page: Page, name: str) -> None:
    page.get_by_label("Name").fill(name)
    page.get_by_role("button", name="Add the key").click()
    page.get_by_role("link", name="I have kept them").click()


def test_a_key_is_added_lets_in_is_renamed_and_removed(new_context, here, person):
    page = new_context(here).new_page()
    plug_in(page)
    sign_in(page, person.name, "/settings/security/keys/add")
    confirm(page)
    add_key(page, "on my ring")
    expect(page.locator(".rows li")).to_contain_text("on my ring")

    page.locator(".site-nav summary").click()
    page.get_by_role("button", name="Sign out").click()
    sign_in(page, person.name, "/settings/security")
    expect(page).to_have_url(re.compile("/login/factor$"))
    page.get_by_role("button", name="Use a security key").click()
    expect(page).to_have_url(re.compile("/settings/security$"))
    expect(page.locator(".rows li")).to_contain_text(re.compile("last used"))

    page.get_by_role("link", name="Rename on my ring").click()
    page.get_by_role("button", name="Use a security key").click()
    page.get_by_label("Name").fill("<b>blue</b>")
    page.get_by_role("button", name="Save the name").click()
    page.get_by_role("link", name="Remove <b>blue</b>").click()
    page.get_by_role("button", name="Remove the key").click()
    expect(page.locator(".toast")).to_contain_text("The security key is removed.")
    expect(page.locator(".rows li")).to_have_count(0)


def test_a_key_of_somebody_else_lets_nobody_in(new_context, here, person):
    page = new_context(here).new_page()
    plug_in(page)
    sign_in(page, person.name, "/settings/security/keys/add")
    confirm(page)
    add_key(page, "mine")

    other = new_context(here).new_page()
    plug_in(other)  # Another key, which knows nothing of this account.
    sign_in(other, person.name, "/settings/security")
    other.get_by_role("button", name="Use a security key").click()
    expect(other.locator("[data-problem]")).to_contain_text("is not one of yours")
    other.goto("/settings/security")
    expect(other).to_have_url(re.compile("/login"))


def test_the_same_key_twice_is_told_apart(new_context, here, person):
    page = new_context(here).new_page()
    plug_in(page)
    sign_in(page, person.name, "/settings/security/keys/add")
    confirm(page)
    add_key(page, "mine")
    page.get_by_role("link", name="Add a key").click()
    page.get_by_label("Name").fill("again")
    page.get_by_role("button", name="Add the key").click()
    expect(page.locator("[data-problem]")).to_contain_text("among yours already")


def test_without_scripts_the_page_says_that_keys_need_them(new_context, here, stage, person):
    page = new_context(stage.url, session=person.session, javascript=False).new_page()
    page.goto("/settings/security/keys/add")
    confirm(page)
    expect(page.get_by_text("Security keys need JavaScript")).to_be_visible()
    expect(page.get_by_role("button", name="Add the key")).to_be_disabled()


def set_up_app(page: Page) -> tuple[App, list[str]]:
    """The app, and the recovery codes that come with it."""
    confirm(page)
    page.locator("summary", has_text="No camera?").click()
    app = App(page.locator(".secret code").inner_text().replace(" ", "").strip())
    page.get_by_label("Code that the app shows").fill(app.code())
    page.get_by_role("button", name="Switch it on").click()
    return app, kept_codes(page)


def kept_codes(page: Page) -> list[str]:
    codes = page.locator(".codes code").inner_text().split()
    page.get_by_role("link", name="I have kept them").click()
    expect(page.locator("#codes-heading + p")).to_contain_text("10 left")
    return codes


def give_code(page: Page, code: str) -> None:
    page.get_by_label("Code of the app").fill(code)
    page.locator("main").get_by_role("button", name="Sign in", exact=True).click()


def test_an_app_is_set_up_and_used(visit, person):
    _, codes = set_up_app(visit("/settings/security/app", person))
    other = visit("/login")
    sign_in(other, person.name, "/")
    give_code(other, codes[0])
    expect(other.locator(".menu summary")).to_contain_text(person.name)


def test_recovery_codes_are_made_anew_and_end_the_old_ones(visit, stage, person):
    _, old = set_up_app(visit("/settings/security/app", person))
    page = visit("/login")
    sign_in(page, person.name, "/settings/security")
    give_code(page, old[0])
    expect(page.locator("#codes-heading + p")).to_contain_text("9 left")
    page.get_by_role("link", name="Make new recovery codes").click()
    page.get_by_label("Code of the app").fill(old[1])
    page.get_by_role("button", name="Confirm").click()
    expect(page.locator("main")).to_contain_text("The 8 that you have now stop working.")
    page.get_by_role("link", name="Cancel").click()
    expect(page.locator("#codes-heading + p")).to_contain_text("8 left")
    page.get_by_role("link", name="Make new recovery codes").click()
    page.get_by_role("button", name="Make new ones").click()
    new = kept_codes(page)
    assert (len(new), set(new) & set(old)) == (10, set())
    assert stage.mails_to(person.email)[0]["Subject"] == "[GateHub] New recovery codes were made"
    page.goto("/settings/security/recovery-codes")
    expect(page.locator("main")).to_contain_text("You have 10 of 10 left. They were shown once")
    assert not any(code in page.content() for code in new)

    other = visit("/login")
    sign_in(other, person.name, "/settings/security")
    for code in old[2:4]:
        give_code(other, code)
        expect(other.locator(".problem")).to_contain_text("That is not right.")
    give_code(other, new[0])
    expect(other.locator("#codes-heading + p")).to_contain_text("9 left")
