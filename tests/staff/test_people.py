"""People in the admin, through its own pages.

stef is a superuser, olly an operator, rita a reviewer, andy an auditor; sam has an account.
"""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Group
from django.urls import reverse

from accounts import services, standing
from accounts.actor import SYSTEM
from accounts.models import AuditEvent, User
from tests.support.cast import PASSWORD
from tests.web.pages import soup, words

ROLES = {"stef": None, "olly": "operator", "rita": "reviewer", "andy": "auditor"}


@pytest.fixture
def staff(db) -> dict[str, User]:
    return {name: _make(name, group) for name, group in ROLES.items()}


def _make(name: str, group: str | None) -> User:
    user = services.create_user(username=name, email=f"{name}@example.org", password=PASSWORD, by=SYSTEM)
    groups = Group.objects.filter(name=group) if group else []
    return standing.set_rights(user, by=SYSTEM, is_staff=True, is_superuser=group is None, groups=groups)


def page_of(user: User) -> str:
    return reverse("admin:accounts_user_change", args=[user.pk])


LIST = "admin:accounts_user_changelist"


def act(client, action: str, *users: User):
    data = {"action": action, "_selected_action": [user.pk for user in users]}
    return client.post(reverse(LIST), data, follow=True)


def form_of(page) -> dict[str, str | list[str]]:
    """What a browser would send of the page's form."""
    data: dict[str, str | list[str]] = {}
    for control in page.select("#user_form [name]"):
        if control.name == "select":
            data[control["name"]] = [option["value"] for option in control.select("option[selected]")]
        elif control.get("type") != "checkbox" or control.has_attr("checked"):
            data[control["name"]] = control.get("value", "on")
    return data


MODELS = {
    # What each role may see of it and do to it on its pages: v for view, c for change, a for add, d for delete.
    "accounts_user": {"olly": "vc", "rita": "v", "andy": "v"},
    "accounts_organization": {"olly": "v", "rita": "v", "andy": "v"},
    "accounts_auditevent": {"olly": "", "rita": "", "andy": "v"},
    "repos_repo": {"rita": "v", "andy": "v", "olly": "v"},
    "access_accessrequest": {"olly": "v", "rita": "v", "andy": "v"},
    "access_accesstoken": {"olly": "v", "rita": "", "andy": "v"},
    "notifications_delivery": {"olly": "v", "rita": "", "andy": "v"},
    "auth_group": {"olly": "v", "rita": "", "andy": "v"},
    "mfa_authenticator": {"olly": "", "rita": "", "andy": ""},
    "django_celery_beat_periodictask": {"olly": "vcad", "rita": "", "andy": "v"},
}


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("who", ["olly", "rita", "andy"])
def test_each_role_on_each_page(staff, browser, model, who):
    client, may = browser(staff[who]), MODELS[model][who]
    assert client.get(reverse(f"admin:{model}_changelist")).status_code == (200 if "v" in may else 403)
    assert client.get(reverse(f"admin:{model}_add")).status_code == (200 if "a" in may else 403)


@pytest.mark.parametrize(("who", "may"), [("stef", True), ("olly", True), ("rita", False), ("andy", False)])
def test_who_may_close_accounts_there(staff, browser, sam, who, may):
    client, theirs = browser(staff[who]), browser(sam)
    act(client, "close_accounts", sam)
    sam.refresh_from_db()
    assert sam.is_active == (not may)
    assert (theirs.get("/settings/profile").status_code == 200) == (not may)
    data = form_of(soup(client.get(page_of(sam)))) | {"is_active": "on"}
    client.post(page_of(sam), data)
    sam.refresh_from_db()
    assert sam.is_active, "the box opens what the action closed"
    assert theirs.get("/settings/profile").status_code == (302 if may else 200)


def test_each_row_that_stays_is_named(staff, browser, sam, noor):
    standing.deactivate(noor, by=SYSTEM)
    page = soup(act(browser(staff["olly"]), "close_accounts", sam, noor, staff["olly"], staff["stef"]))
    said = words(page.select_one(".staff-messages"))
    assert "The account of noor is closed already." in said
    assert "rights to close or open the account of stef" in said
    assert "rights to close or open the account of olly" in said
    assert "1 of 4" in said
    assert set(User.objects.filter(is_active=False).values_list("username", flat=True)) == {"sam", "noor"}


