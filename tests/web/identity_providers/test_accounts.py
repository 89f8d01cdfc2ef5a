"""Whose account somebody from an identity provider comes into, and whose not."""

from __future__ import annotations

import pytest
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time

from tests.web.identity_providers.steps import arrives, connections, subjects_of_mails, trail


def test_an_address_alone_opens_no_account(browser, identity_provider, fresh, account, run):
    name, someone = fresh(), browser()
    account(name)
    identity_provider.knows(name, email=f"{name}@example.org", email_verified=True)
    answer = arrives(someone, "company", identity_provider, name)
    assert answer.status_code == 409
    assert "There is an account with your email address here" in answer.text
    assert someone.whoami() == ""
    assert connections(run, name) == []


def test_a_provider_that_is_trusted_with_addresses_opens_it_and_its_owner_is_told(
    browser, identity_provider, fresh, account, run
):
    name, someone = fresh(), browser()
    account(name)
    identity_provider.knows(name, email=f"{name}@Example.org", email_verified=True)
    arrives(someone, "trusted", identity_provider, name)
    assert someone.whoami() == name
    assert connections(run, name) == ["trusted"]
    assert "identity:connected" in trail(run, name)
    assert subjects_of_mails(run, name) == ["[GateHub] An account was connected"]


@pytest.mark.parametrize(
    ("there", "here"), [(False, True), ("false", True), (True, False)], ids=["not there", "as text", "not here"]
)
def test_an_address_that_one_side_has_not_verified_opens_none(
    browser, identity_provider, fresh, account, run, there, here
):
    """Or somebody could make an account with the address of another, and wait for them to come."""
    name, someone = fresh(), browser()
    account(name)
    if not here:
        run(f"EmailAddress.objects.filter(user__username={name!r}).update(verified=False); print(json.dumps(1))")
    identity_provider.knows(name, email=f"{name}@example.org", email_verified=there)
    arrives(someone, "trusted", identity_provider, name)
    assert someone.whoami() == ""
    assert connections(run, name) == []


def test_a_second_factor_is_asked_for_all_the_same(browser, identity_provider, fresh, account, run):
    name, someone = fresh(), browser()
    account(name)
    secret = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
    run(
        "from allauth.mfa.totp.internal.auth import TOTP\n"
        f"TOTP.activate(User.objects.get(username={name!r}), {secret!r}); print(json.dumps(1))"
    )
    identity_provider.knows(name, email=f"{name}@example.org", email_verified=True)
    answer = arrives(someone, "trusted", identity_provider, name)
    assert answer.url.endswith("/login/factor")
    assert someone.whoami() == ""
    code = format_hotp_value(hotp_value(secret, next(yield_hotp_counters_from_time())))
    someone.submit("/login/factor", code=code)
    assert someone.whoami() == name


def test_a_closed_account_stays_closed(browser, identity_provider, fresh, account, run):
    name, someone = fresh(), browser()
    account(name)
    identity_provider.knows(name, email=f"{name}@example.org", email_verified=True)
    arrives(browser(), "trusted", identity_provider, name)
    run(f"User.objects.filter(username={name!r}).update(is_active=False); print(json.dumps(1))")
    answer = arrives(someone, "trusted", identity_provider, name)
    assert answer.url.endswith("/account/inactive")
    assert someone.whoami() == ""


def test_nothing_is_connected_to_a_closed_account(browser, identity_provider, fresh, account, run):
    name, someone = fresh(), browser()
    account(name)
    run(f"User.objects.filter(username={name!r}).update(is_active=False); print(json.dumps(1))")
    identity_provider.knows(name, email=f"{name}@example.org", email_verified=True)
    assert arrives(someone, "trusted", identity_provider, name).url.endswith("/account/inactive")
    assert connections(run, name) == []
