"""What people do with their own things, with scripts and without: tokens, profile, addresses, password."""

from __future__ import annotations

import datetime
import re

import pytest
from playwright.sync_api import Route, expect

from tests.support.hub import PASSWORD


@pytest.fixture
def person(stage):
    return stage.next()


def test_a_token_is_shown_once_and_can_be_revoked(visit, hub, person):
    page = visit("/settings/tokens", person)
    page.get_by_label("Name").fill("laptop")
    page.get_by_label("Write", exact=True).check()
    page.get_by_role("button", name="Create token").click()
    shown = page.locator(".secret code")
    expect(shown).to_have_text(re.compile(r"gate_\w{46}"))
    token = type(person)(person.name, shown.inner_text().strip(), "")
    assert hub.call("GET", "/api/whoami-v2", token).json()["name"] == person.name

    page.goto("/settings/tokens")
    expect(page.locator(".secret")).to_have_count(0)
    assert token.token not in page.content()
    page.get_by_role("button", name="Revoke laptop").click()
    expect(page.get_by_text("The token laptop is revoked")).to_be_visible()
    assert hub.call("GET", "/api/whoami-v2", token).status_code == 401


def test_a_fine_grained_token_asks_for_permissions(visit, person):
    page = visit("/settings/tokens", person)
    expect(page.get_by_label("Read contents")).to_be_hidden()
    page.get_by_label("Name").fill("narrow")
    page.get_by_label("Fine-grained").check()
    page.get_by_label("Read contents").check()
    page.get_by_role("button", name="Create token").click()
    expect(page.locator(".problem")).to_contain_text("Say both what is allowed and where.")
    page.get_by_label(person.name, exact=True).check()
    page.get_by_role("button", name="Create token").click()
    expect(page.locator(".rows li", has_text="narrow")).to_contain_text(f"Read contents on {person.name}")


def test_a_token_works_until_its_last_day_is_over(visit, stage, hub, person):
    page = visit("/settings/tokens", person)
    today = datetime.datetime.now(datetime.UTC).date()
    page.get_by_label("Name").fill("for a week")
    page.get_by_label("Expires after").fill(f"{today - datetime.timedelta(days=1)}")
    page.get_by_role("button", name="Create token").click()
    expect(page.locator(".problem")).to_contain_text("The date of expiry has passed already.")
    expect(page.get_by_label("Name")).to_have_value("for a week")
    day = today + datetime.timedelta(days=5)
    page.get_by_label("Expires after").fill(f"{day}")
    page.get_by_role("button", name="Create token").click()
    token = type(person)(person.name, page.locator(".secret code").inner_text().strip(), "")
    row = page.locator(".rows li", has_text="for a week")
    expect(row).to_contain_text(f"expires {day.day} {day:%b %Y}")
    expect(row.locator(".badge")).to_have_text(["Read", "Expires soon"])
    assert hub.call("GET", "/api/whoami-v2", token).json()["name"] == person.name

    past = f"""
from access.models import AccessToken
from django.utils import timezone
AccessToken.objects.filter(user__username="{person.name}", name="for a week").update(expires_at=timezone.now())
"""
    stage.server.manage("shell", "-v0", "-c", past)
    page.goto("/settings/tokens")
    expect(row.locator(".badge")).to_have_text(["Read", "Expired"])
    answer = hub.call("GET", "/api/whoami-v2", token)
    assert (answer.status_code, "expired" in answer.text) == (401, True)
    assert hub.call("GET", "/api/whoami-v2", person).ok


def test_profile(visit, person):
    page = visit("/settings/profile", person)
    page.get_by_label("Full name").fill("Nora <b>Nadel</b>")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Your profile is saved.")).to_be_visible()
    page.locator("main").get_by_role("link", name=person.name).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Nora <b>Nadel</b>")


