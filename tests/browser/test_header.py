"""The header on the narrowest phones: one row, within the window."""

from __future__ import annotations

import itertools

import pytest

from tests.browser.texts import LONG_USER

BOXES = """() => [".wordmark", ...document.querySelectorAll(".site-nav > *")].map((one) =>
  (typeof one === "string" ? document.querySelector(one) : one).getBoundingClientRect().toJSON())"""


@pytest.mark.parametrize("width", [320, 360, 390])
@pytest.mark.parametrize("who", ["", LONG_USER])
def test_what_is_in_the_header_stands_side_by_side(visit, stage, who, width):
    page = visit("/models", stage.people.get(who))
    page.set_viewport_size({"width": width, "height": 740})
    boxes = page.evaluate(BOXES)
    assert boxes[-1]["right"] <= width
    middles = [(box["top"] + box["bottom"]) / 2 for box in boxes]
    assert max(middles) - min(middles) < 3, "in one row"
    assert all(after["left"] - box["right"] >= 5 for box, after in itertools.pairwise(boxes)), "apart"
    assert page.evaluate("document.documentElement.scrollWidth") <= width
