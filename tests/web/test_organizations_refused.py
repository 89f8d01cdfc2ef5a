"""Who may not change an organization by its pages.  ada is the admin of lab, wes writes, rea reads; sam
and noor are members of nothing."""

from __future__ import annotations

import pytest

from accounts.models import User
from tests.web.organizations import MEMBERS, MINE, NEW, SETTINGS, state
from tests.web.pages import form_to, soup, words

FORMS = {
    f"{MEMBERS}/add": {"user": "noor", "role": "read"},
    f"{MEMBERS}/role": {"user": "rea", "role": "admin", "expected": "read"},
    f"{MEMBERS}/remove": {"user": "rea"},
    SETTINGS: {"fullname": "Theirs"},
    f"{SETTINGS}/delete": {"confirm": "lab"},
}
"""What an admin can do, by address."""


@pytest.mark.parametrize("who", ["wes", "rea", "sam"])
def test_who_is_no_admin_sees_no_settings_and_changes_nothing(browser, lab, ada, wes, rea, sam, noor, who):
    client = browser({"wes": wes, "rea": rea, "sam": sam}[who])
    before = state()
    for path in (SETTINGS, f"{MEMBERS}/people?user=sam"):
        response = client.get(path)
        assert response.status_code == 403
        assert "Only admins of lab may do this." in words(soup(response).h1)
        assert words(soup(response).select_one(f'main p a[href="{MEMBERS}"]')) == "See who they are"
    for path, data in FORMS.items():
        assert client.post(path, data).status_code == 403, path
    assert client.post(f"{MEMBERS}/add", {"user": who, "role": "admin"}).status_code == 403
    assert client.post(f"{MEMBERS}/role", {"user": who, "role": "admin"}).status_code == 403
    assert state() == before


def test_strangers_sign_in_first_and_change_nothing(browser, lab, rea, noor):
    client, before = browser(), state()
    for path in (NEW, MINE, SETTINGS, "/organizations/nothing/settings"):
        assert client.get(path)["Location"] == f"/login?next={path}"
    for path, data in FORMS.items():
        assert client.post(path, data)["Location"] == "/login?next=/", path
    assert client.post("/organizations/lab/leave")["Location"] == "/login?next=/"
    assert state() == before


def test_a_deactivated_admin_is_a_stranger(browser, lab, ada, rea, noor):
    client = browser(ada)
    User.objects.filter(pk=ada.pk).update(is_active=False)
    before = state()
    for path, data in FORMS.items():
        assert client.post(path, data)["Location"] == "/login?next=/", path
    assert client.get(SETTINGS)["Location"] == f"/login?next={SETTINGS}"
    assert state() == before


def test_a_token_in_a_header_is_nobody_on_a_page(browser, lab, ada, rea, noor, api):
    before_tokens = api(ada)
    before = state()
    for path, data in FORMS.items():
        response = browser().post(path, data, headers={"authorization": f"Bearer {before_tokens.token}"})
        assert response["Location"] == "/login?next=/", path
    assert state() == before


def test_the_forms_need_their_csrf_token(browser, lab, ada, rea, noor):
    client = browser(ada, enforce_csrf_checks=True)
    before = state()
    for path, data in {**FORMS, NEW: {"name": "club"}, "/organizations/lab/leave": {}}.items():
        response = client.post(path, data)
        assert response.status_code == 403
        assert "This form has expired" in words(soup(response)), path
    assert state() == before
    token = form_to(soup(client.get(SETTINGS)), SETTINGS).find(attrs={"name": "csrfmiddlewaretoken"})["value"]
    assert client.post(SETTINGS, {"fullname": "x", "csrfmiddlewaretoken": token}).status_code == 302


@pytest.mark.parametrize("name", ["nothing", "ada", "a%00b", "%2e%2e", "x" * 3000])
def test_what_is_no_organization_is_not_found(browser, ada, lab, name):
    client = browser(ada)
    for tail in ("settings", "members", "members/people"):
        response = client.get(f"/organizations/{name}/{tail}")
        assert response.status_code == 404, tail
        assert "There is no organization" in words(soup(response).h1)
    for tail in ("settings/delete", "members/add", "members/role", "members/remove", "leave"):
        assert client.post(f"/organizations/{name}/{tail}").status_code == 404, tail


def test_shorter_addresses_lead_on(browser, lab, ada):
    assert browser(ada).get("/organizations")["Location"] == MINE
    assert browser().get("/organizations/lab")["Location"] == "/lab"


def test_wrong_methods_are_told(browser, lab, ada):
    for path in (f"{MEMBERS}/add", f"{MEMBERS}/role", f"{MEMBERS}/remove", f"{SETTINGS}/delete"):
        assert browser(ada).put(path).status_code == 405
    assert browser(ada).post(MEMBERS).status_code == 405
