"""Every page of the admin, wide and narrow, light and dark, with a superuser's eyes; pictures as in `test_pages`.

No page may make the browser complain of the Content-Security-Policy: `kept_page` fails where one does.  What axe has
against the markup of unfold and of Django is named in UNFOLDS; anything else fails.
"""

from __future__ import annotations

import pytest

from tests.browser.pages import Row
from tests.browser.staff_pages import STAFF_PAGES
from tests.browser.test_pages import AXE, LOOKS, PICTURED, RULES, RUN, TOO_WIDE, pictures, take_picture
from tests.support.chromium import HEIGHTS

__all__ = ["pictures"]

UNFOLDS: dict[str, tuple[str, ...]] = {
    # Rules of axe that the markup of unfold or of Django's admin breaks, and what that markup has in it.
    "landmark-unique": ("simplebar-content-wrapper",),  # Each of its scrolling parts has the same name.
    "target-size": ('class="sortremove', "toggle ascending", "toggle descending"),  # In the heads of sorted columns.
    "aria-prohibited-attr": ("help-tooltip",),  # Of Django's choice of several.
    "heading-order": ("By ",),  # The names of filters, once they are opened.
    "color-contrast": ("selector-clearall",),  # Of Django's choice of several, in the dark.
    "link-in-text-block": ('href="../password/"',),  # In the help text of Django's form for people.
}


def is_unfolds(rule: str, html: str) -> bool:
    return any(part in html for part in UNFOLDS.get(rule, ()))


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
        wrong += [f"{look}: wider than the window: {html}" for html in page.evaluate(TOO_WIDE)]
        wrong += [
            f"{look}: {found['id']}: {node['html'][:200]}"
            for found in page.evaluate(RUN, [RULES, []])
            for node in found["nodes"]
            if not is_unfolds(found["id"], node["html"])
        ]
    assert not wrong, "\n".join(wrong)
