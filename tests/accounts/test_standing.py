"""Closing and opening accounts, and rights in the admin.

stef and sue are superusers, olly is an operator, sam has an account.
"""

from __future__ import annotations

import contextlib
import threading

import pytest
from django.contrib.auth.models import Group
from django.db import connection
from django.test import Client

from access import device
from access.models import DeviceSignIn
from accounts import services, standing
from accounts.actor import SYSTEM, Actor, Entrance
from accounts.errors import Conflict, NotAllowed
from accounts.models import AuditEvent, User
from accounts.standing import LastSuperuser
from tests.support.cast import PASSWORD


@pytest.fixture
def stef(make_user) -> User:
    user = make_user("stef")
    return standing.set_rights(user, by=SYSTEM, is_staff=True, is_superuser=True)


@pytest.fixture
def sue(make_user) -> User:
    user = make_user("sue")
    return standing.set_rights(user, by=SYSTEM, is_staff=True, is_superuser=True)


@pytest.fixture
def olly(make_user) -> User:
    user, groups = make_user("olly"), Group.objects.filter(name="operator")
    return standing.set_rights(user, by=SYSTEM, is_staff=True, is_superuser=False, groups=groups)


def admin(user: User) -> Actor:
    return Actor(user=user, entrance=Entrance.ADMIN)


def is_in(client: Client) -> bool:
    return client.get("/settings/profile").status_code == 200


def test_sessions_are_shut_and_stay_shut(sam, stef, browser):
    one, other = browser(sam), browser(sam)
    assert is_in(one)
    standing.deactivate(sam, by=admin(stef))
    assert not is_in(one)
    standing.reactivate(sam, by=admin(stef))
    assert not is_in(one)
    assert not is_in(other), "also the one that asked nothing meanwhile"
    assert Client().post("/login", {"login": "sam", "password": PASSWORD}).status_code == 302


def test_nobody_signs_in_while_it_is_closed(sam, stef):
    standing.deactivate(sam, by=admin(stef))
    answer = Client().post("/login", {"login": "sam", "password": PASSWORD})
    assert answer["Location"] == "/account/inactive"


def test_tokens_are_refused_with_the_reason_and_work_once_it_is_open(sam, stef, api):
    caller = api(sam)
    standing.deactivate(sam, by=admin(stef))
    answer = caller.get("/api/whoami-v2")
    assert answer.status_code == 401
    assert "The account is deactivated." in answer.json()["error"]
    standing.reactivate(sam, by=admin(stef))
    assert caller.get("/api/whoami-v2").status_code == 200


def test_a_device_that_was_approved_gets_no_token_not_even_later(sam, stef):
    codes = device.start(client_id="cli", client_name="hf")
    device.approve(device.find(codes.user_code), by=Actor(user=sam))
    standing.deactivate(sam, by=admin(stef))
    standing.reactivate(sam, by=admin(stef))
    with pytest.raises(device.DeviceError) as refused:
        device.fetch(codes.device_code, client_id="cli")
    assert refused.value.error == "access_denied"
    assert DeviceSignIn.objects.get().status == "denied"
    assert not sam.access_tokens.exists()


def test_the_trail_says_who_closed_it(sam, stef):
    standing.deactivate(sam, by=admin(stef))
    standing.reactivate(sam, by=admin(stef))
    trail = AuditEvent.objects.filter(actor="stef").order_by("pk")
    assert [(event.verb, event.target, event.entrance) for event in trail] == [
        ("user:deactivate", "sam", "admin"),
        ("user:end_sessions", "sam", "admin"),
        ("user:reactivate", "sam", "admin"),
    ]
    assert (trail[0].before, trail[0].after) == ({"is_active": True}, {"is_active": False})


def test_a_second_click_changes_nothing_and_says_so(sam, stef):
    with pytest.raises(Conflict, match="is open"):
        standing.reactivate(sam, by=admin(stef))
    standing.deactivate(sam, by=admin(stef))
    with pytest.raises(Conflict, match="is closed already"):
        standing.deactivate(sam, by=admin(stef))
    assert AuditEvent.objects.filter(verb="user:deactivate").count() == 1


