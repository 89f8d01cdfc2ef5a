"""Who comes into the admin.  stef is a superuser, rita a reviewer, sam no staff."""

from __future__ import annotations

import subprocess
import sys

import pytest
from django.contrib.auth.models import Group
from django.core.exceptions import ImproperlyConfigured
from django.urls import reverse

from accounts import services, standing
from accounts.actor import SYSTEM
from accounts.errors import BadRequest
from accounts.models import User
from gatehub import env
from gatehub.checks import nobody_is_named_like_the_admin
from tests.support.authenticator import give_app, signed_in_with_factor
from tests.support.cast import PASSWORD
from tests.support.server import ROOT
from tests.web.pages import press, soup, words

HOUR = 3600


@pytest.fixture(params=["stef", "rita"])
def staff(request, db) -> User:
    name = request.param
    user = services.create_user(username=name, email=f"{name}@example.org", password=PASSWORD, is_staff=True, by=SYSTEM)
    groups = Group.objects.filter(name="reviewer")
    return standing.set_rights(user, by=SYSTEM, is_staff=True, is_superuser=name == "stef", groups=groups)


@pytest.fixture
def required(settings):
    settings.ADMIN_SECOND_FACTOR = "required"


@pytest.fixture
def optional(settings):
    settings.ADMIN_SECOND_FACTOR = "optional"


@pytest.fixture
def home() -> str:
    return reverse("admin:index")


def test_a_stranger_signs_in_on_the_page_and_comes_back(browser, staff, optional, home):
    client = browser()
    answer = client.get(f"{home}accounts/user/", follow=True)
    assert answer.redirect_chain[-1][0] == f"/login?next={home}accounts/user/".replace("next=/", "next=%2F").replace(
        "/accounts/user/", "%2Faccounts%2Fuser%2F"
    )
    answer = press(client, soup(answer), "/login", login=staff.username, password=PASSWORD)
    assert answer["Location"] == f"{home}accounts/user/"
    assert client.get(home).status_code == 200


def test_the_admin_has_no_sign_in_of_its_own(browser, staff, optional, home):
    """It would know neither limits nor second factors."""
    client = browser()
    login = reverse("admin:login")
    answer = client.post(login, {"username": staff.username, "password": PASSWORD, "next": home})
    assert answer["Location"].startswith("/login?next=")
    assert client.get(home).status_code == 302


@pytest.mark.parametrize("elsewhere", ["https://evil.example/", "//evil.example", "/settings/tokens", "javascript:x"])
def test_it_leads_nowhere_else(browser, db, home, elsewhere):
    answer = browser().get(reverse("admin:login"), {"next": elsewhere})
    assert answer["Location"] == f"/login?next={home}".replace(home, home.replace("/", "%2F"))


def test_who_is_no_staff_is_told_so(browser, sam, optional, home):
    answer = browser(sam).get(home, follow=True)
    assert answer.status_code == 403
    assert "for the staff of this server" in words(soup(answer).main)


def test_without_a_factor_where_one_is_required(browser, staff, required, home):
    client = browser(staff)
    answer = client.get(home, follow=True)
    assert answer.status_code == 403
    page = soup(answer)
    assert "needs a second factor" in words(page.main)
    assert page.select_one('main a[href$="/settings/security"]')
    assert client.post(f"{home}accounts/user/", {"action": "close_accounts"}).status_code == 302


def test_without_a_factor_where_it_is_optional(browser, staff, optional, home):
    assert browser(staff).get(home).status_code == 200


@pytest.mark.parametrize("setting", ["required", "optional"])
def test_who_has_a_factor_must_have_shown_it(browser, staff, settings, setting, home):
    settings.ADMIN_SECOND_FACTOR = setting
    app = give_app(staff)
    client = browser(staff)
    answer = client.get(f"{home}?x=1", follow=True)
    assert answer.redirect_chain[-1][0].startswith("/account/confirm/code?next=")
    answer = press(client, soup(answer), "/account/confirm/code", code=app.wrong_code())
    assert client.get(home).status_code == 302
    answer = press(client, soup(answer), "/account/confirm/code", code=app.code())
    assert answer["Location"] == f"{home}?x=1"
    assert client.get(home).status_code == 200


def test_the_sign_in_with_a_factor_is_enough(browser, staff, required, home):
    app = give_app(staff)
    client = browser()
    press(client, soup(client.get("/login")), "/login", login=staff.username, password=PASSWORD)
    assert client.get(home).status_code == 302, "the first step lets nobody in"
    press(client, soup(client.get("/login/factor")), "/login/factor", code=app.code())
    assert client.get(home).status_code == 200


@pytest.mark.parametrize(("ago", "status"), [(0, 200), (11.9 * HOUR, 200), (12.1 * HOUR, 302), (-HOUR, 302)])
def test_it_is_good_for_twelve_hours(browser, staff, required, home, ago, status):
    give_app(staff)
    assert signed_in_with_factor(browser(), staff, ago=ago).get(home).status_code == status


