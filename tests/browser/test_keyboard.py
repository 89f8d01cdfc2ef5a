"""Everything can be done with the keyboard alone: each control is reached, in order, and one sees where one is."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.pages import RESEARCH, WILD
from tests.browser.texts import LONG_USER

REACHABLE = """() => {
  const groups = new Set();
  return [...document.querySelectorAll("a[href], button, input, select, textarea, summary, [tabindex='0']")]
    .filter((one) => one.checkVisibility({ visibilityProperty: true }) && !one.disabled && one.type !== "hidden")
    .filter((one) => {
      if (one.type !== "radio") return true;
      const group = [...one.form.elements[one.name]];
      return group.some((other) => other.checked) ? one.checked : one === group[0];
    })
    .map((one, place) => { one.dataset.place = place; return one.outerHTML.slice(0, 160); });
}"""
HERE = """() => {
  const one = document.activeElement;
  if (one === document.body) return null;
  const style = getComputedStyle(one), box = one.getBoundingClientRect();
  return {
    place: one.dataset.place === undefined ? one.outerHTML.slice(0, 160) : Number(one.dataset.place),
    scrolls: one.dataset.place === undefined && one.scrollWidth > one.clientWidth,
    outlined: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0,
    seen: box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth,
  };
}"""


def walk(page: Page, most: int) -> list[dict]:
    """Press Tab until the page is left; what has the focus on the way, each once.

    Without scripts the browser itself stops at what is wider than its box, and so can be scrolled: these are left out.
    """
    stops = []
    for _ in range(most):
        page.keyboard.press("Tab")
        here = page.evaluate(HERE)
        if here is None:
            return stops
        if not here["scrolls"] and (not stops or stops[-1]["place"] != here["place"]):  # A date has several parts.
            stops.append(here)
    raise AssertionError(f"the page is not left after {most} times Tab; last on {stops[-1]}")


def check(page: Page) -> None:
    """Walk through the page, and see to it that all is reached, in order, and shows where one is."""
    controls = page.evaluate(REACHABLE)
    stops = walk(page, most=len(controls) * 2 + 20)
    assert [stop["place"] for stop in stops] == list(range(len(controls))), controls
    assert [controls[stop["place"]] for stop in stops if not stop["outlined"]] == []
    assert [controls[stop["place"]] for stop in stops if not stop["seen"]] == []


@pytest.mark.parametrize(
    ("path", "who"),
    [
        ("/", "ada"),
        (RESEARCH, "nia"),
        (RESEARCH, "sam"),
        (f"{WILD}/settings", "ada"),
        ("/lab/quiet/settings", "ada"),
        (f"{RESEARCH}/settings?q=reader-1", "ada"),
        (f"{RESEARCH}/settings/history", "ada"),
        (f"{RESEARCH}/settings/bulk/{{bulk_done}}", "ada"),
        (f"{RESEARCH}/edit/main/README.md", "ada"),
        ("/settings/tokens", "ada"),
        ("/settings/security", "stella"),
        ("/settings/requests", "noor"),
        ("/settings/connections", "pia"),
        ("/settings/addresses", LONG_USER),
        ("/settings/notifications", "ada"),
        ("/organizations/lab/members?user=re", "ada"),
        ("/organizations/lab/settings", "ada"),
        ("/device?code={device_code}", "ada"),
        ("/new", "ada"),
        ("/signup", ""),
        ("/login", ""),
        ("/models?search=small-0", ""),
        ("/lab", ""),
        ("/lab/files/tree/main/a%20folder%20with%20words", ""),
        ("/lab/files/blob/main/source.py", ""),
        ("/lab/files/commits/main", ""),
        ("/lab/files/blob/main/missing.txt", ""),
    ],
)
def test_tab_reaches_every_control_in_order_and_shows_where_it_is(visit, stage, path, who):
    check(visit(path.format(**stage.addresses), stage.people.get(who)))


@pytest.mark.parametrize(
    ("path", "who"), [(RESEARCH, "nia"), ("/lab/quiet/settings", "ada"), (f"{RESEARCH}/settings?q=reader-5", "ada")]
)
def test_it_does_so_on_a_phone_with_all_that_is_folded_open(visit, stage, path, who, javascript):
    page = visit(path, stage.people[who], width=390)
    for summary in page.locator("main details:not(.menu) > summary").all():
        summary.focus()
        page.keyboard.press("Enter")
        if javascript:  # An opened reason takes the focus with the next event: faster than anybody, Enter would reject.
            page.evaluate("() => new Promise(done => requestAnimationFrame(() => setTimeout(done, 50)))")
    page.evaluate("document.documentElement.tabIndex = -1; document.documentElement.focus()")  # Back to the beginning.
    check(page)


def test_the_first_stop_leads_past_the_header(visit, stage):
    page = visit(RESEARCH, stage.people["nia"])
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to content")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.getElementById('content').contains(document.activeElement)")


def test_the_menu_on_a_phone_is_walked_through_and_covers_nothing_that_has_the_focus(visit, stage, javascript):
    page = visit(RESEARCH, stage.people["nia"], width=390)
    menu = page.locator(".site-nav .menu")
    menu.locator("summary").focus()
    page.keyboard.press("Enter")
    expect(menu).to_have_attribute("open", "")
    page.keyboard.press("Tab")
    for one in menu.locator("a, button").all():
        expect(one).to_be_focused()
        here = page.evaluate(HERE)
        assert here["outlined"]
        assert here["seen"]
        page.keyboard.press("Tab")
    if javascript:  # Without scripts it is folded where it was opened.
        expect(menu).not_to_have_attribute("open", "")


@pytest.mark.parametrize("javascript", [True], indirect=True, ids=["scripts"])
def test_escape_closes_a_menu_and_so_does_a_click_beside_it(visit, stage):
    page = visit("/lab/files/tree/main/a%20folder%20with%20words", stage.people["nia"])
    for summary in (page.locator(".site-nav summary"), page.locator(".file-head summary")):
        menu = summary.locator("..")
        summary.focus()
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        expect(menu.locator("a").first).to_be_focused()
        page.keyboard.press("Escape")
        expect(menu).not_to_have_attribute("open", "")
        expect(summary).to_be_focused()
        summary.click()
        expect(menu).to_have_attribute("open", "")
        page.locator(".site-footer").click(position={"x": 1, "y": 1})
        expect(menu).not_to_have_attribute("open", "")


@pytest.mark.parametrize("key", ["Enter", "Space"])
def test_the_menu_opens_and_leads_on(visit, stage, key):
    page = visit("/", stage.people["nia"])
    summary = page.locator(".site-nav summary")
    summary.focus()
    page.keyboard.press(key)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="My page")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("nia")


def test_ask_with_the_keyboard_alone(visit, stage, hub):
    owner, guest = stage.next(), stage.next()
    hub.publish(f"{owner.name}/keys", owner, {"README.md": b"---\nextra_gated_fields: {I agree: checkbox}\n---\n# X\n"})
    page = visit(f"/{owner.name}/keys", guest)
    page.get_by_label("I agree").focus()
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#gate").get_by_role("heading")).to_contain_text("Your request is awaiting review")


def test_review_with_the_keyboard_alone(visit, stage, hub, javascript):
    owner, guests = stage.next(), [stage.next(), stage.next()]
    hub.publish(f"{owner.name}/keys", owner, {"README.md": b"---\nextra_gated_fields: {Why: text}\n---\n# X\n"})
    for guest in guests:
        hub.ask(f"{owner.name}/keys", guest, {"Why": "Because"})
    page = visit(f"/{owner.name}/keys/settings", owner)
    row = page.locator("#requests .rows > li", has_text=guests[0].name)
    row.get_by_text("1 answer").focus()
    page.keyboard.press("Enter")
    expect(row.get_by_text("Because")).to_be_visible()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")  # Reject with a reason.
    if not javascript:  # With scripts the field has the keyboard at once.
        page.keyboard.press("Tab")
    expect(row.get_by_label("Reason for rejecting")).to_be_focused()
    page.keyboard.type("Not now")
    page.keyboard.press("Enter")  # In the field of the reason: what its button says.
    expect(page.get_by_text(f"{guests[0].name} was rejected.")).to_be_visible()
    if javascript:  # The list has changed under the hands, which stay where they were.
        expect(page.get_by_role("button", name=f"Accept {guests[1].name}")).to_be_focused()
