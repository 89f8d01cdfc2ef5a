"""Signing in by identity providers, on a running server that an operator has told of them.

`company` is an OpenID Connect provider; `trusted` is the same one, trusted with addresses.
"""

from __future__ import annotations

import itertools
import json
import re
from urllib.parse import parse_qs, urlsplit

import pytest
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time

from tests.support.hub import PASSWORD
from tests.support.identity_provider import Browser, leads_to

_numbers = itertools.count(1)


@pytest.fixture
def fresh(worker_id):
    """A name that nobody has, here or there."""
    return lambda: f"zoe-{worker_id}-{next(_numbers)}"


@pytest.fixture
def run(server_with_providers):
    """`run(script)`: what the script prints as JSON, within the product."""
    prelude = (
        "import json\n"
        "from accounts import services\nfrom accounts.actor import SYSTEM\n"
        "from accounts.models import AuditEvent, User\n"
        "from allauth.account.models import EmailAddress\nfrom allauth.socialaccount.models import SocialAccount\n"
        "from notifications.models import Delivery\n"
    )

    def in_product(script):
        return json.loads(server_with_providers.manage("shell", "-v0", "-c", prelude + script) or "null")

    return in_product


@pytest.fixture
def account(run):
    """`account(name)`: somebody who signed up with a password, whose address is verified."""

    def make(name):
        said = f"username={name!r}, email={name + '@example.org'!r}, password={PASSWORD!r}, by=SYSTEM"
        run(f"services.create_user({said}); print(json.dumps(1))")

    return make


@pytest.fixture
def browser(server_with_providers):
    return lambda: Browser(server_with_providers)


def arrives(someone, provider, identity_provider, subject, **form):
    return someone.open(identity_provider.signs_in(someone.goes_to(provider, **form), subject))


def signs_in_by_password(someone, name):
    someone.submit("/login", login=name, password=PASSWORD)
    assert someone.whoami() == name


def confirmed(someone, path, **form):
    """Sends a form, and the password that is asked for on the way; the last answer."""
    asked = someone.submit(path, **form)
    assert "/account/confirm?next=" in asked.url
    return someone.submit(asked.url.removeprefix(someone.url), password=PASSWORD)


def connects(someone, provider, identity_provider, subject):
    page = confirmed(someone, f"/login/with/{provider}", process="connect")
    return someone.open(identity_provider.signs_in(leads_to(page), subject))


def connections(run, name):
    found = f"SocialAccount.objects.filter(user__username={name!r}).values_list('provider', flat=True)"
    return run(f"print(json.dumps(sorted({found})))")


def trail(run, name):
    rows = f"AuditEvent.objects.filter(target={name!r}).order_by('pk').values_list('verb', flat=True)"
    return run(f"print(json.dumps(list({rows})))")


def subjects_of_mails(run, name):
    rows = f"Delivery.objects.filter(address={name + '@example.org'!r}).order_by('pk')"
    opened = "from notifications import sealed\nopened = lambda row: sealed.open_(row.message.sealed)['subject']\n"
    return run(opened + f"print(json.dumps([opened(row) for row in {rows}]))")


# --- The way there ---


def test_the_sign_in_page_leads_there_by_a_page_that_the_policy_of_forms_allows(browser, identity_provider):
    someone = browser()
    page = someone.open("/login").text
    assert "Continue with Example University" in page
    assert "Continue with GitHub" in page
    said = parse_qs(urlsplit(someone.goes_to("company")).query)
    assert said["client_id"] == ["gatehub"]
    assert said["redirect_uri"] == [f"{someone.url}/login/with/company/back"]
    assert sorted(said["scope"][0].split()) == ["email", "openid", "profile"]
    assert said["code_challenge_method"] == ["S256"]
    assert len(said["state"][0]) >= 16


def test_a_link_alone_begins_nothing(browser):
    """Or any page could have people sign in with an account that is not theirs."""
    answer = browser().open("/login/with/company?next=/models")
    assert "refresh" not in answer.headers
    assert "Continue with Example University" in answer.text
    assert 'value="/models"' in answer.text


