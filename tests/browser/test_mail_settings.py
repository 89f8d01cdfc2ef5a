"""Which mails somebody gets, chosen on the page and by the link in a mail, with scripts and without."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

CARD = b"---\nextra_gated_fields:\n  Company: text\n---\n# A model\n"


def test_mails_that_nobody_wants_do_not_come(visit, stage, hub):
    owner, guest = stage.next(), stage.next()
    repo_id = f"{owner.name}/gated"
    hub.publish(repo_id, owner, {"README.md": CARD})
    page = visit("/settings/notifications", guest)
    requests = page.get_by_label("New access requests for repos you manage")
    decisions = page.get_by_label("Decisions about your own access requests")
    expect(decisions).to_be_checked()
    decisions.uncheck()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Your choice is saved.")).to_be_visible()
    page.reload()
    expect(decisions).not_to_be_checked()
    expect(requests).to_be_checked()
    hub.ask(repo_id, guest, {"Company": "C"})
    page.goto(f"/{repo_id}")
    expect(page.locator("#gate")).to_contain_text("This page says how it was decided.")
    expect(page.locator("#gate")).not_to_contain_text(guest.email)
    hub.handle(repo_id, owner, guest, "accepted")
    with pytest.raises(AssertionError, match="no mail"):
        stage.link_in_mail_to(guest.email, "/unsubscribe/")

    page.goto("/settings/notifications")
    decisions.check()
    page.get_by_role("button", name="Save").click()
    expect(decisions).to_be_checked()
    hub.handle(repo_id, owner, guest, "rejected")
    reader = visit(stage.link_in_mail_to(guest.email, "/unsubscribe/"))  # Of whoever reads it, signed in or not.
    expect(reader.get_by_role("heading", level=1)).to_have_text("Switch these mails off?")
    page.reload()
    expect(decisions).to_be_checked()
    reader.get_by_role("button", name="Switch these mails off").click()
    expect(reader.get_by_role("heading", level=1)).to_have_text("These mails are switched off")
    page.reload()
    expect(decisions).not_to_be_checked()
    expect(requests).to_be_checked()
    reader.get_by_role("button", name="Switch them on again").click()
    expect(reader.get_by_role("heading", level=1)).to_have_text("These mails are switched on")
    page.reload()
    expect(decisions).to_be_checked()
