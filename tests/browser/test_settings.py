"""What the settings of a repo change for others, with scripts and without: who sees it, who must ask, whose it is."""

from __future__ import annotations

import csv
import io

import pytest
from playwright.sync_api import Page, expect

CARD = b"---\nextra_gated_fields:\n  Company: text\n---\n# A model\n"
FILES = {"README.md": CARD, "config.json": b'{"hidden": 1}\n'}
JOIN = """
from accounts import services
from accounts.actor import SYSTEM
from accounts.models import Organization, User
house, user = Organization.objects.get(namespace__name="{house}"), User.objects.get(username="{name}")
services.set_role(organization=house, user=user, role="read", by=SYSTEM)
"""


@pytest.fixture
def repo_id(hub, owner):
    name = f"{owner.name}/gated"
    hub.publish(name, owner, FILES)
    return name


@pytest.fixture
def house(hub, owner):
    """The name of an organization whose only member is its admin."""
    return hub.organization(owner)


def save(page: Page) -> None:
    page.locator("#access").get_by_role("button", name="Save").click()
    expect(page.get_by_text("The settings are saved.")).to_be_visible()


def waiting(hub, repo_id, owner) -> set[str]:
    rows = hub.call("GET", f"/api/models/{repo_id}/user-access-request/pending", owner).json()
    return {row["user"]["user"] for row in rows}


def download(hub, repo_id, who) -> int:
    return hub.call("GET", f"/{repo_id}/resolve/main/config.json", who).status_code


def test_make_a_repo_private_and_public_again(visit, hub, owner, guest, repo_id):
    hub.ask(repo_id, guest, {"Company": "C"})
    page, theirs = visit(f"/{repo_id}/settings", owner), visit(f"/{repo_id}", guest)
    visibility = page.locator("#visibility")
    expect(visibility).to_contain_text("everybody sees its card and the names of its files")
    visibility.get_by_role("button", name="Make private").click()
    expect(page.get_by_text("The settings are saved.")).to_be_visible()
    expect(visibility).to_contain_text("only you see it")
    expect(page.locator(".repo-header .badges")).to_contain_text("Private")
    assert theirs.reload().status == 404
    assert theirs.goto(f"/{repo_id}/tree/main").status == 404
    assert hub.call("GET", f"/api/models/{repo_id}", guest).status_code == 404
    assert hub.call("GET", f"/api/models/{repo_id}", None).status_code == 401
    theirs.goto(f"/models?author={owner.name}")
    expect(theirs.locator(".rows .title")).to_have_count(0)

    visibility.get_by_role("button", name="Make public").click()
    expect(visibility).to_contain_text("The gate decides who may download them.")
    theirs.goto(f"/{repo_id}")
    expect(theirs.get_by_role("article")).to_contain_text("A model")
    expect(theirs.locator("#gate").get_by_role("heading")).to_contain_text("Your request is awaiting review")
    told = hub.call("GET", f"/api/models/{repo_id}", None).json()
    assert (told["private"], told["gated"]) == (False, "manual")
    assert waiting(hub, repo_id, owner) == {guest.name}


def test_members_of_an_organization_are_gated_as_well(visit, stage, hub, owner, house):
    member, repo_id = stage.next(), f"{house}/base"
    stage.server.manage("shell", "-v0", "-c", JOIN.format(house=house, name=member.name))
    hub.publish(repo_id, owner, FILES)
    page, theirs = visit(f"/{repo_id}/settings", owner), visit(f"/{repo_id}", member)
    gate = theirs.locator("#gate")
    expect(gate).to_contain_text("you read its files without asking")
    page.get_by_label(f"Also gate members of {house}").check()
    save(page)
    expect(page.get_by_label(f"Also gate members of {house}")).to_be_checked()
    assert [download(hub, repo_id, who) for who in (member, owner)] == [403, 200]

    theirs.reload()
    gate.get_by_label("Company").fill("The house itself")
    gate.get_by_role("button", name="Agree and send request").click()
    expect(gate.get_by_role("heading")).to_contain_text("Your request is awaiting review")
    page.reload()
    page.get_by_role("button", name=f"Accept {member.name}").click()
    expect(page.get_by_text(f"{member.name} has access now.")).to_be_visible()
    theirs.reload()
    gate.get_by_role("link", name="See the files").click()
    theirs.get_by_role("link", name="config.json", exact=True).click()
    expect(theirs.get_by_role("region", name="config.json")).to_contain_text('"hidden": 1')

    page.get_by_label(f"Also gate members of {house}").uncheck()
    save(page)
    expect(page.get_by_label(f"Also gate members of {house}")).not_to_be_checked()
    assert hub.call("GET", f"/api/models/{repo_id}", owner).json()["gated"] == "manual"