def test_addresses(visit, stage, person):
    new = f"{person.name}@university.example"
    page = visit("/settings/addresses", person)
    page.get_by_label("Email").fill(new)
    page.get_by_role("button", name="Add").click()
    row = page.locator(".rows li", has_text=new)
    expect(row).to_contain_text("Not verified")
    page.goto(stage.link_in_mail_to(new))
    page.get_by_role("button", name="Confirm").click()
    page.goto("/settings/addresses")
    expect(row).not_to_contain_text("Not verified")
    row.get_by_role("button", name="Make primary").click()
    expect(row).to_contain_text("Primary")
    page.locator(".rows li", has_text=person.email).get_by_role("button", name="Remove").click()
    expect(page.locator(".rows li")).to_have_count(1)


def test_the_link_to_confirm_an_address_is_sent_again(visit, stage, person):
    new = f"{person.name}@university.example"
    page = visit("/settings/addresses", person)
    toasts, row = page.locator("#toasts"), page.locator(".rows li", has_text=new)
    page.get_by_label("Email").fill(new)
    page.get_by_role("button", name="Add").click()
    expect(toasts).to_contain_text(f"Confirmation email sent to {new}.")
    first = stage.link_in_mail_to(new)
    again = page.get_by_role("button", name=f"Send the link again to {new}")
    again.click()
    expect(toasts).to_contain_text(f"No mail was sent to {new}: the last one is less than three minutes old.")
    assert len(stage.mails_to(new)) == 1

    later = "from django.core.cache import cache; cache.clear()"  # As if three minutes had passed.
    stage.server.manage("shell", "-v0", "-c", later)
    late = visit("/settings/addresses", person)  # Another window, which stays as it is.
    again.click()
    expect(toasts).to_contain_text(f"Confirmation email sent to {new}.")
    assert len(stage.mails_to(new)) == 2
    page.goto(stage.link_in_mail_to(new))
    page.get_by_role("button", name="Confirm").click()
    page.goto("/settings/addresses")
    expect(row.locator(".badge")).to_have_text("Verified")
    expect(again).to_have_count(0)

    page.goto(first)
    expect(page.locator("main")).to_contain_text("This link has expired, was used already, or is not complete.")
    late.get_by_role("button", name=f"Send the link again to {new}").click()
    expect(late.locator("#toasts")).to_contain_text(f"{new} is verified already. No mail was sent.")
    assert len(stage.mails_to(new)) == 2


def test_an_address_from_which_mails_came_back_is_used_again(visit, stage, person):
    mark = f"""
from notifications import addresses
from notifications.models import AddressProblem
addresses.mark(address="{person.email}", what=AddressProblem.What.BOUNCED, detail="550 no such <user>")
"""
    stage.server.manage("shell", "-v0", "-c", mark)
    page = visit("/settings/notifications", person)
    stopped = page.get_by_role("region", name="Addresses that get no mail")
    expect(stopped).to_contain_text("550 no such <user>")
    stopped.get_by_role("button", name=f"Use this address again: {person.email}").click()
    expect(page.get_by_text(f"Mails go to {person.email} again.")).to_be_visible()
    expect(page.locator(".address-problem")).to_have_count(0)
    page.goto("/settings/notifications")
    expect(stopped).to_have_count(0)


def test_change_the_password(visit, new_context, stage, person):
    page = visit("/settings/password", person)
    for old in ("wrong", PASSWORD):
        page.get_by_label("Current password").fill(old)
        page.get_by_label("New password", exact=True).fill("another-battery-9")
        page.get_by_label("New password (again)").fill("another-battery-9")
        page.get_by_role("button", name="Save the password").click()
        if old == "wrong":
            expect(page.locator(".problem")).to_contain_text("Please type your current password.")
    expect(page.locator(".toast")).to_contain_text("Password successfully changed.")
    other = visit("/login")
    other.get_by_label("Username or email").fill(person.name)
    other.get_by_label("Password").fill("another-battery-9")
    other.locator("main").get_by_role("button", name="Sign in").click()
    expect(other.locator(".menu summary")).to_contain_text(person.name)