def test_a_form_that_comes_too_late_changes_nothing(browser, staff, sam, required, home):
    give_app(staff)
    client = signed_in_with_factor(browser(), staff, ago=13 * HOUR)
    data = {"action": "close_accounts", "_selected_action": [sam.pk]}
    answer = client.post(f"{home}accounts/user/", data, follow=True)
    assert answer.redirect_chain[-1][0].startswith("/account/confirm/code?next=")
    sam.refresh_from_db()
    assert sam.is_active


def test_a_factor_that_was_removed_since_counts_no_more(browser, staff, required, home):
    give_app(staff)
    client = signed_in_with_factor(browser(), staff)
    assert client.get(home).status_code == 200
    staff.authenticator_set.all().delete()
    assert client.get(home, follow=True).status_code == 403
    give_app(staff)
    assert client.get(home).status_code == 302


def test_recovery_codes_alone_are_no_factor(browser, staff, required, home):
    from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes

    RecoveryCodes.activate(staff)
    assert browser(staff).get(home, follow=True).status_code == 403


def test_rights_that_end_end_at_once(browser, staff, optional, home):
    client = browser(staff)
    assert client.get(home).status_code == 200
    User.objects.filter(pk=staff.pk).update(is_staff=False)
    assert client.get(home, follow=True).status_code == 403
    User.objects.filter(pk=staff.pk).update(is_staff=True, is_active=False)
    assert client.get(home, follow=True).redirect_chain[-1][0].startswith("/login")


def test_a_token_is_no_way_in(staff, api, optional, home):
    assert api(staff).get(home).status_code == 302


@pytest.mark.parametrize("said", ["admin", "office", "Office", "office/back-door_7", "a.b~c/d"])
def test_paths_of_the_admin(monkeypatch, said):
    monkeypatch.setenv("GATEHUB_ADMIN_PATH", said)
    assert env.admin_path("GATEHUB_ADMIN_PATH", "admin") == said


@pytest.mark.parametrize(
    "said",
    ["/office", "office/", "a//b", "api", "API", "settings/admin", "login", "new", "a b", "..", "a/../b", "ü",
     "<int:x>", "a?b", "x%2e", "datasets", ".hidden"],
)  # fmt: skip
def test_paths_that_cannot_be(monkeypatch, said):
    monkeypatch.setenv("GATEHUB_ADMIN_PATH", said)
    with pytest.raises(ImproperlyConfigured, match="GATEHUB_ADMIN_PATH: must"):
        env.admin_path("GATEHUB_ADMIN_PATH", "admin")


def test_nobody_gets_a_name_that_the_admin_hides(settings, make_user):
    settings.ADMIN_PATH = "Office/door"
    for name in ("office", "OFFICE", "admin"):
        with pytest.raises(BadRequest, match="is reserved"):
            make_user(name)
    make_user("door")


def test_who_had_the_name_before_stops_the_start(settings, make_user):
    make_user("Office")
    assert nobody_is_named_like_the_admin(None, databases=["default"]) == []
    settings.ADMIN_PATH = "office/door"
    (problem,) = nobody_is_named_like_the_admin(None, databases=["default"])
    assert problem.msg == "GATEHUB_ADMIN_PATH: begins with 'Office', the name of a person or an organization"


_SETTINGS = """
from django.conf import settings
import django
django.setup()
from django.urls import reverse
print(settings.ADMIN_SECOND_FACTOR, reverse("admin:index"), reverse("delivery_mail", args=[1]))
"""


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({}, "optional /admin/ /admin/notifications/delivery/1/mail/"),
        ({"GATEHUB_ADMIN_PATH": "office/door"}, "optional /office/door/ /office/door/notifications/delivery/1/mail/"),
        ({"GATEHUB_PUBLIC_URL": "https://hub.example.org"}, "required"),
        ({"GATEHUB_ALLOWED_HOSTS": "localhost,10.0.0.7"}, "required"),
        ({"GATEHUB_ALLOWED_HOSTS": "*"}, "required"),
        ({"GATEHUB_ALLOWED_HOSTS": "127.0.3.7,[::1]"}, "optional"),
        ({"GATEHUB_BEHIND_PROXY": "1"}, "required"),
        ({"GATEHUB_BIND": "0.0.0.0"}, "required"),
        ({"GATEHUB_PUBLIC_URL": "https://hub.example.org", "GATEHUB_ADMIN_SECOND_FACTOR": "optional"}, "optional"),
        ({"GATEHUB_ADMIN_SECOND_FACTOR": "required"}, "required"),
        ({"GATEHUB_ADMIN_SECOND_FACTOR": "no"}, "GATEHUB_ADMIN_SECOND_FACTOR: must be one of required, optional"),
        ({"GATEHUB_ADMIN_PATH": "login"}, "GATEHUB_ADMIN_PATH: must not begin with 'login'"),
    ],
)
def test_what_the_operator_sets(tmp_path, variables, said):
    """In a process of its own, as settings are read once."""
    environment = {"PATH": "/usr/bin:/bin", "DJANGO_SETTINGS_MODULE": "gatehub.settings"}
    environment |= {"GATEHUB_DATA_DIR": str(tmp_path)} | variables
    ran = subprocess.run(
        [sys.executable, "-c", _SETTINGS], env=environment, cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert said in ran.stdout + ran.stderr
