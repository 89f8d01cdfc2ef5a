"""The card editor, with scripts and without: type, look, be refused, repair, commit; and nothing typed is lost."""

from __future__ import annotations

import json
import re
import time

import pytest
import requests
from playwright.sync_api import Page, Route, expect

from tests.support.hub import PASSWORD

CARD = """---
license: mit
extra_gated_prompt: You agree to do no harm.
extra_gated_fields:
  Company: text
---
# A model
"""
SUPERVISED = CARD.replace("  Company: text\n", "  Company: text\n  Supervisor: text\n")
BROKEN = CARD.replace("Company: text", "Company: nonsense")


@pytest.fixture
def repo_id(hub, owner):
    name = f"{owner.name}/edited"
    hub.publish(name, owner, {"README.md": CARD.encode()})
    return name


def commit_elsewhere(hub, repo_id: str, owner, files: dict[str, str]) -> None:
    """A commit through the API, as from another window."""
    lines = [{"key": "header", "value": {"summary": "From elsewhere"}}]
    lines += [{"key": "file", "value": {"path": path, "content": text}} for path, text in files.items()]
    answer = requests.post(
        f"{hub.url}/api/models/{repo_id}/commit/main",
        data="\n".join(json.dumps(line) for line in lines),
        headers={"authorization": f"Bearer {owner.token}", "content-type": "application/x-ndjson"},
        timeout=60,
    )
    assert answer.ok, answer.text


def text_of(page: Page):
    return page.get_by_label("README.md", exact=True)


def preview_of(page: Page):
    return page.get_by_role("region", name="Preview")


def type_in(page: Page, text: str, javascript: bool) -> None:
    """Replace the text; the preview follows by itself, or when it is asked to."""
    text_of(page).fill(text)
    if not javascript:
        page.get_by_role("button", name="Preview").click()


def test_edit_look_be_refused_repair_and_commit(visit, stage, owner, repo_id, javascript):
    page = visit(f"/{repo_id}", owner)
    page.get_by_role("link", name="Edit model card").click()
    expect(page).to_have_url(f"{stage.url}/{repo_id}/edit/main/README.md")
    expect(text_of(page)).to_have_value(CARD)
    preview = preview_of(page)
    expect(preview.get_by_role("heading", name="A model")).to_be_visible()
    expect(preview.get_by_label("Company")).to_be_visible()
    expect(preview.get_by_label("Supervisor")).to_have_count(0)

    type_in(page, SUPERVISED.replace("# A model", "# A **better** model"), javascript)
    expect(preview.get_by_label("Supervisor")).to_be_visible()
    expect(preview.get_by_role("heading", name="A better model")).to_be_visible()
    expect(preview.get_by_role("button")).to_be_disabled()

    text_of(page).fill(BROKEN)
    page.get_by_label("Commit title").fill("Ask who supervises")
    page.get_by_role("button", name="Commit to main").click()
    expect(page.get_by_role("alert")).to_contain_text("Nothing was saved.")
    expect(text_of(page)).to_have_value(BROKEN)
    expect(text_of(page)).to_have_accessible_description(re.compile('Line 5: the field "Company" has the unknown type'))
    expect(page.get_by_label("Commit title")).to_have_value("Ask who supervises")

    type_in(page, SUPERVISED, javascript)
    expect(page.locator("#edit-findings")).to_have_text("No problems found.")
    expect(text_of(page)).not_to_have_attribute("aria-invalid", "true")
    page.get_by_role("button", name="Commit to main").click()
    expect(page).to_have_url(f"{stage.url}/{repo_id}")
    expect(page.locator("#toasts")).to_contain_text("From now on the gate shows its new form")

    guest = visit(f"/{repo_id}", stage.people["nia"])
    expect(guest.locator("#gate").get_by_label("Supervisor")).to_be_editable()
    page.goto(f"/{repo_id}/commits/main")
    expect(page.locator(".rows .title").first).to_have_text("Ask who supervises")


def test_write_the_first_card(visit, hub, stage, owner):
    name = f"{owner.name}/new"
    hub.publish(name, owner, {"notes.txt": b"1"})
    page = visit(f"/{name}", owner)
    page.get_by_role("link", name="Create one here").click()
    expect(page.get_by_role("heading", level=2).first).to_have_text("Create the model card")
    page.get_by_role("button", name="Commit to main").click()
    expect(page).to_have_url(f"{stage.url}/{name}")
    expect(page.get_by_role("article")).to_contain_text("What this model does, and for whom it is meant.")