def test_move_a_repo_into_an_organization(visit, stage, hub, owner, guest, repo_id, house):
    """Where first another one has its name."""
    hub.ask(repo_id, guest, {"Company": "C"})
    hub.publish(f"{house}/gated", owner, FILES)
    page = visit(f"/{repo_id}/settings", owner)
    move = page.locator("#move")
    move.get_by_label("Owner").select_option(house)
    move.get_by_role("button", name="Move").click()
    expect(move.get_by_role("alert")).to_contain_text(f"{house}/gated")
    expect(move.get_by_label("Owner")).to_have_value(house)
    move.get_by_label("Name").fill("ours")
    move.get_by_role("button", name="Move").click()
    expect(page).to_have_url(f"{stage.url}/{house}/ours/settings")
    expect(page.get_by_text(f"This model is now {house}/ours.")).to_be_visible()
    expect(page.locator("#requests .rows > li")).to_contain_text(guest.name)

    theirs = visit(f"/{repo_id}", guest)
    expect(theirs).to_have_url(f"{stage.url}/{house}/ours")
    expect(theirs.locator("#gate")).to_contain_text(f"Somebody of {house} reads your request")
    theirs.goto(f"/{repo_id}/tree/main")
    expect(theirs).to_have_url(f"{stage.url}/{house}/ours/tree/main")
    theirs.goto(f"/{owner.name}")
    expect(theirs.locator(".rows .title")).to_have_count(0)
    assert hub.call("GET", f"/api/models/{repo_id}", guest).headers["Location"].endswith(f"/api/models/{house}/ours")
    assert waiting(hub, f"{house}/ours", owner) == {guest.name}
    assert waiting(hub, f"{house}/gated", owner) == set()


def test_accept_all_that_wait_when_the_gate_becomes_automatic(visit, stage, hub, owner, guest, repo_id):
    other, late = stage.next(), stage.next()
    for person in (guest, other):
        hub.ask(repo_id, person, {"Company": "C"})
    page = visit(f"/{repo_id}/settings", owner)
    page.get_by_label("Gated, automatic approval").check()
    save(page)
    expect(page.locator("#requests .notice")).to_contain_text("2 from before still wait for a decision.")
    assert waiting(hub, repo_id, owner) == {guest.name, other.name}
    hub.ask(repo_id, late, {"Company": "C"})
    assert [download(hub, repo_id, who) for who in (guest, late)] == [403, 200]

    page.get_by_role("button", name="Accept all that wait").click()
    expect(page.get_by_text("2 requests accepted.")).to_be_visible()
    expect(page.get_by_role("button", name="Accept all that wait")).to_have_count(0)
    expect(page.locator("#requests .rows > li")).to_have_count(3)  # Those who have access come first now.
    expect(page.locator("#list-pending")).to_have_text("Pending 0")
    assert [download(hub, repo_id, who) for who in (guest, other)] == [200, 200]


def test_the_queue_stays_where_the_gate_was_put_back_to_manual_meanwhile(visit, hub, owner, guest, repo_id):
    hub.ask(repo_id, guest, {"Company": "C"})
    assert hub.call("PUT", f"/api/models/{repo_id}/settings", owner, json={"gated": "auto"}).ok
    page = visit(f"/{repo_id}/settings", owner)
    assert hub.call("PUT", f"/api/models/{repo_id}/settings", owner, json={"gated": "manual"}).ok
    page.get_by_role("button", name="Accept all that wait").click()
    expect(page.locator("#toasts")).to_contain_text(
        "The gate is for manual review now, so the queue was left as it is."
    )
    expect(page.get_by_role("button", name=f"Accept {guest.name}")).to_be_visible()
    assert waiting(hub, repo_id, owner) == {guest.name}


def test_the_history_of_what_was_done(visit, hub, owner, guest, repo_id):
    hub.ask(repo_id, guest, {"Company": "C"})
    hub.handle(repo_id, owner, guest, "accepted")
    page = visit(f"/{repo_id}/settings", owner)
    page.locator("#history").get_by_role("link", name="Show the whole history").click()
    lines = page.locator(".history .what")
    expect(lines.last).to_have_text(f"{owner.name} created the repository")
    page.get_by_label("About").select_option("Access requests")
    page.get_by_role("button", name="Show").click()
    expect(lines).to_have_text([f"{owner.name} accepted the request of {guest.name}", f"{guest.name} asked for access"])
    page.get_by_label("Person", exact=True).fill(owner.name.upper())
    page.get_by_role("button", name="Show").click()
    expect(lines).to_have_text([f"{owner.name} accepted the request of {guest.name}"])
    expect(page.get_by_label("About")).to_have_value("requests")
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV").click()
    (row,) = csv.DictReader(io.StringIO(download.value.path().read_text("utf-8-sig")))
    assert (row["person"], row["verb"]) == (owner.name, "access_request:accepted")
    page.get_by_label("Person", exact=True).fill("nobody-at-all")
    page.get_by_role("button", name="Show").click()
    page.get_by_role("link", name="Show everything").click()
    expect(lines.first).to_have_text(f"{owner.name} downloaded this history")
    assert visit("/", guest).goto(f"/{repo_id}/settings/history").status == 403
