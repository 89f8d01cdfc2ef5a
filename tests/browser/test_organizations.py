"""An organization from its first day to its last, with scripts and without; and one's own requests on their list."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

CARD = b"""---
extra_gated_fields:
  Company: text
---
# A model
"""


@pytest.fixture
def admin(stage):
    return stage.next()


@pytest.fixture
def colleague(stage):
    return stage.next()


@pytest.fixture
def club(visit, admin):
    """The name of an organization whose only member is its admin."""
    name = f"club-of-{admin.name}"
    page = visit("/organizations/new", admin)
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_role("button", name="Create").click()
    expect(page.get_by_text(f"The organization {name} is made")).to_be_visible()
    return name


def add(page: Page, name: str, role: str = "") -> None:
    page.get_by_label("User name, or a part of their name").fill(name)
    if role:
        page.locator("#add-role").select_option(role)
    page.get_by_role("button", name="Add member").click()


def members(page: Page):
    return page.locator(".member .who")


def test_create_an_organization(visit, stage, admin):
    name = f"house-of-{admin.name}"
    page = visit("/", admin)
    page.locator(".menu summary").click()
    page.get_by_role("link", name="New organization").click()
    page.get_by_label("Name", exact=True).fill("lab")
    page.get_by_label("Full name").fill("The <b>House</b>")
    page.get_by_role("button", name="Create").click()
    expect(page.locator(".problem")).to_have_text("The name “lab” is taken.")
    expect(page.get_by_label("Full name")).to_have_value("The <b>House</b>")
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_role("button", name="Create").click()
    expect(page).to_have_url(f"{stage.url}/organizations/{name}/members")
    expect(page.get_by_role("heading", level=1)).to_have_text("The <b>House</b>")
    expect(members(page)).to_contain_text([f"{admin.name} {admin.name.title()} Admin You"])
    page.get_by_role("link", name="Repositories").click()
    page.get_by_role("link", name="Create a repository").click()
    expect(page.get_by_label("Owner")).to_have_value(name)


def test_add_a_member_by_a_part_of_their_name(visit, admin, colleague, club, javascript):
    page = visit(f"/organizations/{club}/members", admin)
    field = page.get_by_label("User name, or a part of their name")
    part = colleague.name[-5:]
    if javascript:  # Those who could be meant appear while one types.
        field.press_sequentially(part)
    else:
        add(page, part)
        expect(page.get_by_text(f"Nobody has the user name {part}.")).to_be_visible()
        expect(field).to_have_value(part)
    expect(page.get_by_role("button", name=f"Add {colleague.name}")).to_be_visible()
    page.locator("#add-role").select_option("contributor")
    page.get_by_role("button", name=f"Add {colleague.name}").click()
    expect(page.get_by_text(f"{colleague.name} is a member of {club} now, with the role contributor.")).to_be_visible()
    expect(members(page)).to_have_count(2)

    add(page, colleague.name, "admin")
    expect(page.locator("#add-problem")).to_contain_text("is a member already, with the role contributor")
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(page.locator("#add-role")).to_have_value("admin")
    add(page, "nobody-at-all")
    expect(page.locator("#add-problem")).to_contain_text("They need an account first.")
    expect(members(page)).to_have_count(2)


def test_a_changed_role_counts_on_the_next_request(visit, hub, admin, colleague, club):
    page = visit(f"/organizations/{club}/members", admin)
    add(page, colleague.name, "write")
    hub.publish(f"{club}/base", admin, {"README.md": CARD})
    theirs = visit(f"/{club}/base/settings", colleague)
    expect(theirs.get_by_role("heading", name="Access requests")).to_be_visible()
    page.get_by_label(f"Role of {colleague.name}", exact=True).select_option("read")
    page.get_by_role("button", name=f"Change the role of {colleague.name}").click()
    expect(page.get_by_text(f"{colleague.name} has the role read now.")).to_be_visible()
    assert theirs.reload().status == 403
    body = {"name": "new", "organization": club, "type": "model"}
    assert hub.call("POST", "/api/repos/create", colleague, json=body).status_code == 403

    page.get_by_role("button", name=f"Remove {colleague.name}").click()
    expect(page.get_by_text(f"{colleague.name} is no member of {club} any more.")).to_be_visible()
    expect(members(page)).to_have_count(1)


def test_the_last_admin_stays_until_there_is_another(visit, admin, colleague, club):
    page = visit(f"/organizations/{club}/members", admin)
    page.get_by_label(f"Role of {admin.name}", exact=True).select_option("read")
    page.get_by_role("button", name=f"Change the role of {admin.name}").click()
    expect(page.locator(".toast")).to_contain_text(f"{admin.name} is the last admin of {club}")
    page.goto("/settings/organizations")
    row = page.locator(".rows > li", has_text=club)
    expect(row).to_contain_text("You are its last admin.")
    row.get_by_role("link", name="another member an admin").click()

    add(page, colleague.name, "admin")
    page.get_by_label(f"Role of {admin.name}", exact=True).select_option("read")
    page.get_by_role("button", name=f"Change the role of {admin.name}").click()
    expect(page.get_by_text(f"{admin.name} has the role read now.")).to_be_visible()
    expect(page.get_by_role("button", name="Add member")).to_have_count(0)
    page.get_by_role("link", name=f"Leave {club}").click()
    row.get_by_text("Leave", exact=True).click()
    row.get_by_role("button", name=f"Leave {club}").click()
    expect(page.get_by_text(f"You have left {club}.")).to_be_visible()
    expect(page.locator(".empty")).to_contain_text(f"tell an admin of it your user name, {admin.name}")


def test_delete_when_nothing_is_left(visit, stage, hub, admin, club):
    hub.publish(f"{club}/base", admin, {"README.md": CARD})
    page = visit(f"/organizations/{club}/settings", admin)
    delete = page.locator("#delete")
    expect(delete.get_by_role("button", name="Delete")).to_have_count(0)
    delete.get_by_role("link", name=f"{club}/base").click()
    page.get_by_label(f"Type {club}/base to confirm").fill(f"{club}/base")
    page.locator("#delete").get_by_role("button", name="Delete").click()
    expect(page).to_have_url(f"{stage.url}/{club}")
    page.get_by_role("link", name="Settings", exact=True).click()
    delete.get_by_label(f"Type {club} to confirm").fill("club")
    delete.get_by_role("button", name="Delete").click()
    expect(delete.get_by_role("alert")).to_contain_text("Nothing was deleted.")
    delete.get_by_label(f"Type {club} to confirm").fill(club)
    delete.get_by_role("button", name="Delete").click()
    expect(page).to_have_url(f"{stage.url}/settings/organizations")
    expect(page.get_by_text(f"The organization {club} is deleted.")).to_be_visible()
    assert page.goto(f"/{club}").status == 404


def test_change_the_full_name(visit, admin, club):
    page = visit(f"/organizations/{club}/settings", admin)
    page.get_by_label("Full name").fill("The Club of Clubs")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("The settings are saved.")).to_be_visible()
    expect(page.get_by_role("heading", level=1)).to_have_text("The Club of Clubs")


def test_cancel_a_request_on_the_list_of_mine(visit, hub, admin, colleague):
    for name in ("one", "two"):
        hub.publish(f"{admin.name}/{name}", admin, {"README.md": CARD})
        hub.ask(f"{admin.name}/{name}", colleague, {"Company": "C"})
    hub.handle(f"{admin.name}/two", admin, colleague, "accepted")
    page = visit("/settings/requests", colleague)
    page.get_by_role("navigation", name="Requests by state").get_by_role("link", name="Pending").click()
    expect(page.locator(".rows .title")).to_have_text([f"{admin.name}/one"])
    page.get_by_role("button", name=f"Cancel my request for {admin.name}/one").click()
    expect(page.get_by_text(f"Your request for {admin.name}/one was cancelled.")).to_be_visible()
    expect(page.locator(".rows .title")).to_have_text([f"{admin.name}/two"])
    expect(page.locator(".rows")).to_contain_text("You may download it")
