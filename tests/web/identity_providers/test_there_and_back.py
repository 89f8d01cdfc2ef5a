"""The way to an identity provider and back, and what comes back that was not asked for."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest

from tests.web.identity_providers.steps import arrives


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
