"""The colours of the pages: told in docs/design-tokens.md as they are, and readable in both themes (WCAG 2.2)."""

from __future__ import annotations

import re

import pytest

from tests.support.server import ROOT

CSS = (ROOT / "static/css/tokens.css").read_text()
PAGE = (ROOT / "docs/design-tokens.md").read_text()
LIGHT, DARK, PICO = re.split(r"@media \(prefers-color-scheme: dark\)|/\* The selectors are Pico's", CSS)
ON_SURFACES = ["page", "surface", "surface-sunk"]


def tokens_of(css: str) -> dict[str, str]:
    return dict(re.findall(r"--([a-z0-9-]+):\s*([^;]+);", css))


THEMES = {"light": tokens_of(LIGHT), "dark": tokens_of(LIGHT) | tokens_of(DARK)}


def luminance(colour: str) -> float:
    digits = colour.removeprefix("#")
    if len(digits) == 3:
        digits = "".join(digit * 2 for digit in digits)
    channels = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


PAIRS = [
    *((4.5, text, ground) for text in ("ink", "ink-soft", "accent", "red") for ground in ON_SURFACES),
    *((4.5, name, f"{name}-soft") for name in ("amber", "green", "red", "blue", "accent")),
    *((4.5, "ink", f"{name}-soft") for name in ("amber", "green", "red", "blue", "accent")),
    *((4.5, "on-accent", ground) for ground in ("accent-fill", "accent-fill-hover")),
    *(
        (4.5, f"code-{kind}", ground)
        for kind in ("keyword", "string", "number", "name")
        for ground in ("surface", "surface-sunk")
    ),
    *((3, line, ground) for line in ("line-strong", "focus") for ground in ("page", "surface")),
    *((3, f"series-{status}", "surface") for status in ("accepted", "rejected", "pending")),
]


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize(("least", "text", "ground"), PAIRS)
def test_it_can_be_read(theme, least, text, ground):
    colours = THEMES[theme]
    assert contrast(colours[text], colours[ground]) >= least


def test_black_on_white_is_21():
    assert contrast("#000", "#ffffff") == pytest.approx(21)


def test_each_colour_is_told_as_it_is():
    rows = re.findall(r"^\| `--([a-z-]+)` \| (\S+) \| (\S+) \|", PAGE, re.M)
    told = {name: (light, dark) for name, light, dark in rows}
    colours = {name for name, value in THEMES["light"].items() if value.startswith("#")}
    assert set(told) == colours
    for name, (light, dark) in told.items():
        assert (light, dark) == (f"`{THEMES['light'][name]}`", f"`{THEMES['dark'][name]}`"), name


def test_every_token_is_told():
    spaces = {f"space-{number}" for number in range(1, 8)}  # Told as a range.
    assert {name for name in THEMES["light"] if f"`--{name}`" not in PAGE} <= spaces
    assert spaces <= set(THEMES["light"])


def test_no_other_file_names_a_colour():
    for file in sorted((ROOT / "static/css").glob("*.css")):
        # The other has the admin's names for the colours of the first.
        if file.name not in ("tokens.css", "staff-tokens.css"):
            without_comments = re.sub(r"/\*.*?\*/", "", file.read_text(), flags=re.S)
            assert not re.search(r"#[0-9a-fA-F]{3,8}\b(?=[^{}]*;)|\brgb\(|\bhsl\(", without_comments), file.name