def test_two_at_once(visit, hub, owner, repo_id):
    page = visit(f"/{repo_id}/edit/main/README.md", owner)
    commit_elsewhere(hub, repo_id, owner, {"README.md": CARD.replace("# A model", "# Theirs")})
    text_of(page).fill(SUPERVISED)
    page.get_by_role("button", name="Commit to main").click()
    told = page.get_by_role("alert")
    expect(told).to_contain_text("there is a newer commit than the one you began with")
    expect(text_of(page)).to_have_value(SUPERVISED)
    with page.context.expect_page() as opened:
        told.get_by_role("link", name="the other version").click()
    expect(opened.value.get_by_role("region", name="README.md")).to_contain_text("# Theirs")
    page.get_by_role("button", name="Save on top of it").click()
    expect(page.get_by_role("article")).to_contain_text("A model")


def sign_in(page: Page, name: str) -> None:
    page.get_by_label("Username or email").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.locator("main").get_by_role("button", name="Sign in", exact=True).click()


def test_what_was_typed_outlives_the_session(visit, stage, owner, repo_id):
    page = visit(f"/{repo_id}/edit/main/README.md", owner)
    text_of(page).fill(SUPERVISED)
    page.get_by_label("Commit title").fill("Ask who supervises")
    page.context.clear_cookies(name="gatehub_session")
    page.get_by_role("button", name="Commit to main").click()
    expect(page.locator("#toasts")).to_contain_text("What you typed is kept for an hour")
    sign_in(page, owner.name)
    expect(page).to_have_url(f"{stage.url}/{repo_id}/edit/main/README.md")
    expect(page.get_by_role("alert")).to_contain_text("You were signed out when you sent this form. Nothing was saved.")
    expect(text_of(page)).to_have_value(SUPERVISED)
    expect(page.get_by_label("Commit title")).to_have_value("Ask who supervises")
    page.get_by_role("button", name="Commit to main").click()
    expect(page.locator("#toasts")).to_contain_text("From now on the gate shows its new form")


def test_the_way_to_the_line(visit, owner, repo_id, javascript):
    page = visit(f"/{repo_id}/edit/main/README.md", owner)
    long = CARD + "".join(f"\nParagraph {number} {'of many words ' * 30}\n" for number in range(300)) + "\nthe end\n"
    text = long.replace("# A model", "# A model\n") + "---\n"
    type_in(page, text.replace("license: mit", "license: mit\nlicense: mit"), javascript)
    link = page.locator("#edit-findings").get_by_role("link", name="Line 3")
    link.click()
    selected = "(text) => text.value.slice(text.selectionStart, text.selectionEnd)"
    if javascript:
        expect(text_of(page)).to_be_focused()
        assert text_of(page).evaluate(selected) == "license: mit"
        assert text_of(page).evaluate("(text) => text.scrollTop") == 0
        expect(page.locator("[data-place]")).to_have_text("Line 3")
    else:
        expect(page).to_have_url(re.compile("#edit-text$"))


def test_the_keyboard_leaves_the_text(visit, owner, repo_id):
    page = visit(f"/{repo_id}/edit/main/README.md", owner)
    text_of(page).focus()
    page.keyboard.press("Tab")
    expect(page.get_by_label("Commit title")).to_be_focused()
    page.keyboard.press("Shift+Tab")
    expect(text_of(page)).to_be_focused()
    expect(text_of(page)).to_have_value(CARD)


def test_the_settings_show_the_form(visit, owner, repo_id):
    page = visit(f"/{repo_id}/settings", owner)
    gate = page.locator("#access")
    gate.get_by_text("Form preview").click()
    expect(gate.get_by_label("Company")).to_be_visible()
    expect(gate.get_by_role("button", name="Agree and send request")).to_be_disabled()
    gate.get_by_role("link", name="Edit the form in the card").click()
    expect(text_of(page)).to_have_value(CARD)


