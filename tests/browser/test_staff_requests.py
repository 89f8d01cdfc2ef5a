"""Reviewing in the admin by clicking: accept, reject with a reason, cancel; wide and on a phone."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

CARD = b"""---
extra_gated_fields:
  Company: text
---
# A model
"""


@pytest.fixture
def asking(stage, hub):
    """A person who waits for a repo of another."""
    owner, person = stage.next(), stage.next()
    hub.publish(f"{owner.name}/gated", owner, {"README.md": CARD})
    hub.ask(f"{owner.name}/gated", person, {"Company": f"<b>Company</b> of {person.name}"})
    return person


@pytest.fixture(params=[1280, 390])
def staff(new_context, stage, request):
    """Who reviews, with the list of requests before them."""
    page = new_context(stage.url, session=stage.people["stef"].session, width=request.param).new_page()
    page.goto("/admin/access/accessrequest/")
    return page


def test_accept_reject_with_a_reason_and_cancel_by_clicking(staff, asking):
    staff.get_by_label("Search names, addresses and answers").fill(f"company {asking.name}")
    staff.get_by_role("button", name="Apply").click()
    expect(staff.get_by_text("1 request", exact=True)).to_be_visible()
    staff.get_by_label(f"Select {asking.name} on").check()
    staff.get_by_role("button", name="Accept", exact=True).click()
    expect(staff.get_by_text("1 request accepted.")).to_be_visible()
    staff.get_by_role("link", name=asking.name, exact=True).click()
    expect(staff.get_by_text(f"<b>Company</b> of {asking.name}")).to_be_visible()
    staff.get_by_role("button", name="Reject…").click()
    staff.get_by_label("Reason").fill("Please write from your institute.")
    staff.get_by_role("button", name="Reject 1").click()
    expect(staff.get_by_text("1 request rejected.")).to_be_visible()
    expect(staff.locator(".requests-facts")).to_contain_text("Please write from your institute.")
    staff.get_by_role("button", name="Cancel", exact=True).click()
    expect(staff.get_by_text("1 request put back to pending.")).to_be_visible()
    history = staff.locator("section", has=staff.get_by_role("heading", name="History"))
    for said in ("asked by", "accepted by stef", "rejected by stef", "cancelled by stef"):
        expect(history).to_contain_text(said)


def test_all_that_match_after_one_more_question(staff, asking):
    staff.goto(f"/admin/access/accessrequest/?q={asking.name}&status=pending")
    staff.get_by_label("All that match").check()
    staff.get_by_role("button", name="Accept", exact=True).click()
    expect(staff.get_by_role("heading", name="1 pending request will be accepted")).to_be_visible()
    staff.get_by_role("button", name="Accept 1").click()
    expect(staff.get_by_role("heading", name="Done")).to_be_visible()
    expect(staff.locator("#content-main")).to_contain_text("100 %: 1 accepted")


@pytest.mark.parametrize("staff", [1280], indirect=True)  # On a phone the table has no head.
def test_one_box_ticks_the_whole_page(staff, asking):
    every = staff.get_by_label("Select all on this page")
    every.check()
    for box in staff.locator("[name=_selected_action]").all():
        expect(box).to_be_checked()
    staff.locator("[name=_selected_action]").first.uncheck()
    expect(every).not_to_be_checked()
