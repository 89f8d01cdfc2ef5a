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
    apart = 6 if width < 352 else 10
    assert all(after["left"] - box["right"] >= apart - 0.5 for box, after in itertools.pairwise(boxes)), "apart"
    assert all(min(box["width"], box["height"]) >= 24 for box in boxes[1:]), "large enough for a finger"
    assert page.evaluate("document.documentElement.scrollWidth") <= width
