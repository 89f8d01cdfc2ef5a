"""Links to a heading of a card, as other pages have them."""

from __future__ import annotations

import pytest

CARD = "[down](#how-to)\n\n" + "A line.\n\n" * 200 + "## How to\n\nSo.\n"
SEEN = "element => { const box = element.getBoundingClientRect(); return box.top >= 0 && box.bottom <= innerHeight; }"


@pytest.fixture
def path(hub, owner):
    name = f"{owner.name}/headings"
    hub.publish(name, owner, {"README.md": CARD.encode()})
    return f"/{name}"


def test_an_address_names_a_heading_as_its_author_does(visit, path, owner, javascript):
    page = visit(f"{path}#how-to", owner)
    heading = page.get_by_role("heading", name="How to")
    # Without scripts only the ids of the page itself are found, which the card's links have.
    assert heading.evaluate(SEEN) is javascript
    page.evaluate("scrollTo(0, 0)")
    page.get_by_role("link", name="down").click()
    assert heading.evaluate(SEEN)


def test_an_address_that_names_nothing_stays_at_the_top(visit, path, owner):
    page = visit(f"{path}#100%", owner)
    assert page.evaluate("scrollY") == 0
