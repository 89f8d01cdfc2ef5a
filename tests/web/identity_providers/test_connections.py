"""Accounts elsewhere that people connect with theirs, and remove."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from tests.support.hub import PASSWORD
from tests.web.identity_providers.steps import (
    arrives,
    confirmed,
    connections,
    connects,
    signs_in_by_password,
    subjects_of_mails,
    trail,
)


def test_an_account_is_connected_in_the_settings_and_removed(browser, identity_provider, fresh, account, run):
    name, elsewhere, someone = fresh(), fresh(), browser()
    account(name)
    identity_provider.knows(elsewhere, email=f"{elsewhere}@example.org", email_verified=True)
    signs_in_by_password(someone, name)
    answer = connects(someone, "company", identity_provider, elsewhere)
    assert answer.url.endswith("/settings/connections")
    assert "You can sign in with Example University from now on." in answer.text
    assert f"{elsewhere}@example.org" in answer.text
    other = browser()
    arrives(other, "company", identity_provider, elsewhere)
    assert other.whoami() == name

    key = re.search(r"/settings/connections/(\d+)/remove", answer.text)[1]
    answer = someone.submit(f"/settings/connections/{key}/remove")
    assert "Example University lets you in no more." in answer.text
    assert connections(run, name) == []
    assert trail(run, name)[-1] == "identity:removed"
    assert subjects_of_mails(run, name) == [
        "[GateHub] An account was connected", "[GateHub] A connected account was removed",
    ]  # fmt: skip
    other = browser()
    assert arrives(other, "company", identity_provider, elsewhere).url.endswith("/signup/finish")


def test_what_lets_one_person_in_cannot_let_another_in(browser, identity_provider, fresh, account, run):
    first, second, elsewhere = fresh(), fresh(), fresh()
    account(first)
    account(second)
    for name in (first, second):
        someone = browser()
        signs_in_by_password(someone, name)
        answer = connects(someone, "company", identity_provider, elsewhere)
    assert "is connected to another account here" in answer.text
    assert (connections(run, first), connections(run, second)) == (["company"], [])


def test_another_persons_connection_cannot_be_removed(browser, identity_provider, fresh, account, run):
    first, second, elsewhere = fresh(), fresh(), fresh()
    account(first)
    account(second)
    someone = browser()
    signs_in_by_password(someone, first)
    page = connects(someone, "company", identity_provider, elsewhere).text
    key = re.search(r"/settings/connections/(\d+)/remove", page)[1]
    stranger = browser()
    signs_in_by_password(stranger, second)
    assert "is not connected" in confirmed(stranger, f"/settings/connections/{key}/remove").text
    assert connections(run, first) == ["company"]


def test_the_only_way_in_cannot_be_removed(browser, identity_provider, fresh, run):
    name, someone = fresh(), browser()
    identity_provider.knows(name, email=f"{name}@example.org", email_verified=True)
    arrives(someone, "company", identity_provider, name)
    someone.submit("/signup/finish", username=name, fullname="Zoë", email=f"{name}@example.org")
    page = someone.open("/settings/connections").text
    assert "You have no password here." in page
    key = re.search(r"/settings/connections/(\d+)/remove", page)[1]
    assert "It is your only way in" in someone.submit(f"/settings/connections/{key}/remove").text
    assert connections(run, name) == ["company"]
    someone.submit("/settings/password/set", password1=PASSWORD, password2=PASSWORD)
    confirmed(someone, f"/settings/connections/{key}/remove")
    assert connections(run, name) == []


def test_connecting_wants_the_password_once_more(browser, identity_provider, fresh, account, run):
    """Whoever sits down at somebody's open session must not keep a key to it."""
    name, someone = fresh(), browser()
    account(name)
    signs_in_by_password(someone, name)
    asked = someone.submit("/login/with/company", process="connect")
    assert "refresh" not in asked.headers
    answer = someone.submit(asked.url.removeprefix(someone.url), password="a guess")
    assert "refresh" not in answer.headers
    assert connections(run, name) == []


def test_nobody_connects_without_an_account(browser):
    answer = browser().submit("/login/with/company", process="connect")
    assert urlsplit(answer.url).path == "/login"


def test_who_has_no_password_gets_one_by_mail(browser, identity_provider, fresh, run):
    """When the provider is gone, or the account there."""
    name, someone = fresh(), browser()
    identity_provider.knows(name, email=f"{name}@example.org", email_verified=True)
    arrives(someone, "company", identity_provider, name)
    someone.submit("/signup/finish", username=name, fullname="Zoë", email=f"{name}@example.org")
    assert browser().submit("/password/reset", email=f"{name}@example.org").status_code == 200
    assert subjects_of_mails(run, name) == ["[GateHub] Reset your password"]
