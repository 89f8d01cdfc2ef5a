"""Every page of the admin, wide and narrow, light and dark, with a superuser's eyes; pictures as in `test_pages`.

No page may make the browser complain of the Content-Security-Policy: `kept_page` fails where one does.
"""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.pages import Row
from tests.browser.staff_pages import STAFF_PAGES
from tests.browser.test_pages import AXE, LOOKS, PICTURED, TOO_WIDE, complaints, pictures, take_picture
from tests.support.chromium import HEIGHTS

__all__ = ["pictures"]


WIDE_LISTS = """() => [...document.querySelectorAll(".simplebar-content-wrapper:has(table)")]
  .filter((box) => box.scrollWidth > box.clientWidth + 1)
  .map((box) => `${box.scrollWidth} of ${box.clientWidth}: ${box.querySelector("tr").innerText}`)"""
"""Lists that have columns behind their edge."""


@pytest.mark.parametrize("row", STAFF_PAGES, ids=lambda row: row.name)
def test_page(row: Row, stage, kept_page, pictures):
    page, watch = kept_page(stage.url, session=stage.people[row.who].session)
    page.goto(row.path.format(**stage.addresses))
    if row.act:
        row.act(page)
    assert watch.statuses[-1] == row.status
    assert row.act or set(watch.statuses) == {row.status}  # After the page comes the frame of a mail.
    page.evaluate(AXE)
    wrong = []
    for look in LOOKS:
        width, theme = look.split("-")
        page.set_viewport_size({"width": int(width), "height": HEIGHTS[int(width)]})
        # As its switch does; what the system prefers is asked for once.
        page.evaluate("dark => document.documentElement.classList.toggle('dark', dark)", theme == "dark")
        if look in PICTURED:
            take_picture(page, pictures / f"{row.name}-{look}.jpg")
        wrong += [f"{look}: a list is wider than its box: {said}" for said in page.evaluate(WIDE_LISTS)]
        wrong += [f"{look}: wider than the window: {html}" for html in page.evaluate(TOO_WIDE)]
        wrong += [f"{look}: {complaint}" for complaint in complaints(page)]
    assert not wrong, "\n".join(wrong)


def test_what_a_list_cuts_is_whole_in_its_title(stage, new_context):
    page = new_context(stage.url, session=stage.people["stef"].session).new_page()
    page.set_viewport_size({"width": 1280, "height": HEIGHTS[1280]})
    page.goto("/admin/repos/confirmationmail/")
    links = page.locator("#result_list tbody th a")
    long, short = links.filter(has_text="ddddd"), links.filter(has_text="desk-confirmed")
    expect(long).to_have_attribute("title", re.compile(r"^a+@b+\.c+\.d+\.example$"))
    expect(short).not_to_have_attribute("title", re.compile("."))
