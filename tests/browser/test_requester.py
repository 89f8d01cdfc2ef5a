"""What a person does who asks for access, with scripts and without: from the account to the files."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.support.hub import PASSWORD

CARD = b"""---
extra_gated_heading: Ask the authors
extra_gated_prompt: You agree to not use the model for **harm**.
extra_gated_fields:
  Company: text
  Country: country
  What for: {type: select, options: [Research, Education]}
  Remarks: {type: textarea, required: false}
  I agree: checkbox
---
# A model of great use
"""


@pytest.fixture
def repo_id(hub, owner):
    name = f"{owner.name}/gated"
    hub.publish(name, owner, {"README.md": CARD, "config.json": b'{"hidden": 1}\n'})
    return name


def fill_in(page: Page, company: str) -> None:
    gate = page.locator("#gate")
    gate.get_by_label("Company").fill(company)
    gate.get_by_label("Country").select_option("France")
    gate.get_by_label("What for").select_option("Research")
    gate.get_by_label("Remarks").fill("First line\nsecond line")
    gate.get_by_label("I agree").check()


def send(page: Page) -> None:
    page.get_by_role("button", name="Agree and send request to access repo").click()


def test_sign_up_confirm_the_address_and_sign_in(visit, stage, javascript):
    name = f"zoe-{javascript}".lower()
    page = visit("/")
    page.get_by_role("link", name="Sign up").first.click()
    form = page.locator("main form")
    form.get_by_label("Username").fill(name)
    form.get_by_label("Full name").fill("Zoë Zed")
    form.get_by_label("Email").fill(f"{name}@example.org")
    form.get_by_label("Password", exact=True).fill("short")
    form.get_by_label("Password (again)").fill("short")
    form.get_by_role("button", name="Create account").click()
    expect(form.locator(".problem")).to_contain_text("too short")
    expect(form.get_by_label("Full name")).to_have_value("Zoë Zed")
    form.get_by_label("Password", exact=True).fill(PASSWORD)
    form.get_by_label("Password (again)").fill(PASSWORD)
    form.get_by_role("button", name="Create account").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Confirm your email address")

    page.goto(stage.link_in_mail_to(f"{name}@example.org"))
    page.get_by_role("button", name="Confirm").click()
    page.goto("/login?next=/settings/profile")
    page.get_by_label("Username or email").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.locator("main").get_by_role("button", name="Sign in").click()
    expect(page).to_have_url(f"{stage.url}/settings/profile")
    page.locator(".menu summary").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("link", name="Sign in").first).to_be_visible()


def test_what_was_typed_outlives_the_session(visit, hub, repo_id, owner, guest):
    page = visit(f"/{repo_id}", guest)
    fill_in(page, "Example University")
    page.context.clear_cookies(name="gatehub_session")
    send(page)
    page.get_by_label("Username or email").fill(guest.name)
    page.get_by_label("Password").fill(PASSWORD)
    page.locator("main").get_by_role("button", name="Sign in", exact=True).click()
    gate = page.locator("#gate")
    expect(gate.get_by_role("alert")).to_contain_text("You were signed out when you sent this form. Nothing was sent.")
    expect(gate.get_by_label("Company")).to_have_value("Example University")
    expect(gate.get_by_label("Country")).to_have_value("FR")
    expect(gate.get_by_label("Remarks")).to_have_value("First line\nsecond line")
    expect(gate.get_by_label("I agree")).to_be_checked()
    send(page)
    expect(gate.get_by_role("heading").first).to_contain_text("Your request is awaiting review")
    rows = hub.call("GET", f"/api/models/{repo_id}/user-access-request/pending", owner).json()
    assert [row["user"]["user"] for row in rows] == [guest.name]


def test_a_stranger_is_led_to_the_form(visit, stage, repo_id):
    page = visit(f"/{repo_id}")
    expect(page.get_by_role("article")).to_contain_text("A model of great use")
    expect(page.get_by_role("region", name="Conditions")).to_contain_text("not use the model for harm")
    page.get_by_role("link", name="Sign in to ask for access").click()
    person = stage.next()
    page.get_by_label("Username or email").fill(person.name)
    page.get_by_label("Password").fill(PASSWORD)
    page.locator("main").get_by_role("button", name="Sign in").click()
    expect(page).to_have_url(f"{stage.url}/{repo_id}")
    expect(page.locator("#gate").get_by_label("Company")).to_be_editable()


def test_a_refused_form_keeps_what_was_typed_and_says_what_is_wrong(visit, guest, repo_id):
    page = visit(f"/{repo_id}", guest)
    fill_in(page, "   ")  # Enough for the browser, not for the server.
    send(page)
    gate = page.locator("#gate")
    expect(gate.get_by_role("alert")).to_contain_text("The form is not complete")
    expect(gate.get_by_label("Company")).to_have_attribute("aria-invalid", "true")
    expect(gate.get_by_label("Company")).to_have_accessible_description("This field is required")
    expect(gate.locator(".problem")).to_have_count(1)
    expect(gate.get_by_label("Country")).to_have_value("FR")
    expect(gate.get_by_label("What for")).to_have_value("Research")
    expect(gate.get_by_label("Remarks")).to_have_value("First line\nsecond line")
    expect(gate.get_by_label("I agree")).to_be_checked()


def test_ask_cancel_ask_again_and_be_accepted(visit, guest, owner, repo_id, javascript):
    page = visit(f"/{repo_id}", guest)
    fill_in(page, "Example University")
    send(page)
    gate = page.locator("#gate")
    expect(gate.get_by_role("heading")).to_contain_text("Your request is awaiting review")
    expect(gate).to_contain_text(guest.email)
    gate.get_by_role("button", name="Cancel my request").click()
    expect(page.get_by_text(f"Your request for {repo_id} was cancelled.")).to_be_visible()

    fill_in(page, "Another University")
    send(page)
    expect(gate.get_by_role("heading")).to_contain_text("Your request is awaiting review")
    page.goto("/settings/requests")
    expect(page.locator(".rows li").first).to_contain_text("Pending")

    review = visit(f"/{repo_id}", owner)
    review.get_by_role("link", name="1 access request").click()
    review.get_by_text("5 answers").click()
    expect(review.locator(".answers")).to_contain_text("Another University")
    review.get_by_role("button", name=f"Accept {guest.name}").click()
    expect(review.get_by_text(f"{guest.name} has access now.")).to_be_visible()

    page.goto(f"/{repo_id}")
    expect(gate.get_by_role("heading")).to_contain_text("You have been granted access")
    expect(gate.locator("code").last).to_contain_text(f"hf download {repo_id}")
    expect(gate.get_by_role("button", name="Copy")).to_be_visible(visible=javascript)
    gate.get_by_role("link", name="See the files").click()
    page.get_by_role("link", name="config.json", exact=True).click()
    expect(page.get_by_role("region", name="config.json")).to_contain_text('"hidden": 1')


def test_a_rejected_request_shows_its_reason(visit, hub, guest, owner, repo_id):
    answers = {"Company": "X", "Country": "FR", "What for": "Research", "I agree": "true"}
    hub.ask(repo_id, guest, answers)
    review = visit(f"/{repo_id}/settings", owner)
    review.get_by_text("Reject with a reason").click()
    review.get_by_label(f"Reason for rejecting {guest.name}").fill("Ask again <in> May")
    review.get_by_role("button", name="Reject with this reason").click()
    expect(review.get_by_text(f"{guest.name} was rejected.")).to_be_visible()
    page = visit(f"/{repo_id}", guest)
    expect(page.locator("#gate").get_by_role("heading")).to_contain_text("Your request was rejected")
    expect(page.locator("#gate .reason")).to_have_text("Ask again <in> May")
    page.get_by_role("link", name="All my requests").click()
    expect(page.locator(".rows li").first).to_contain_text("Reason: Ask again <in> May")


def test_pictures_and_films_of_a_card_are_shown_to_whom_the_gate_is_open(visit, hub, owner, guest):
    """And nothing is asked of the server in vain by anybody else's browser, which would fail this test."""
    name = f"{owner.name}/pictures"
    card = b"![The loss](loss.svg)\n\n<video src='clip.mp4' controls></video>\n\n![Badge](http://127.0.0.1/b.svg)\n"
    svg = b'<svg xmlns="http://www.w3.org/2000/svg" width="20" height="10"><rect width="20" height="10"/></svg>'
    hub.publish(name, owner, {"README.md": card, "loss.svg": svg, "clip.mp4": b"no film at all"})
    page = visit(f"/{name}", owner)
    expect(page.get_by_role("img", name="The loss")).to_have_js_property("naturalWidth", 20)
    expect(page.locator("video")).to_be_visible()
    expect(page.get_by_role("link", name="Badge at 127.0.0.1")).to_be_visible()
    for reader in (None, guest):
        page = visit(f"/{name}", reader)
        expect(page.locator("article .unshown.closed")).to_have_text(["The loss", "Video"])
        expect(page.locator("main")).to_contain_text("The pictures of this card are files behind the gate.")


