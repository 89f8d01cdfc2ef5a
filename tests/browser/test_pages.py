"""Every page, wide and narrow, light and dark: axe finds nothing, nothing is wider than the window; and its pictures.

The pictures are in test-output/screenshots/, for people to look at.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.urls import Resolver404, resolve
from playwright.sync_api import Page

from gatehub.web import urls
from tests.browser.pages import IN_UNION, PAGES, UNREADABLE_COUNTRIES, Row
from tests.support.chromium import HEIGHTS
from tests.support.geoip import write_database
from tests.support.server import ROOT, Server, Starter

PICTURES = ROOT / "test-output" / "screenshots"
QUICK_WEAK_MAP = """class {
  #key = Symbol();
  constructor(pairs) { for (const [key, value] of pairs ?? []) this.set(key, value); }
  get(of) { return of[this.#key]; }
  has(of) { return this.#key in of; }
  set(of, value) { of[this.#key] = value; return this; }
  delete(of) { return this.has(of) && delete of[this.#key]; }
}"""
"""axe keeps the private fields of its colours in WeakMaps, which took up to half of its time on long pages."""
KNOWN_COLORS = """
const { Color } = axe.commons.color, parse = Color.prototype.parseString, known = new Map();
Color.prototype.parseString = function (text) {
  if (!known.has(text)) known.set(text, parse.call(new Color(), text));
  const { r, g, b, alpha } = known.get(text);
  return Object.assign(this, { r, g, b, alpha });
};
"""
"""axe reads the few colours of a page anew for each element, which took a sixth of its time."""
NO_TIMER = "(act, later) => { if (!(later > 1)) Promise.resolve().then(act); }"
"""Where pages may run no scripts no timer goes off, so what axe only puts off is done at once; nothing is timed out."""


def axe(timer: str = "setTimeout") -> str:
    return f"((WeakMap, setTimeout) => {{\n{Axe().axe_script}\n{KNOWN_COLORS}}})({QUICK_WEAK_MAP}, {timer})"


AXE = axe()
AXE_WITHOUT_SCRIPTS = axe(NO_TIMER)
UNREADABLE = b"no database"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
PICTURED = ("1280-light", "1280-dark", "390-light")
LOOKS = (*PICTURED, "390-dark")  # Without a picture: it has the colours of the one and the layout of the other.
RUN = """(rules) =>
  axe.run({ include: [["html"]] }, { runOnly: rules, resultTypes: ["violations"], selectors: false })
    .then((found) => found.violations)
"""
TOO_WIDE = """() => {
  if (document.documentElement.scrollWidth <= innerWidth) return [];
  const wide = [...document.body.querySelectorAll("*")].filter((one) => {
    if (one.getBoundingClientRect().right <= innerWidth + 1) return false;
    for (let box = one.parentElement; box; box = box.parentElement) {
      if (box !== document.body && getComputedStyle(box).overflowX !== "visible") return false;
    }
    return true;
  });
  return wide.length ? wide.map((one) => one.outerHTML.slice(0, 200)) : ["the page"];
}"""


def looks(page: Page, ways: Iterable[str] = LOOKS) -> Iterator[str]:
    """Show the page in each way; gives a name for each."""
    for look in ways:
        width, scheme = look.split("-")
        page.set_viewport_size({"width": int(width), "height": HEIGHTS[int(width)]})
        page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        yield look


def complaints(page: Page) -> list[str]:
    """What axe has against the page as it is shown now."""
    return [
        f"{violation['id']}: {violation['help']}: {node['html'][:200]} {_why(node)}"
        for violation in page.evaluate(RUN, RULES)
        for node in violation["nodes"]
    ]


def _why(node: dict[str, Any]) -> str:
    return "; ".join(check["message"] for kind in ("any", "all", "none") for check in node[kind])


@pytest.fixture(scope="session")
def pictures() -> Path:
    PICTURES.mkdir(parents=True, exist_ok=True)
    return PICTURES


def take_picture(page: Page, file: Path) -> None:
    # JPEG, since PNG takes twice as long, and hundreds are made; to hide the caret takes longer than a small picture.
    page.screenshot(path=file, type="jpeg", quality=85, full_page=True, caret="initial")


def look_at(page: Page, row: Row, pictures: Path, ways: Iterable[str] = LOOKS, suffix: str = "") -> list[str]:
    """Take the pictures of the page; what is wrong with it."""
    wrong = []
    for look in looks(page, ways):
        if look in PICTURED:
            take_picture(page, pictures / f"{row.name}{suffix}-{look}.jpg")
        wrong += [f"{look}: wider than the window: {html}" for html in page.evaluate(TOO_WIDE)]
        wrong += [f"{look}: {complaint}" for complaint in complaints(page)]
    return wrong


@pytest.mark.parametrize("row", PAGES, ids=[row.name for row in PAGES])
def test_page(row: Row, stage, kept_page, pictures):
    session = stage.people[row.who].session if row.who else ""
    page, watch = kept_page(stage.url, session=session, broken=row.status >= 500)
    page.goto(row.path.format(**stage.addresses))
    if row.act:
        row.act(page)
    assert watch.statuses[-1] == row.status
    page.evaluate(AXE)
    wrong = look_at(page, row, pictures)
    assert not wrong, "\n".join(wrong)


WITHOUT_SCRIPTS = [
    "models-search", "tokens", "tokens-fine-grained", "members-admin", "card-form", "card-form-refused", "edit",
    "settings-unfolded", "settings-long-answer", "bulk-confirm", "bulk-running", "security-key-add",
]  # fmt: skip
"""Rows of pages that have more, or less, on them where scripts may not run."""


@pytest.mark.parametrize("name", WITHOUT_SCRIPTS)
def test_page_without_scripts(name, stage, new_context, pictures):
    row = next(row for row in PAGES if row.name == name)
    page = new_context(stage.url, session=stage.people[row.who].session if row.who else "", javascript=False).new_page()
    page.goto(row.path.format(**stage.addresses))
    if row.act:
        row.act(page)
    page.evaluate(AXE_WITHOUT_SCRIPTS)
    wrong = look_at(page, row, pictures, ["1280-light", "390-light"], "-no-scripts")
    assert not wrong, "\n".join(wrong)


Abroad = Callable[..., tuple[Server, dict[str, str]]]


@pytest.fixture(scope="session")
def in_union(_make_server: Starter, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Abroad]:
    """A server within the European Union, where nobody can sign up, and the sessions of its people.

    Whether it can read its `countries` is chosen anew each time.
    """
    database = tmp_path_factory.mktemp("countries") / "countries.mmdb"
    database.write_bytes(UNREADABLE)
    env = {"GATEHUB_OPEN_SIGNUP": "0", "GATEHUB_LOCAL_COUNTRY": "FR", "GATEHUB_GEOIP_DB": str(database)}
    server = _make_server(env=env)
    sessions = json.loads(server.manage("shell", "-v0", "-c", "from tests.browser import seed; seed.in_union()"))
    server.start()

    def choose(*, countries: bool) -> tuple[Server, dict[str, str]]:
        was_readable = database.read_bytes() != UNREADABLE
        if countries and not was_readable:
            write_database(database, {"203.0.113.0/24": {"country": {"iso_code": "JP"}}})
        if was_readable and not countries:
            database.write_bytes(UNREADABLE)
            server.restart()  # While it runs it keeps what it has read.
        return server, sessions

    yield choose
    server.stop()


@pytest.mark.parametrize("row", UNREADABLE_COUNTRIES + IN_UNION, ids=lambda row: row.name)
def test_page_in_the_union(row: Row, in_union, kept_page, pictures):
    server, sessions = in_union(countries=row in IN_UNION)
    page, watch = kept_page(server.url, session=sessions[row.who] if row.who else "")
    page.goto(row.path)
    if row.act:
        row.act(page)
    assert watch.statuses[-1] == row.status
    page.evaluate(AXE)
    wrong = look_at(page, row, pictures)
    assert not wrong, "\n".join(wrong)


WRONG = """<body style="background: #fff">
  <p style="color: #aaa">Hard to read</p><p style="color: #111">Easy</p><p style="color: #aaa">Hard, too</p>
  <img src="x">
</body>"""


def test_axe_finds_what_hinders_people(new_context, stage):
    page = new_context(stage.url).new_page()
    page.set_content(WRONG)
    page.evaluate(AXE)
    for _ in looks(page):
        found = [complaint.partition(":")[0] for complaint in complaints(page)]
        assert {"color-contrast", "image-alt", "document-title"} <= set(found)
        assert found.count("color-contrast") == 2


def test_it_does_so_where_scripts_may_not_run(new_context, stage):
    page = new_context(stage.url, javascript=False).new_page()
    page.set_content(WRONG)
    page.evaluate(AXE_WITHOUT_SCRIPTS)
    found = {complaint.partition(":")[0] for complaint in complaints(page)}
    assert {"color-contrast", "image-alt", "document-title"} <= found


REPO = "<segment:namespace>/<segment:name>"
NO_PAGES = {
    # Addresses that lead on to others.
    "join", "settings", "settings/security/keys", "account/code", "organizations", "organizations/<segment:name>",
    f"{REPO}/tree", f"{REPO}/commits",
    # One that comes in the middle of a sign-in: see the rows of second factors.
    "login/factor",
    "login/with/github/back",
    # Those that take forms only, or show parts of pages alone.
    "settings/tokens/<int:key>/revoke", "settings/addresses/use-again", "settings/connections/<int:key>/remove",
    "organizations/<segment:name>/leave",
    *(f"organizations/<segment:name>/{rest}" for rest in (
        "settings/delete", "members/people", "members/add", "members/role", "members/remove",
    )),
    *(f"{REPO}/{rest}" for rest in (
        "withdraw-request", "settings/change", "settings/move", "settings/delete", "settings/review", "settings/grant",
        "settings/people", "settings/confirm-address", "settings/accept-queue", "settings/bulk",
        "settings/bulk/<int:key>/stop", "edit/preview",
        "settings/history/download",  # A file.
    )),
}  # fmt: skip
"""Routes below which there is no page to look at."""


def routes() -> set[str]:
    """Those of all pages.  What is so of models is so of datasets, whose pages are the same."""
    return {str(pattern.pattern).replace(f"datasets/{REPO}", REPO) for pattern in urls.urlpatterns}


def route_of(path: str) -> str:
    plain = unquote(re.sub(r"\{\w+\}", "1", path)).partition("?")[0]
    try:
        return resolve(plain).route.replace(f"datasets/{REPO}", REPO)
    except Resolver404:
        return ""


def test_every_page_is_among_them():
    """A page without a row here is never looked at."""
    seen = {route_of(row.path) for row in PAGES}
    assert routes() - seen - NO_PAGES == set()


def test_nothing_is_left_out_that_is_not_there():
    assert NO_PAGES - routes() == set()


def test_every_kind_of_refusal_is_among_them():
    assert {400, 401, 403, 404, 405, 429, 500} - {row.status for row in PAGES} == set()


def test_each_name_is_there_once():
    names = [row.name for row in PAGES + IN_UNION + UNREADABLE_COUNTRIES]
    assert len(names) == len(set(names))