def test_the_trail_says_what_was_done_there(staff, browser, sam):
    act(browser(staff["olly"]), "close_accounts", sam)
    event = AuditEvent.objects.get(verb="user:deactivate")
    assert (event.actor, event.entrance, event.target, event.address) == ("olly", "admin", "sam", "127.0.0.1")
    assert not AuditEvent.objects.filter(verb="admin:change").exists(), "once is enough"


@pytest.mark.parametrize("who", ["olly", "rita", "andy"])
@pytest.mark.parametrize("whom", ["sam", "themselves"])
def test_nobody_raises_anybody(staff, browser, sam, who, whom):
    user = sam if whom == "sam" else staff[who]
    before = rights_of(user)
    every = [str(group.pk) for group in Group.objects.all()]
    data = {"is_active": "on", "is_staff": "on", "is_superuser": "on", "groups": every, "user_permissions": ["1"]}
    browser(staff[who]).post(page_of(user), data | {"fullname": "Changed", "password": "x", "username": "root"})
    user.refresh_from_db()
    assert rights_of(user) == before
    assert user.fullname != "Changed"


def rights_of(user: User):
    user = User.objects.get(pk=user.pk)
    groups = sorted(user.groups.values_list("name", flat=True))
    return user.is_active, user.is_staff, user.is_superuser, groups, user.user_permissions.count(), user.password


def test_nobody_but_superusers_sets_passwords(staff, browser, sam):
    new = {"password1": "another-battery-9", "password2": "another-battery-9", "usable_password": "true"}
    for who in ("olly", "rita", "andy"):
        for user in (sam, staff["stef"]):
            address = reverse("admin:auth_user_password_change", args=[user.pk])
            assert browser(staff[who]).post(address, new).status_code == 403
            assert User.objects.get(pk=user.pk).check_password(PASSWORD)
    theirs = browser(sam)
    address = reverse("admin:auth_user_password_change", args=[sam.pk])
    assert browser(staff["stef"]).post(address, new).status_code == 302
    assert User.objects.get(pk=sam.pk).check_password("another-battery-9")
    assert theirs.get("/settings/profile").status_code == 302
    assert AuditEvent.objects.get(verb="user:password").target == "sam"


def test_operators_do_not_see_what_passwords_are_kept_as(staff, browser, sam):
    for who in ("olly", "andy"):
        page = words(soup(browser(staff[who]).get(page_of(sam))))
        assert "sam@example.org" in page
        assert "salt" not in page
        assert "algorithm" not in page


def test_a_superuser_says_who_may_do_what(staff, browser, sam):
    client = browser(staff["stef"])
    reviewer = Group.objects.get(name="reviewer")
    data = form_of(soup(client.get(page_of(sam)))) | {"is_staff": "on", "groups": [str(reviewer.pk)]}
    assert client.post(page_of(sam), data).status_code == 302
    sam = User.objects.get(pk=sam.pk)
    assert (sam.is_staff, sam.is_superuser, list(sam.groups.all())) == (True, False, [reviewer])
    event = AuditEvent.objects.filter(verb="user:rights", target="sam").first()
    assert (event.actor, event.before["groups"], event.after["groups"]) == ("stef", [], ["reviewer"])


def test_a_form_that_cannot_be_carried_out_changes_nothing_and_says_why(staff, browser, sam):
    client = browser(staff["stef"])
    data = form_of(soup(client.get(page_of(staff["stef"])))) | {"fullname": "Changed"}
    del data["is_active"]
    page = soup(client.post(page_of(staff["stef"]), data, follow=True))
    assert "Nobody closes their own account" in words(page.select_one(".staff-messages"))
    stef = User.objects.get(username="stef")
    assert (stef.is_active, stef.fullname) == (True, "")


def test_groups_are_changed_by_superusers_alone(staff, browser):
    from django.contrib.auth.models import Permission

    olly = staff["olly"]
    olly.user_permissions.set(Permission.objects.filter(content_type__app_label="auth"))
    operator = Group.objects.get(name="operator")
    address = reverse("admin:auth_group_change", args=[operator.pk])
    assert browser(olly).post(address, {"name": "operator", "permissions": ["1"]}).status_code == 403
    assert browser(staff["stef"]).get(address).status_code == 200


def test_staff_without_a_factor_are_told_to_add_one(staff, browser, settings):
    settings.ADMIN_SECOND_FACTOR = "optional"
    page = soup(browser(staff["rita"]).get(reverse("admin:index")))
    assert page.select_one('.staff-notice a[href="/settings/security"]')