def test_a_first_password_where_there_was_none(visit, stage, person):
    """Of who came by an identity provider."""
    script = f"from tests.browser import seed_people; seed_people.without_password({person.name!r})"
    session = stage.server.manage("shell", "-v0", "-c", script)
    page = visit("/settings/password", type(person)(person.name, person.token, session))
    page.get_by_label("Password", exact=True).fill("another-battery-9")
    page.get_by_label("Password (again)").fill("another-battery-9")
    page.get_by_role("button", name="Save the password").click()
    expect(page.locator(".toast")).to_contain_text("Password successfully set.")
    other = visit("/login")
    other.get_by_label("Username or email").fill(person.name)
    other.get_by_label("Password").fill("another-battery-9")
    other.locator("main").get_by_role("button", name="Sign in", exact=True).click()
    expect(other.locator(".menu summary")).to_contain_text(person.name)


@pytest.mark.parametrize("javascript", [True], ids=["scripts"])
def test_a_second_click_on_a_slow_server_sends_a_form_once(visit, person):
    """Of a token made by the first, nobody would have seen the secret."""
    page = visit("/settings/tokens", person)
    held: list[Route] = []
    page.route("**/settings/tokens", lambda route: held.append(route) if posts(route) else route.continue_())
    page.get_by_label("Name").fill("twice")
    # In the page itself: Playwright would wait for the answer.
    word = page.evaluate(CLICK_TWICE, "Create token")
    assert (word, len(held)) == ("Sending…", 1)
    held[0].continue_()
    expect(page.get_by_text("gate_").first).to_be_visible()
    expect(page.get_by_text("You have a token named")).to_have_count(0)
    page.go_back()
    expect(page.get_by_text("Sending…")).to_have_count(0)
    page.get_by_label("Name").fill("another")
    page.evaluate(CLICK_TWICE, "Create token")
    assert len(held) == 2, "whoever comes back can send again, once"


@pytest.mark.parametrize("javascript", [True], ids=["scripts"])
def test_questions_that_are_named_like_what_scripts_ask_of_a_form_change_nothing(visit, hub, owner, person):
    labels = ["dataset", "method", "action", "name", "lastElementChild"]
    card = "\n".join(["---", "extra_gated_fields:", *(f"  {label}: text" for label in labels), "---"])
    hub.publish(f"{owner.name}/named", owner, {"README.md": card.encode()})
    page = visit(f"/{owner.name}/named", person)
    held: list[Route] = []
    page.route("**/ask-access*", lambda route: held.append(route) if posts(route) else route.continue_())
    for label in labels:
        page.get_by_label(label, exact=True).fill("x")
    assert (page.evaluate(CLICK_TWICE, "send request"), len(held)) == ("Sending…", 1)
    held[0].continue_()
    expect(page.get_by_text("Your request is awaiting review")).to_be_visible()


@pytest.mark.parametrize("javascript", [True], ids=["scripts"])
def test_a_form_that_is_not_complete_can_be_sent_once_it_is(visit, person):
    page = visit("/settings/tokens", person)
    page.get_by_role("button", name="Create token").click()  # The browser asks for a name, and sends nothing.
    expect(page.get_by_text("Sending…")).to_have_count(0)
    page.get_by_label("Name").fill("complete")
    page.get_by_role("button", name="Create token").click()
    expect(page.get_by_text("gate_").first).to_be_visible()


CLICK_TWICE = """async (words) => {
  const button = [...document.querySelectorAll("button")].find((each) => each.textContent.includes(words));
  button.click();
  await new Promise((done) => setTimeout(done, 300));
  const word = document.querySelector("[data-sending-word]")?.textContent;
  button.click();
  await new Promise((done) => setTimeout(done, 300));
  return word;
}"""


def posts(route: Route) -> bool:
    return route.request.method == "POST"
