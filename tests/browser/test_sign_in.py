"""The way back in for whoever forgot their password, with scripts and without."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.support.hub import PASSWORD

NEW = "another-battery-9"


def ask_for_a_link(page: Page, address: str) -> None:
    page.goto("/login")
    page.get_by_role("link", name="Forgot your password?").click()
    page.get_by_label("Email").fill(address)
    page.get_by_role("button", name="Send the link").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Look at your mail")


def sign_in(page: Page, name: str, password: str) -> None:
    page.get_by_label("Username or email").fill(name)
    page.get_by_label("Password").fill(password)
    page.locator("main").get_by_role("button", name="Sign in").click()


def choose(page: Page, first: str, second: str) -> None:
    page.get_by_label("New password", exact=True).fill(first)
    page.get_by_label("New password (again)").fill(second)
    page.get_by_role("button", name="Save the password").click()


def test_a_forgotten_password_is_replaced_by_the_link_in_a_mail(visit, stage):
    person = stage.next()
    elsewhere, page = visit("/settings/profile", person), visit("/")
    ask_for_a_link(page, f"nobody-{person.name}@example.org")  # Of whom the page tells nothing else.
    ask_for_a_link(page, person.email)
    link = stage.link_in_mail_to(person.email)
    page.goto(link)
    choose(page, NEW, f"{NEW}9")
    expect(page.locator(".problem")).to_contain_text("You must type the same password each time.")
    choose(page, NEW, NEW)
    expect(page.get_by_role("heading", level=1)).to_have_text("Your password is changed")
    elsewhere.reload()
    expect(elsewhere).to_have_url(f"{stage.url}/login?next=/settings/profile")

    page.locator("main").get_by_role("link", name="Sign in").click()
    sign_in(page, person.name, PASSWORD)
    expect(page.locator("main")).to_contain_text("The username and/or password you specified are not correct.")
    sign_in(page, person.name, NEW)
    expect(page.locator(".menu summary")).to_contain_text(person.name)
    page.goto(link)
    expect(page.locator("main")).to_contain_text("This link is not valid, or was used already.")
    page.locator("main").get_by_role("link", name="Ask for a new one").click()
    expect(page.get_by_role("button", name="Send the link")).to_be_visible()
