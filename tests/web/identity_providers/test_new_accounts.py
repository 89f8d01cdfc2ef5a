"""Who comes from an identity provider and has no account yet."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import pytest

from tests.web.identity_providers.steps import arrives, connections, subjects_of_mails, trail


def test_somebody_new_chooses_a_name_and_needs_no_second_verification(browser, identity_provider, fresh, run):
    name, someone = fresh(), browser()
    identity_provider.knows(
        name, email=f"{name}@example.org", email_verified=True, name="Zoë Zed", preferred_username=name
    )
    form = arrives(someone, "company", identity_provider, name, next="/models")
    assert form.url.endswith("/signup/finish")
    assert re.search(rf'name="username"[^>]*value="{name}"|value="{name}"[^>]*name="username"', form.text)
    assert "Zoë Zed" in form.text
    assert "password" not in form.text.partition("<main")[2]
    answer = someone.submit("/signup/finish", username=name, fullname="Zoë Zed", email=f"{name}@example.org")
    assert answer.url.endswith("/models")
    assert someone.whoami() == name
    assert connections(run, name) == ["company"]
    assert trail(run, name)[:2] == ["user:create", "identity:connected"]
    assert subjects_of_mails(run, name) == []

    again = browser()
    arrives(again, "company", identity_provider, name)
    assert again.whoami() == name


def test_an_address_that_the_provider_did_not_verify_must_be_verified_here(browser, identity_provider, fresh, run):
    """Some providers send the claim as text; the text "false" is no yes."""
    name, someone = fresh(), browser()
    identity_provider.knows(name, email=f"{name}@example.org", email_verified="false", name="Zoë Zed")
    arrives(someone, "company", identity_provider, name)
    answer = someone.submit("/signup/finish", username=name, fullname="Zoë Zed", email=f"{name}@example.org")
    assert answer.url.endswith("/account/verify")
    assert someone.whoami() == ""
    assert run(f"print(json.dumps(EmailAddress.objects.get(user__username={name!r}).verified))") is False


def test_an_address_of_ones_own_choice_must_be_verified_here(browser, identity_provider, fresh, run):
    name, someone = fresh(), browser()
    identity_provider.knows(name, email=f"{name}@example.org", email_verified=True, name="Zoë Zed")
    arrives(someone, "company", identity_provider, name)
    someone.submit("/signup/finish", username=name, fullname="Zoë Zed", email=f"other-{name}@example.org")
    rows = f"EmailAddress.objects.filter(user__username={name!r}, verified=True).values_list('email', flat=True)"
    assert f"other-{name}@example.org" not in run(f"print(json.dumps(list({rows})))")


@pytest.mark.parametrize("wrong", ["settings", "-", "a name"])
def test_a_name_that_nobody_can_have_makes_no_account(browser, identity_provider, fresh, run, wrong):
    name, someone = fresh(), browser()
    identity_provider.knows(name, email=f"{name}@example.org", email_verified=True, preferred_username=wrong)
    form = arrives(someone, "company", identity_provider, name)
    assert f'value="{wrong}"' not in form.text
    answer = someone.submit("/signup/finish", username=wrong, fullname="Zoë Zed", email=f"{name}@example.org")
    assert answer.url.endswith("/signup/finish")
    assert run(f"print(json.dumps(EmailAddress.objects.filter(email={name + '@example.org'!r}).exists()))") is False


def test_a_provider_may_make_no_accounts(browser, identity_provider, fresh):
    name, someone = fresh(), browser()
    identity_provider.knows(name, email=f"{name}@example.org", email_verified=True)
    answer = arrives(someone, "closed", identity_provider, name)
    assert "Sign-up is closed" in answer.text
    assert someone.open("/signup/finish").url.endswith("/login")


def test_a_provider_that_is_taken_away_meanwhile_makes_no_account(browser, identity_provider, fresh, run):
    name, someone = fresh(), browser()
    identity_provider.knows(name, email=f"{name}@example.org", email_verified=True)
    arrives(someone, "company", identity_provider, name)
    run(
        "from importlib import import_module\nfrom django.conf import settings\n"
        "store = import_module(settings.SESSION_ENGINE).SessionStore\n"
        f"session = store({someone.cookies['gatehub_session']!r})\n"
        "session['socialaccount_sociallogin']['provider']['id'] = 'former'\n"
        "session.modified = True; session.save(); print(json.dumps(1))"
    )
    answer = someone.submit("/signup/finish", username=name, fullname="Zoë", email=f"{name}@example.org")
    assert urlsplit(answer.url).path == "/login"
    assert run(f"print(json.dumps(User.objects.filter(username={name!r}).exists()))") is False


def test_the_form_of_a_new_account_is_nobodys_without_a_provider(browser):
    assert browser().open("/signup/finish").url.endswith("/login")
