"""`GATEHUB_SIGN_IN_*`: what is said of identity providers, and what stops the start."""

from __future__ import annotations

import pytest
from django.core.exceptions import ImproperlyConfigured

from gatehub import sign_in

COMPANY = {
    "PROVIDERS": "company",
    "COMPANY_ISSUER": "https://login.example.org/realms/main/",
    "COMPANY_CLIENT_ID": "gatehub",
    "COMPANY_CLIENT_SECRET": "s3cret",
}


@pytest.fixture
def said(monkeypatch):
    """`said(PROVIDERS=...)`: what the settings make of it."""

    def read(values, *, open_sign_up=True):
        for name, value in values.items():
            monkeypatch.setenv(f"GATEHUB_SIGN_IN_{name}", value)
        return sign_in.providers(open_sign_up=open_sign_up)

    return read


def test_nobody_is_asked_unless_named(said):
    assert said({}) == {}


def test_a_provider_is_as_it_was_said(said):
    (app,) = said(COMPANY)["openid_connect"]["APPS"]
    assert app["name"] == "Company"
    assert app["provider_id"] == "company"
    assert app["settings"]["server_url"] == "https://login.example.org/realms/main"
    assert app["settings"]["trust_addresses"] is False
    assert app["settings"]["sign_up"] is True


def test_where_sign_up_is_closed_it_is_closed_there_too_unless_said_otherwise(said):
    (app,) = said(COMPANY, open_sign_up=False)["openid_connect"]["APPS"]
    assert app["settings"]["sign_up"] is False
    (app,) = said({"COMPANY_SIGN_UP": "1"}, open_sign_up=False)["openid_connect"]["APPS"]
    assert app["settings"]["sign_up"] is True


def test_known_ones_need_no_issuer(said):
    found = said(
        {"PROVIDERS": "google,github"}
        | {f"{name}_{what}": "x" for name in ("GOOGLE", "GITHUB") for what in ("CLIENT_ID", "CLIENT_SECRET")}
    )
    (google,), (github,) = found["openid_connect"]["APPS"], found["github"]["APPS"]
    assert (google["name"], google["settings"]["server_url"]) == ("Google", "https://accounts.google.com")
    assert github["name"] == "GitHub"


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"COMPANY_CLIENT_SECRET": ""}, "GATEHUB_SIGN_IN_COMPANY_CLIENT_SECRET"),
        ({"COMPANY_CLIENT_ID": ""}, "GATEHUB_SIGN_IN_COMPANY_CLIENT_ID"),
        ({"COMPANY_ISSUER": ""}, "GATEHUB_SIGN_IN_COMPANY_ISSUER"),
        ({"COMPANY_ISSUER": "login.example.org"}, "GATEHUB_SIGN_IN_COMPANY_ISSUER"),
        ({"COMPANY_ISSUER": "http://login.example.org"}, "GATEHUB_SIGN_IN_COMPANY_ISSUER"),
        ({"COMPANY_TRUST_ADDRESSES": "maybe"}, "GATEHUB_SIGN_IN_COMPANY_TRUST_ADDRESSES"),
        ({"PROVIDERS": "company,company"}, "GATEHUB_SIGN_IN_PROVIDERS"),
        ({"PROVIDERS": "My Company"}, "GATEHUB_SIGN_IN_PROVIDERS"),
    ],
)
def test_what_cannot_be_used_stops_the_start_with_its_name(said, change, named):
    with pytest.raises(ImproperlyConfigured, match=named):
        said(COMPANY | change)


def test_a_provider_on_this_machine_needs_no_https(said):
    (app,) = said(COMPANY | {"COMPANY_ISSUER": "http://localhost:8080"})["openid_connect"]["APPS"]
    assert app["settings"]["server_url"] == "http://localhost:8080"
