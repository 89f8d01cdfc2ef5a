"""Every page of the admin, wide and narrow, light and dark, with a superuser's eyes; pictures as in `test_pages`.

No page may make the browser complain of the Content-Security-Policy: `new_context` fails where one does.  What axe has
against unfold's own markup is named in UNFOLDS; anything else fails.
"""

from __future__ import annotations

import pytest

from tests.browser.pages import Row
from tests.browser.staff_pages import STAFF_PAGES
from tests.browser.test_pages import AXE, RULES, RUN, TOO_WIDE, looks, pictures

__all__ = ["pictures"]

UNFOLDS: dict[str, str] = {}
"""Rules of axe that unfold's own markup breaks on every page of its kind, and where."""


@pytest.mark.parametrize("row", STAFF_PAGES, ids=lambda row: row.name)
def test_page(row: Row, stage, new_context, pictures):
    page = new_context(stage.url, session=stage.people[row.who].session).new_page()
    statuses = []
    page.on("response", lambda answer: statuses.append(answer.status) if answer.request.is_navigation_request() else 0)
    page.goto(row.path.format(**stage.addresses))
    if row.act:
        row.act(page)
    assert statuses[-1 if row.act else 0] == row.status
    page.evaluate(AXE)
    wrong = []
    for look in looks(page):
        page.screenshot(path=pictures / f"{row.name}-{look}.jpg", type="jpeg", quality=85, full_page=True)
        wrong += [f"{look}: wider than the window: {html}" for html in page.evaluate(TOO_WIDE)]
        for found in page.evaluate(RUN, [RULES if look == "1280-light" else ["color-contrast"], []]):
            if found["id"] not in UNFOLDS:
                wrong += [f"{look}: {found['id']}: {node['html'][:200]}" for node in found["nodes"][:3]]
    assert not wrong, "\n".join(wrong)