@pytest.mark.parametrize("javascript", [True], ids=["scripts"])
class TestWithScripts:
    def test_an_unsaved_text_is_not_left_without_a_word(self, visit, owner, repo_id):
        page = visit(f"/{repo_id}/edit/main/README.md", owner)
        asked = []

        def stay(dialog) -> None:
            asked.append(dialog.type)
            dialog.dismiss()

        page.on("dialog", stay)
        page.get_by_role("link", name="Cancel").click()
        expect(page).to_have_url(re.compile(f"/{repo_id}$"))
        page.get_by_role("link", name="Edit model card").click()
        text_of(page).press_sequentially("x")
        page.get_by_role("link", name="Cancel").click()
        expect(page).to_have_url(re.compile("/edit/main/README.md$"))
        assert asked == ["beforeunload"]
        text_of(page).fill(BROKEN)
        page.get_by_role("button", name="Commit to main").click()
        expect(page.get_by_role("alert")).to_contain_text("Nothing was saved.")
        page.get_by_label("Commit title").press_sequentially("x")
        page.get_by_role("link", name="Cancel").click()
        expect(text_of(page)).to_have_value(BROKEN)
        assert asked == ["beforeunload"] * 2, "what was refused is not saved"
        text_of(page).fill(SUPERVISED)
        page.get_by_role("button", name="Commit to main").click()
        expect(page).to_have_url(re.compile(f"/{repo_id}$"))
        assert asked == ["beforeunload"] * 2

    def test_of_several_previews_the_last_wins(self, visit, owner, repo_id):
        page = visit(f"/{repo_id}/edit/main/README.md", owner)
        held, asked = [], []

        def slowly(route: Route) -> None:
            asked.append(route.request.post_data)
            if held:
                route.continue_()
            else:
                held.append(route)

        page.route("**/edit/preview", slowly)
        text_of(page).fill(CARD.replace("# A model", "# The first"))
        deadline = time.monotonic() + 5
        while not held and time.monotonic() < deadline:
            page.wait_for_timeout(50)
        for name in ("second", "third"):
            text_of(page).fill(CARD.replace("# A model", f"# The {name}"))
            page.wait_for_timeout(600)  # Longer than the script waits for the next key.
        held[0].continue_()
        expect(preview_of(page).get_by_role("heading", name="The third")).to_be_visible()
        page.wait_for_timeout(600)
        expect(preview_of(page).get_by_role("heading", name="The third")).to_be_visible()
        assert [re.search(r"The(?:\+|%20)(\w+)", body)[1] for body in asked] == ["first", "third"]

    def test_the_button_asks_for_a_preview_without_leaving_the_page(self, visit, owner, repo_id):
        page = visit(f"/{repo_id}/edit/main/README.md", owner)
        page.evaluate("window.same = true")
        text_of(page).fill(CARD.replace("# A model", "# Asked for"))
        page.get_by_role("button", name="Preview").click()
        expect(preview_of(page).get_by_role("heading", name="Asked for")).to_be_visible()
        assert page.evaluate("window.same")

    def test_a_preview_after_the_session_has_ended_leads_to_sign_in_beside_the_text(self, visit, owner, repo_id):
        page = visit(f"/{repo_id}/edit/main/README.md", owner)
        page.context.clear_cookies(name="gatehub_session")
        text_of(page).fill(SUPERVISED)
        told = page.locator("#edit-findings").get_by_role("alert")
        expect(told).to_contain_text("You have been signed out.")
        expect(page.locator(".toast")).to_have_count(0)
        expect(text_of(page)).to_have_value(SUPERVISED)
        with page.context.expect_page() as opened:
            told.get_by_role("link", name="Sign in").click()
        sign_in(opened.value, owner.name)
        expect(opened.value.get_by_role("link", name="Edit model card")).to_be_visible()
        opened.value.close()
        text_of(page).fill(SUPERVISED.replace("# A model", "# A better model"))
        expect(preview_of(page).get_by_role("heading", name="A better model")).to_be_visible()
        page.get_by_role("button", name="Commit to main").click()
        expect(page.get_by_role("alert")).to_contain_text("You have signed in again since you opened the editor.")
        page.get_by_role("button", name="Commit to main").click()
        expect(page.get_by_role("article")).to_contain_text("A better model")

    def test_a_preview_that_fails_costs_nothing_of_what_was_typed(self, visit, stage):
        page = visit("/lab/research/edit/main/README.md", stage.people["ada"])
        page.locator("#edit-text").fill("# Typed for an hour\n")
        page.evaluate("htmx.trigger('#edit-text', 'htmx:responseError')")
        expect(page.locator(".toast[role=alert]")).to_contain_text("copy what you have typed, and reload the page")
        expect(page.locator("#edit-text")).to_have_value("# Typed for an hour\n")
