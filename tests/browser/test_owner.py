"""What an owner does, with scripts and without: create, gate, give access, report, rename, delete."""

from __future__ import annotations

import csv
import io

from playwright.sync_api import expect

from tests.browser.conftest import COMPANY_CARD


def test_create_a_repo(visit, stage, owner):
    page = visit("/new", owner)
    page.get_by_label("Dataset").check()
    page.get_by_label("Name").fill("a b")
    page.get_by_label("Private").check()
    page.get_by_role("button", name="Create").click()
    expect(page.locator(".problem")).to_contain_text("A repo name has letters")
    expect(page.get_by_label("Dataset")).to_be_checked()
    expect(page.get_by_label("Private")).to_be_checked()
    page.get_by_label("Name").fill("rows")
    page.get_by_role("button", name="Create").click()
    expect(page).to_have_url(f"{stage.url}/datasets/{owner.name}/rows")
    expect(page.get_by_role("heading", name="There is no dataset card yet")).to_be_visible()
    expect(page.locator(".start code").nth(1)).to_contain_text(f"hf upload {owner.name}/rows . --repo-type dataset")


def test_close_the_gate_and_choose_notifications(visit, hub, owner):
    hub.publish(f"{owner.name}/open", owner, {"README.md": COMPANY_CARD}, gated=False)
    page = visit(f"/{owner.name}/open/settings", owner)
    gate = page.locator("#access")
    expect(gate.get_by_label("Open")).to_be_checked()
    gate.get_by_label("Gated, manual review").check()
    gate.get_by_label("Real-time").check()
    gate.get_by_label("Send them to").fill("nobody@nowhere")  # Enough for the browser, not for the server.
    gate.get_by_role("button", name="Save").click()
    expect(gate.get_by_label("Send them to")).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_text("Nothing was changed.")).to_be_visible()
    gate.get_by_label("Gated, manual review").check()
    gate.get_by_label("Real-time").check()
    gate.get_by_label("Send them to").fill(owner.email)
    gate.get_by_role("button", name="Save").click()
    expect(page.get_by_text("The settings are saved.")).to_be_visible()
    page.reload()
    expect(gate.get_by_label("Gated, manual review")).to_be_checked()
    expect(gate.get_by_label("Real-time")).to_be_checked()
    expect(gate.get_by_label("Send them to")).to_have_value(owner.email)
    expect(page.locator(".repo-header .badge")).to_have_text("Gated: manual review")


def test_give_access(visit, stage, owner, repo_id, javascript):
    friend = stage.next()
    page = visit(f"/{repo_id}/settings", owner)
    field = page.get_by_label("User name, or a part of their name")
    if javascript:  # Those who could be meant appear while one types.
        field.press_sequentially(friend.name[-5:])
    else:
        field.fill(friend.name[-5:])
        page.get_by_role("button", name="Add access", exact=True).click()
    page.get_by_role("button", name=f"Add access for {friend.name}").click()
    expect(page.get_by_text(f"{friend.name} has access now.")).to_be_visible()
    page.get_by_role("navigation", name="Lists of requests").get_by_role("link", name="Accepted").click()
    expect(page.locator("#requests .rows > li")).to_contain_text(friend.name)


def test_download_the_report(visit, owner, guests, repo_id):
    page = visit(f"/{repo_id}/settings", owner)
    form = page.locator(".report-form")
    for days, found in (("2020-01-01", {person.name for person in guests}), ("2099-01-01", set())):
        form.get_by_label("Asked from").fill(days)
        with page.expect_download() as download:
            form.get_by_role("button", name="Download report").click()
        assert download.value.suggested_filename.endswith(".csv")
        rows = list(csv.DictReader(io.StringIO(download.value.path().read_text("utf-8-sig"))))
        assert {row["user"] for row in rows} >= found
        assert bool(rows) == bool(found)


def test_rename(visit, stage, owner, repo_id):
    page = visit(f"/{repo_id}/settings", owner)
    move = page.locator("#move")
    move.get_by_label("Name").fill("not a name")
    move.get_by_role("button", name="Move").click()
    expect(move.get_by_role("alert")).to_contain_text("A repo name has letters")
    move.get_by_label("Name").fill("renamed")
    move.get_by_role("button", name="Move").click()
    expect(page).to_have_url(f"{stage.url}/{owner.name}/renamed/settings")
    expect(page.get_by_text(f"This model is now {owner.name}/renamed.")).to_be_visible()
    page.goto(f"/{repo_id}")
    expect(page).to_have_url(f"{stage.url}/{owner.name}/renamed")


def test_delete_only_with_the_name_typed(visit, stage, owner, repo_id):
    page = visit(f"/{repo_id}/settings", owner)
    delete = page.locator("#delete")
    delete.get_by_label(f"Type {repo_id} to confirm").fill("gated")
    delete.get_by_role("button", name="Delete").click()
    expect(delete.get_by_role("alert")).to_contain_text("Nothing was deleted.")
    delete.get_by_label(f"Type {repo_id} to confirm").fill(repo_id)
    delete.get_by_role("button", name="Delete").click()
    expect(page).to_have_url(f"{stage.url}/{owner.name}")
    expect(page.get_by_text(f"The model {repo_id} is deleted.")).to_be_visible()
    assert page.goto(f"/{repo_id}").status == 404
