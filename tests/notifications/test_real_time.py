"""New requests that are told at once.  lab/toxic-bert says real-time; ada is the admin of lab; sam and noor ask."""

from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress
from django.utils import timezone

from access import services
from accounts import services as accounts
from accounts.actor import SYSTEM, Actor
from accounts.models import Membership
from notifications import dispatch
from notifications.models import AddressProblem, Delivery, OptOut, OutboxMessage
from repos import notification_address
from repos import services as repos


def test_the_admin_is_told_of_each_once(real_time, send_request, sam, noor, deliver_mails, sent):
    send_request(real_time, sam)
    send_request(real_time, noor)
    assert deliver_mails() == 2
    assert sent() == [("new-request", "ada@example.org"), ("new-request", "ada@example.org")]
    assert deliver_mails() == 0
    assert set(Delivery.objects.values_list("state", "attempts", "claim")) == {("sent", 1, None)}


def test_the_owner_of_a_personal_namespace_is_told(make_repo, send_request, olu, sam, deliver_mails, sent):
    repo = make_repo("olu/base", by=olu, gated="manual")
    repo = repos.change_settings(repo, {"gatedNotificationsMode": "real-time"}, by=Actor(user=olu))
    send_request(repo, sam)
    deliver_mails()
    assert sent() == [("new-request", "olu@example.org")]


@pytest.fixture
def admins(lab, ada, make_user):
    """Six admins of lab; ada, whose membership is the oldest, became admin last."""
    made = []
    for number in range(5):
        user = make_user(f"adm{number}")
        accounts.set_role(organization=lab, user=user, role="admin", by=SYSTEM)
        since = timezone.now() - timedelta(days=100 - number)
        Membership.objects.filter(user=user).update(role_since=since)
        made.append(user)
    return made


def test_of_six_admins_the_five_who_have_been_so_for_longest_are_told(
    real_time, send_request, admins, sam, wes, deliver_mails, sent
):
    send_request(real_time, sam)
    deliver_mails()
    assert sent() == [("new-request", f"adm{number}@example.org") for number in range(5)]


def test_an_admin_who_is_deactivated_or_not_verified_makes_room_for_the_next(
    real_time, send_request, admins, sam, deliver_mails, sent
):
    admins[0].is_active = False
    admins[0].save()
    EmailAddress.objects.filter(user=admins[1]).update(verified=False)
    send_request(real_time, sam)
    deliver_mails()
    assert [to for _, to in sent()] == [f"adm{number}@example.org" for number in (2, 3, 4)] + ["ada@example.org"]


def test_an_admin_who_wants_no_mail_is_left_out_and_nobody_takes_the_place(
    real_time, send_request, admins, sam, deliver_mails, sent
):
    OptOut.objects.create(user=admins[0], topic="requests")
    send_request(real_time, sam)
    deliver_mails()
    assert [to for _, to in sent()] == [f"adm{number}@example.org" for number in (1, 2, 3, 4)]


def test_a_confirmed_notification_address_is_told_instead(real_time, send_request, ada, sam, deliver_mails, sent):
    real_time = repos.change_settings(real_time, {"gatedNotificationsEmail": "desk@example.com"}, by=Actor(user=ada))
    send_request(real_time, sam)
    deliver_mails()
    kinds = dict(sent())
    assert kinds == {"confirm-address": "desk@example.com", "new-request": "ada@example.org"}, "not before it agreed"
    notification_address.confirm(notification_address.token_for(real_time, timezone.now()), by=Actor())
    services.withdraw(repo=real_time, by=Actor(user=sam))
    send_request(real_time, sam)
    deliver_mails()
    assert sent() == [("new-request", "desk@example.com")]


def test_two_admins_with_one_address_get_one_mail(real_time, send_request, lab, wes, sam, deliver_mails, sent):
    accounts.set_role(organization=lab, user=wes, role="admin", by=SYSTEM)
    EmailAddress.objects.filter(user=wes).update(email="ADA@example.org")
    send_request(real_time, sam)
    deliver_mails()
    assert len(sent()) == 1