def test_a_link_to_a_closed_file_says_what_to_do_and_opens_after_acceptance(visit, hub, guest, owner, repo_id):
    page = visit(f"/{repo_id}/blob/main/config.json", guest)
    expect(page.locator("main .notice[role=alert]")).to_contain_text("config.json is behind the gate of this model.")
    fill_in(page, "Example University")
    send(page)
    page.goto(f"/{repo_id}/blob/main/config.json")
    expect(page.locator("main .notice[role=alert]")).to_contain_text("once it is accepted, this address opens")
    page.get_by_text("What you sent").click()
    expect(page.locator("#gate .sent")).to_contain_text("Example University")
    hub.handle(repo_id, owner, guest, "accepted")
    page.get_by_role("link", name="this address").click()
    expect(page.get_by_role("region", name="config.json")).to_contain_text('"hidden": 1')


@pytest.mark.parametrize("javascript", [True], indirect=True, ids=["scripts"])
@pytest.mark.parametrize("has_clipboard", [True, False], ids=["clipboard", "plain http"])
def test_lines_are_copied(visit, hub, repo_id, guest, has_clipboard):
    page = visit(f"/{repo_id}", guest)
    if not has_clipboard:
        page.evaluate("delete Navigator.prototype.clipboard")
    block = page.locator("#use [data-copy]").first
    block.get_by_role("button", name="Copy").click()
    expect(block.get_by_role("button")).to_have_text("Copied")
    search = page.get_by_role("searchbox")
    search.fill("")
    search.press("Control+V")
    expect(search).to_have_value(re.compile(f"hf download {repo_id}"))