def test_nobody_is_sent_on_to_another_site_afterwards(browser, identity_provider, fresh, account):
    name = fresh()
    account(name)
    identity_provider.knows(name, email=f"{name}@example.org", email_verified=True)
    answer = arrives(browser(), "trusted", identity_provider, name, next="https://evil.example.org/")
    assert answer.url.startswith("http://127.0.0.1")


@pytest.mark.parametrize("provider", ["liar", "nonsense", "gone"])
def test_a_provider_that_is_none_sends_nobody_anywhere(browser, provider):
    answer = browser().submit(f"/login/with/{provider}")
    assert answer.status_code == 502
    assert f"{provider.capitalize()} cannot be reached" in answer.text
    assert "refresh" not in answer.headers


@pytest.mark.parametrize(
    "path", ["/login/with/google", "/login/with/google/back?code=1&state=2", "/login/with/openid_connect"]
)
def test_who_is_not_in_the_settings_lets_nobody_in(browser, path):
    assert browser().open(path).status_code == 404


# --- Without an account ---


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


# --- With an account ---


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


# --- Nonsense on the way back ---


def test_an_answer_that_was_meant_for_another_browser_lets_nobody_in(browser, identity_provider, fresh):
    name, someone, other = fresh(), browser(), browser()
    identity_provider.knows(name, email=f"{name}@example.org", email_verified=True)
    back = identity_provider.signs_in(someone.goes_to("company"), name)
    answer = other.open(back)
    assert answer.status_code == 401
    assert other.whoami() == ""
    assert other.open("/signup/finish").url.endswith("/login")


def test_an_answer_of_another_provider_lets_nobody_in(browser, identity_provider, fresh):
    name, someone = fresh(), browser()
    identity_provider.knows(name, email=f"{name}@example.org", email_verified=True)
    back = identity_provider.signs_in(someone.goes_to("company"), name)
    assert someone.open(back.replace("/company/", "/trusted/")).status_code == 401


def test_a_code_is_good_once(browser, identity_provider, fresh):
    name, someone = fresh(), browser()
    back = identity_provider.signs_in(someone.goes_to("company"), name)
    assert someone.open(back).status_code == 200
    assert someone.open(back).status_code == 401


@pytest.mark.parametrize("query", ["", "?code=x", "?code=x&state=y", "?error=server_error&state=y"])
def test_an_answer_without_a_beginning_lets_nobody_in(browser, query):
    answer = browser().open(f"/login/with/company/back{query}")
    assert answer.status_code == 401
    assert "Try again" in answer.text


def test_who_says_no_there_is_back_at_the_sign_in(browser, identity_provider):
    someone = browser()
    answer = someone.open(identity_provider.is_told_no(someone.goes_to("company")))
    assert urlsplit(answer.url).path == "/login"
    assert "You did not sign in with Example University." in answer.text


# --- GitHub ---


def test_github_lets_somebody_in(browser, github, fresh, run):
    name, someone = fresh(), browser()
    github.login = name
    github.emails = [
        {"email": f"{name}@users.example.org", "primary": False, "verified": True},
        {"email": f"{name}@example.org", "primary": True, "verified": True},
    ]
    form = someone.open(github.signs_in(someone.goes_to("github")))
    assert f'value="{name}@example.org"' in form.text
    assert github.asked[-1]["client_secret"] == ["of-a-test"]
    assert github.asked[-1]["code_verifier"]
    someone.submit("/signup/finish", username=name, fullname="Zoë", email=f"{name}@example.org")
    assert someone.whoami() == name
    kept = run(f"print(json.dumps(SocialAccount.objects.get(user__username={name!r}).extra_data))")
    assert kept == {"name": name.title(), "username": name, "email": ""}
    assert (
        run("from allauth.socialaccount.models import SocialToken\nprint(json.dumps(SocialToken.objects.count()))") == 0
    )
