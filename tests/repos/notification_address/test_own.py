"""Whose address needs no confirmation.  ada is the admin of lab, wes writes, con contributes, rea reads, sam is no
member; lab/toxic-bert is gated, and desk@example.com belongs to a stranger."""

from __future__ import annotations

import pytest
from allauth.account.models import EmailAddress
from django.core import mail

from accounts.actor import Actor
from accounts.models import Membership
from repos import services
from repos.notification_address import State, address_to_use, state_of
from tests.repos.notification_address.letters import DESK

pytestmark = pytest.mark.usefixtures("mails_at_once")


def test_a_verified_address_of_the_one_who_sets_it_is_used_at_once(gated_repo, wes, con, make_repo, set_to):
    set_to(gated_repo, "WES@example.org", by=wes)
    assert (state_of(gated_repo), address_to_use(gated_repo)) == (State.OWN, "WES@example.org")
    own = make_repo("lab/own", by=con, gated="manual")
    set_to(own, "con@example.org", by=con)
    assert state_of(own) is State.OWN
    assert mail.outbox == []


def test_a_verified_address_of_an_admin_or_of_the_owner_is_used_at_once(gated_repo, make_repo, wes, olu, set_to):
    set_to(gated_repo, "ada@example.org", by=wes)
    assert address_to_use(gated_repo) == "ada@example.org"
    personal = make_repo("olu/bert", by=olu, gated="manual")
    set_to(personal, "olu@example.org", by=olu)
    assert address_to_use(personal) == "olu@example.org"
    assert mail.outbox == []


def test_an_address_that_is_not_verified_is_nobody_s_own(gated_repo, ada, set_to):
    EmailAddress.objects.create(user=ada, email="ada@uni.example", verified=False)
    set_to(gated_repo, "ada@uni.example", by=ada)
    assert (state_of(gated_repo), address_to_use(gated_repo)) == (State.WAITING, "")
    EmailAddress.objects.filter(email="ada@uni.example").update(verified=True)
    assert address_to_use(gated_repo) == "ada@uni.example"


@pytest.mark.parametrize("other", ["wes", "rea", "sam", "con"])
def test_another_person_s_address_is_not_the_owner_s(gated_repo, ada, set_to, request, other):
    request.getfixturevalue(other)
    set_to(gated_repo, f"{other}@example.org", by=ada)
    assert (state_of(gated_repo), address_to_use(gated_repo)) == (State.WAITING, "")
    assert [message.to for message in mail.outbox] == [[f"{other}@example.org"]]


@pytest.mark.parametrize("lost", ["membership", "role", "activity", "address", "account"])
def test_whoever_manages_the_repo_no_longer_is_not_written_to(gated_repo, wes, set_to, lost):
    set_to(gated_repo, "wes@example.org", by=wes)
    if lost == "membership":
        Membership.objects.filter(user=wes).delete()
    elif lost == "role":
        Membership.objects.filter(user=wes).update(role="contributor")
    elif lost == "activity":
        wes.is_active = False
        wes.save()
    elif lost == "address":
        EmailAddress.objects.filter(user=wes).update(verified=False)
    else:
        wes.delete()
    gated_repo.refresh_from_db()
    assert (state_of(gated_repo), address_to_use(gated_repo)) == (State.WAITING, "")


def test_no_address_is_none_to_use(gated_repo, ada, set_to, desk, django_assert_num_queries):
    set_to(gated_repo, "", by=ada)
    with django_assert_num_queries(0):
        assert (state_of(gated_repo), address_to_use(gated_repo)) == (State.NONE, "")


def test_a_mode_or_the_same_address_again_asks_nothing_anew(desk, ada, set_to):
    nonce = desk.gated_notifications_email_nonce
    set_to(desk, DESK, by=ada)
    services.change_settings(
        desk, {"gatedNotificationsEmail": DESK, "gatedNotificationsMode": "real-time"}, by=Actor(user=ada)
    )
    desk.refresh_from_db()
    assert desk.gated_notifications_mode == "real-time"
    assert desk.gated_notifications_email_nonce == nonce
    assert len(mail.outbox) == 1
