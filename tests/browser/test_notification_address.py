"""An address for notifications that is not the owner's own, from the settings page to its reader's answer, with
scripts and without.  The reader has no account."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

TEN_MINUTES_LATER = """
from datetime import timedelta
from repos.models import ConfirmationMail, Repo
ten_minutes, repo = timedelta(minutes=10), Repo.objects.get(namespace__name="{owner}", name="gated")
mail = ConfirmationMail.objects.filter(repo=repo).latest("at")
ConfirmationMail.objects.filter(pk=mail.pk).update(at=mail.at - ten_minutes)
set_at = repo.gated_notifications_email_set_at - ten_minutes
Repo.objects.filter(pk=repo.pk).update(gated_notifications_email_set_at=set_at)
"""
CARD = b"---\nextra_gated_fields:\n  Company: text\n---\n# A model\n"


@pytest.fixture
def repo_id(hub, owner):
    name = f"{owner.name}/gated"
    hub.publish(name, owner, {"README.md": CARD})
    return name


@pytest.fixture
def desk(owner) -> str:
    return f"desk-of-{owner.name}@example.com"


def save_address(page: Page, address: str) -> None:
    page.get_by_label("Send them to").fill(address)
    page.get_by_label("Send them to").press("Enter")
    expect(page.get_by_text("The settings are saved.")).to_be_visible()


def test_a_stranger_confirms_and_stops_it_again(visit, stage, owner, repo_id, desk):
    settings = visit(f"/{repo_id}/settings", owner)
    save_address(settings, desk)
    state = settings.locator("#address-state")
    expect(state).to_contain_text(f"{desk} is not in use")
    expect(state).to_contain_text("Notifications go to your own address.")

    page = visit(stage.link_in_mail_to(desk))
    expect(page.get_by_role("heading", level=1)).to_have_text("Do you want these mails?")
    expect(page.locator("main")).to_contain_text(f"{owner.name}, who manages the model {repo_id} on this server")
    page.get_by_role("button", name="Confirm").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("This address gets the notifications")
    settings.reload()
    expect(state).to_contain_text(f"{desk} is in use: its reader confirmed it on")

    page.get_by_role("button", name="Do not use this address any more").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("This address is not used")
    settings.reload()
    expect(state).to_contain_text("that it must not be used")


def test_a_stranger_says_that_it_is_not_theirs(visit, stage, owner, repo_id, desk):
    settings = visit(f"/{repo_id}/settings", owner)
    save_address(settings, desk)
    page = visit(stage.link_in_mail_to(desk))
    page.get_by_role("button", name="This is not mine").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("This address is not used")
    settings.reload()
    expect(settings.locator("#address-state")).to_contain_text(f"{desk} is not in use")
    expect(settings.get_by_role("button", name="Send again")).to_have_count(0)


def test_the_link_is_sent_again_to_whom_did_not_get_it(visit, stage, owner, repo_id, desk):
    settings = visit(f"/{repo_id}/settings", owner)
    save_address(settings, desk)
    first = stage.link_in_mail_to(desk)
    settings.reload()
    state, again = settings.locator("#address-state"), settings.get_by_role("button", name="Send again")
    expect(state).to_contain_text("A mail with a link was sent on")
    expect(state).to_contain_text("It can be sent again from")
    expect(again).to_have_count(0)

    stage.server.manage("shell", "-v0", "-c", TEN_MINUTES_LATER.format(owner=owner.name))
    settings.reload()
    expect(state).not_to_contain_text("It can be sent again from")
    late = visit(f"/{repo_id}/settings", owner)  # Another window, which stays as it is.
    again.click()
    expect(settings.locator("#toasts")).to_contain_text(f"A mail goes to {desk}.")
    expect(state).to_contain_text("The mail with the link is on its way.")
    expect(state).to_contain_text("It can be sent again from")
    expect(again).to_have_count(0)
    assert len(stage.mails_to(desk)) == 2

    page = visit(stage.link_in_mail_to(desk))
    page.get_by_role("button", name="Confirm").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("This address gets the notifications")
    page.goto(first)  # It is about the same address, and may say no as well.
    expect(page.get_by_role("heading", level=1)).to_have_text("This address gets the notifications")
    late.get_by_role("button", name="Send again").click()
    expect(late.locator("#toasts")).to_contain_text("does not wait for a confirmation. No mail was sent.")
    expect(late.locator("#address-state")).to_contain_text(f"{desk} is in use: its reader confirmed it on")
    expect(late.get_by_role("button", name="Send again")).to_have_count(0)
    assert len(stage.mails_to(desk)) == 2
