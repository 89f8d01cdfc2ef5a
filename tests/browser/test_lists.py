"""Finding repos and reading their files, with scripts and without."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect


def test_search_from_any_page(visit, stage):
    page = visit("/login")
    page.get_by_role("searchbox", name="Search models").fill("RESEARCH")
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{stage.url}/models?search=RESEARCH")
    expect(page.locator(".rows .title")).to_have_text(["lab/research"])
    page.locator(".rows .title").click()
    expect(page).to_have_url(f"{stage.url}/lab/research")


def test_pages_of_a_list(visit):
    page = visit("/models?sort=name&search=small-")
    expect(page.locator(".rows .title")).to_have_count(30)
    page.get_by_role("link", name="Next").click()
    expect(page.locator(".rows .title")).to_have_text(["lab/small-30"])
    page.get_by_role("link", name="Previous").click()
    expect(page.locator(".rows .title").first).to_have_text("lab/small-00")


@pytest.mark.parametrize("width", [1280, 390])
def test_narrow_down_and_take_it_back(visit, width):
    page = visit("/models?sort=name", width=width)
    if width == 390:  # Folded, where there is no room beside the list.
        expect(page.get_by_role("link", name="feature-extraction")).to_be_hidden()
        page.get_by_text("Narrow down").click()
    page.get_by_role("link", name="feature-extraction").click()
    expect(page.locator(".rows .title")).to_have_text(["lab/research"])
    page.get_by_label("Gate", exact=True).select_option("Not gated")
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_role("heading", level=2)).to_have_text("0 models")
    page.get_by_role("link", name="Remove feature-extraction").click()
    page.get_by_role("link", name="Remove Not gated").click()
    expect(page.locator(".chips")).to_have_count(0)
    expect(page.get_by_label("Order")).to_have_value("name")
    page.get_by_label("Owner").fill("LAB")
    page.get_by_label("Name", exact=True).fill("rows")
    page.get_by_role("button", name="Search").click()
    page.get_by_role("link", name="Same search in datasets").click()
    expect(page.locator(".rows .title")).to_have_text(["lab/rows"])


def test_from_home_to_what_waits(visit, stage):
    page = visit("/", stage.people["wes"])
    page.get_by_role("region", name="Waiting for your review").get_by_role("link", name="lab/research").click()
    expect(page.get_by_role("heading", name="Access requests")).to_be_in_viewport()


def test_files_and_history(visit):
    page = visit("/lab/files")
    page.get_by_role("link", name="Files and versions").click()
    expect(page.locator(".files tbody tr")).to_have_count(200)
    page.get_by_role("link", name="a folder with words/").click()
    page.get_by_role("link", name="and/").click()
    page.get_by_role("link", name="another folder/").click()
    page.get_by_role("link", name="deep.txt", exact=True).click()
    expect(page.get_by_role("region", name="deep.txt")).to_contain_text("deep")
    page.get_by_role("navigation", name="Path").get_by_role("link", name="files").click()
    page.get_by_role("link", name="source.py", exact=True).click()
    expect(page.get_by_role("region", name="source.py")).to_contain_text("def function_0")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click()
    assert b"def function_24" in download.value.path().read_bytes()

    page.get_by_role("link", name="Files and versions").click()
    page.get_by_role("link", name=re.compile("History")).click()
    expect(page.locator(".rows .title")).to_have_count(4)
    page.get_by_role("link", name="Add the shards").click()
    expect(page.get_by_role("heading", level=2, name="Add the shards")).to_be_visible()
    page.get_by_role("link", name="Files at this commit").click()
    expect(page.get_by_role("link", name="shards/")).to_be_visible()


@pytest.fixture(scope="module")
def changed(stage):
    """A repo with 60 changes of a file, above two other commits."""
    owner = stage.next()
    script = f"from tests.browser import seed; seed.long_history({owner.name!r}, 'changed', 60)"
    stage.server.manage("shell", "-v0", "-c", script)
    return f"{owner.name}/changed"


def test_pages_of_a_long_history(visit, changed):
    page = visit(f"/{changed}/tree/main")
    page.get_by_role("link", name=re.compile("History")).click()
    expect(page.get_by_role("heading", level=2)).to_contain_text("62 commits")
    titles, pages = page.locator(".rows .title"), page.get_by_role("navigation", name="Pages")
    newer, older = pages.get_by_role("link", name="Newer"), pages.get_by_role("link", name="Older")
    expect(newer).to_have_count(0)
    expect(titles).to_have_text([f"Change {number}" for number in range(60, 10, -1)])
    older.click()
    expect(titles).to_have_text(
        [*(f"Change {number}" for number in range(10, 0, -1)), "Add the files", "initial commit"]
    )
    expect(older).to_have_count(0)
    titles.first.click()
    expect(page.get_by_role("heading", level=2, name="Change 10", exact=True)).to_be_visible()
    page.go_back()
    newer.click()
    expect(titles.first).to_have_text("Change 60")
    expect(newer).to_have_count(0)


def test_pages_of_the_history_of_a_file(visit, changed):
    page = visit(f"/{changed}/blob/main/config.json")
    page.get_by_role("link", name="History").click()
    titles = page.locator(".rows .title")
    expect(titles).to_have_text([f"Change {number}" for number in range(60, 10, -1)])
    page.get_by_role("link", name="Older").click()
    expect(titles).to_have_text([*(f"Change {number}" for number in range(10, 0, -1)), "Add the files"])
    expect(page.get_by_role("link", name="Older")).to_have_count(0)
    page.get_by_role("link", name="Newer").click()
    expect(titles.first).to_have_text("Change 60")


def test_a_gated_file_as_it_was_before(visit, stage, hub):
    """From the model page, for whom the gate is open."""
    owner, guest = stage.next(), stage.next()
    repo_id = f"{owner.name}/gated"
    hub.publish(repo_id, owner, {"config.json": b'{"hidden": 1}\n'})
    hub.commit(repo_id, owner, {"config.json": b'{"hidden": 2}\n'}, title="Hide one more")
    page = visit(f"/{repo_id}", guest)
    page.get_by_role("link", name="Files and versions").click()
    expect(page.get_by_role("cell", name="config.json").first).to_be_visible()
    expect(page.get_by_role("link", name=re.compile("History"))).to_have_count(0)
    assert page.goto(f"/{repo_id}/commits/main/config.json").status == 403
    hub.ask(repo_id, guest, {})
    hub.handle(repo_id, owner, guest, "accepted")

    page.goto(f"/{repo_id}")
    page.get_by_role("link", name="Files and versions").click()
    page.get_by_role("link", name="config.json", exact=True).click()
    page.get_by_role("link", name="History").click()
    expect(page.locator(".rows .title")).to_have_text(["Hide one more", "add files"])
    page.get_by_role("link", name="Hide one more").click()
    expect(page.get_by_role("region", name="Lines of config.json").locator(".removed")).to_contain_text('"hidden": 1')
    expect(page.get_by_role("region", name="Lines of config.json").locator(".added")).to_contain_text('"hidden": 2')
    page.locator(".facts").get_by_role("link").click()  # To the parent.
    expect(page.get_by_role("heading", level=2, name="add files")).to_be_visible()
    page.get_by_role("link", name="config.json", exact=True).click()
    expect(page).to_have_url(re.compile(rf"/{repo_id}/blob/[0-9a-f]{{40}}/config.json$"))
    expect(page.get_by_role("region", name="config.json")).to_contain_text('"hidden": 1')
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click()
    assert download.value.path().read_bytes() == b'{"hidden": 1}\n'


def test_another_branch(visit):
    page = visit("/lab/files/tree/main/a%20folder%20with%20words")
    page.locator(".file-head summary").click()
    page.get_by_role("link", name="v1.0").click()
    expect(page).to_have_url(re.compile("/tree/v1.0"))
    expect(page.locator(".file-head summary")).to_contain_text("v1.0")
