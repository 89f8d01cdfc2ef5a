"""Where things stand on pages: what belongs together, and what is to be in line."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.pages import PAGES

IN_ORDER = """() => [...document.querySelectorAll(".rows > li > .spread")].map((row) => {
  const [said, , ...more] = row.children;
  const [name, meta, button] = [said.firstElementChild, said.querySelector(".meta"), row.children[1]];
  const [of_name, of_meta, of_button] = [name, meta, button].map((one) => one.getBoundingClientRect());
  return [more.length, of_name.bottom <= of_meta.bottom, of_meta.bottom <= of_button.top];
})"""
LEFT = """(all) => all.map((one) => one.getBoundingClientRect().left)"""
TEXT_LINES = """(who) => [...who.querySelectorAll("span *")].flatMap((one) =>
  [...one.getClientRects()].map((box) => box.left))"""


@pytest.fixture
def shown(stage, new_context):
    """`shown("tokens", 390)`: the page of that row, in a window so wide."""

    def show(name: str, width: int):
        row = next(row for row in PAGES if row.name == name)
        page = new_context(stage.url, session=stage.people[row.who].session).new_page()
        page.set_viewport_size({"width": width, "height": 800})
        page.goto(row.path.format(**stage.addresses))
        return page

    return show


@pytest.mark.parametrize("name", ["connections", "security", "tokens", "my-organizations"])
def test_on_a_phone_what_is_said_of_a_thing_follows_its_name_and_its_button_comes_last(name, shown):
    rows = shown(name, 390).evaluate(IN_ORDER)
    assert rows
    assert all(row == [0, True, True] for row in rows)


def test_ones_own_row_among_members_is_in_line_though_it_has_one_button_less(shown):
    page = shown("members-admin", 1280)
    assert page.locator(".member form").count() > page.locator(".member").count()
    assert len(set(page.locator(".member select").evaluate_all(LEFT))) == 1


def test_a_long_name_wraps_beside_its_box(shown):
    page = shown("settings-wild", 390)
    box = page.locator("#requests .who input").first.bounding_box()
    assert all(left > box["x"] + box["width"] for left in page.locator("#requests .who").first.evaluate(TEXT_LINES))


def test_a_table_wider_than_its_box_shows_that_there_is_more(shown):
    page = shown("settings", 320)
    page.get_by_text("As a table").click()
    table = page.get_by_role("region", name="Requests over time")
    assert table.evaluate("one => one.scrollWidth > one.clientWidth")
    assert "local" in table.evaluate("one => getComputedStyle(one).backgroundAttachment"), "its shadow"
    before = table.get_by_role("columnheader").first.bounding_box()["x"]
    table.focus()
    page.keyboard.press("ArrowRight")
    expect(table.get_by_role("columnheader").first).not_to_be_in_viewport(ratio=1)
    assert table.get_by_role("columnheader").first.bounding_box()["x"] < before
    page.set_viewport_size({"width": 390, "height": 800})
    assert table.evaluate("one => one.scrollWidth <= one.clientWidth")