def test_nobody_closes_their_own_account(stef, sue):
    with pytest.raises(Conflict, match="their own"):
        standing.deactivate(stef, by=admin(stef))


def test_the_last_superuser_stays(stef, olly):
    for act in (
        lambda: standing.deactivate(stef, by=SYSTEM),
        lambda: standing.set_rights(stef, by=admin(stef), is_staff=True, is_superuser=False),
    ):
        with pytest.raises(LastSuperuser):
            act()
    stef.refresh_from_db()
    assert stef.is_active
    assert stef.is_superuser


def test_a_closed_superuser_is_none(stef, sue):
    standing.deactivate(sue, by=admin(stef))
    with pytest.raises(LastSuperuser):
        standing.deactivate(stef, by=SYSTEM)


@pytest.mark.parametrize(
    ("who", "whom", "may"),
    [
        ("stef", "sam", True),
        ("stef", "olly", True),
        ("stef", "sue", True),
        ("olly", "sam", True),
        ("olly", "sue", False),
        ("olly", "noor", True),
        ("sam", "noor", False),
        ("noor", "olly", False),
    ],
)
def test_who_may_close_whose_account(stef, sue, olly, sam, noor, who, whom, may):
    people = {user.username: user for user in User.objects.all()}
    with contextlib.nullcontext() if may else pytest.raises(NotAllowed):
        standing.deactivate(people[whom], by=admin(people[who]))
    assert User.objects.get(username=whom).is_active == (not may)


def test_another_operator_is_for_superusers(olly, make_user):
    other = standing.set_rights(make_user("otto"), by=SYSTEM, is_staff=True, is_superuser=False)
    with pytest.raises(NotAllowed):
        standing.deactivate(other, by=admin(olly))


def test_rights_are_said_by_superusers_alone(olly, sam, stef):
    for whom in (olly, sam):
        with pytest.raises(NotAllowed):
            standing.set_rights(whom, by=admin(olly), is_staff=True, is_superuser=True)
    assert not User.objects.filter(is_superuser=True).exclude(pk=stef.pk).exists()
    groups = Group.objects.filter(name="auditor")
    standing.set_rights(sam, by=admin(stef), is_staff=True, is_superuser=False, groups=groups)
    event = AuditEvent.objects.filter(verb="user:rights").first()
    assert event.before == {"is_staff": False, "is_superuser": False, "groups": [], "permissions": []}
    assert event.after == {"is_staff": True, "is_superuser": False, "groups": ["auditor"], "permissions": []}


def test_who_lost_the_rights_meanwhile_uses_them_no_more(stef, sue, sam):
    """sue is a superuser on the page that was loaded, and not any more."""
    standing.set_rights(sue, by=admin(stef), is_staff=True, is_superuser=False)
    assert User.objects.get(pk=sue.pk).is_superuser is False
    sue.is_superuser = True  # As it was read before.
    with pytest.raises(NotAllowed):
        standing.deactivate(sam, by=admin(sue))


def test_ending_sessions_leaves_the_account_open(sam, browser):
    client = browser(sam)
    services.end_sessions(sam, by=SYSTEM)
    assert not is_in(client)
    sam.refresh_from_db()
    again = browser(sam)
    assert is_in(again)
    services.end_sessions(sam, by=SYSTEM)
    assert not is_in(again)


def test_the_hash_of_who_was_never_signed_out_is_as_it_was_before_we_counted(sam):
    """So that nobody is signed out by the update."""
    from django.contrib.auth.base_user import AbstractBaseUser

    assert sam.get_session_auth_hash() == AbstractBaseUser._get_session_auth_hash(sam)


@pytest.mark.django_db(transaction=True)
def test_of_two_superusers_who_close_each_other_one_stays(stef, sue):
    barrier, said = threading.Barrier(2), []

    def close(whom: User, by: User) -> None:
        barrier.wait()
        try:
            standing.deactivate(whom, by=admin(by))
            said.append("closed")
        except (NotAllowed, LastSuperuser):
            said.append("refused")
        finally:
            connection.close()

    threads = [threading.Thread(target=close, args=pair) for pair in ((stef, sue), (sue, stef))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(said) == ["closed", "refused"]
    assert User.objects.filter(is_superuser=True, is_active=True).count() == 1
