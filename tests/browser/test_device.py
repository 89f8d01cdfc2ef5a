"""What `hf auth login` has a person do in the browser, with scripts and without: the device is played by its API."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from gatehub.hub.oauth import DEVICE_CODE
from tests.support.hub import PASSWORD, Hub


@pytest.fixture
def person(stage):
    return stage.next()


@pytest.fixture
def codes(hub):
    """What a device is told that begins to sign in."""
    return hub.call("POST", "/oauth/device", None, data={"client_id": "hf"}).json()


def poll(hub: Hub, codes: dict[str, Any]) -> dict[str, Any]:
    asked = {"grant_type": DEVICE_CODE, "device_code": codes["device_code"], "client_id": "hf"}
    return hub.call("POST", "/oauth/token", None, data=asked).json()


def enter(page: Page, code: str) -> None:
    page.get_by_label("Code").fill(code)
    page.get_by_role("button", name="Continue").click()


def test_a_person_types_the_code_and_approves(visit, hub, person, codes):
    page = visit("/device", person)
    enter(page, "bcdf")
    expect(page.locator("#code-problem")).to_contain_text("No sign-in waits under this code.")
    expect(page.get_by_label("Code")).to_have_value("bcdf")
    enter(page, codes["user_code"].lower().replace("-", " "))
    expect(page.locator(".panel")).to_contain_text(f"A device wants to act as {person.name}")
    expect(page.locator(".facts")).to_contain_text(codes["user_code"])
    expect(page.locator(".facts")).to_contain_text("python-requests")
    assert poll(hub, codes)["error"] == "authorization_pending"

    page.get_by_role("button", name="Approve").click()
    expect(page.get_by_role("status")).to_contain_text("Approved. Go back to your terminal")
    token = type(person)(person.name, poll(hub, codes)["access_token"], "")
    assert hub.call("GET", "/api/whoami-v2", token).json()["name"] == person.name
    page.locator("main").get_by_role("link", name="access tokens").click()
    expect(page.locator(".rows li", has_text="hf auth login")).to_contain_text(token.token[-4:])
    assert page.goto(f"/device?code={codes['user_code']}").status == 404
    expect(page.locator("#code-problem")).to_contain_text("Codes are good for 15 minutes, and once.")


def test_a_stranger_signs_in_first_and_denies(visit, hub, person, codes):
    page = visit(codes["verification_uri_complete"])
    page.get_by_label("Username or email").fill(person.name)
    page.get_by_label("Password").fill(PASSWORD)
    page.locator("main").get_by_role("button", name="Sign in").click()
    expect(page).to_have_url(codes["verification_uri_complete"])
    expect(page.locator(".panel")).to_contain_text(f"A device wants to act as {person.name}")
    page.get_by_role("button", name="Deny").click()
    expect(page.get_by_role("status")).to_have_text("Denied. The device got nothing.")
    assert poll(hub, codes)["error"] == "access_denied"
    page.goto("/settings/tokens")
    expect(page.locator(".rows li", has_text="hf auth login")).to_have_count(0)