def test_a_request_that_was_decided_meanwhile_is_not_told(real_time, send_request, ada, sam, deliver_mails, sent):
    services.review(access_request=send_request(real_time, sam), status="accepted", by=Actor(user=ada))
    deliver_mails()
    assert sent() == [("accepted", "sam@example.org")]
    message = OutboxMessage.objects.get(kind="new-request")
    assert (message.state, message.because[:23]) == ("dropped", "The request was decided")


def test_one_that_was_withdrawn_meanwhile_is_not_told(real_time, send_request, sam, deliver_mails, sent):
    send_request(real_time, sam)
    services.withdraw(repo=real_time, by=Actor(user=sam))
    deliver_mails()
    assert sent() == []


def test_whoever_left_before_the_mail_went_out_is_not_told(
    real_time, send_request, lab, ada, wes, sam, deliver_mails, sent
):
    accounts.set_role(organization=lab, user=wes, role="admin", by=SYSTEM)
    send_request(real_time, sam)
    dispatch.new_requests()
    accounts.remove_member(organization=lab, user=ada, by=SYSTEM)
    deliver_mails()
    assert sent() == [("new-request", "wes@example.org")]
    assert Delivery.objects.get(user=ada).state == "dropped"


def test_whoever_changed_the_address_meanwhile_is_told_at_the_new_one(
    real_time, send_request, ada, sam, deliver_mails, sent
):
    send_request(real_time, sam)
    dispatch.new_requests()
    EmailAddress.objects.filter(user=ada).update(email="ada@new.example")
    deliver_mails()
    assert sent() == [("new-request", "ada@new.example")]
    assert Delivery.objects.get().address == "ada@new.example"


def test_where_nobody_can_be_told_it_waits_for_a_digest(real_time, send_request, ada, sam, deliver_mails, sent):
    EmailAddress.objects.filter(user=ada).update(verified=False)
    send_request(real_time, sam)
    deliver_mails()
    assert OutboxMessage.objects.values_list("state", "in_digest").get() == ("waiting", True)
    EmailAddress.objects.filter(user=ada).update(verified=True)
    dispatch.digests()
    deliver_mails()
    assert sent() == [("digest", "ada@example.org")]


def test_while_the_gate_is_off_it_waits(real_time, send_request, ada, sam, deliver_mails, sent):
    send_request(real_time, sam)
    repos.change_settings(real_time, {"gated": False}, by=Actor(user=ada))
    deliver_mails()
    dispatch.digests()
    deliver_mails()
    assert sent() == []
    repos.change_settings(real_time, {"gated": "manual"}, by=Actor(user=ada))
    dispatch.digests()
    deliver_mails()
    assert sent() == [("digest", "ada@example.org")]


def test_many_at_once_take_a_bounded_number_of_queries(
    real_time, send_request, make_user, sam, deliver_mails, django_assert_max_num_queries
):
    send_request(real_time, sam)
    for number in range(20):
        send_request(real_time, make_user(f"person{number}"))
    with django_assert_max_num_queries(12):
        dispatch.new_requests()
    assert Delivery.objects.count() == 21


def test_where_mails_to_the_address_came_back_the_usual_ones_are_told(
    real_time, send_request, ada, sam, deliver_mails, sent
):
    real_time = repos.change_settings(real_time, {"gatedNotificationsEmail": "desk@example.com"}, by=Actor(user=ada))
    notification_address.confirm(notification_address.token_for(real_time, timezone.now()), by=Actor())
    AddressProblem.objects.create(address="desk@example.com", what="bounced")
    send_request(real_time, sam)
    deliver_mails()
    assert ("new-request", "ada@example.org") in sent()


def test_where_mails_to_the_only_one_came_back_the_request_waits(real_time, send_request, sam, deliver_mails, sent):
    AddressProblem.objects.create(address="ada@example.org", what="bounced")
    send_request(real_time, sam)
    deliver_mails()
    dispatch.digests()
    deliver_mails()
    assert sent() == []
    AddressProblem.objects.all().delete()
    dispatch.digests()
    deliver_mails()
    assert sent() == [("digest", "ada@example.org")]
