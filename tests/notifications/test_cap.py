"""A flood becomes one summary.  ada gets at most ten mails an hour about lab/toxic-bert, four of them one by one."""

from datetime import timedelta

import pytest
from django.core import mail
from django.utils import timezone

from access import services
from accounts.actor import Actor
from notifications import dispatch, outbox, sorting
from notifications.claims import Claim
from notifications.models import Delivery

ADA = "ada@example.org"
SINGLE = 4


@pytest.fixture(autouse=True)
def cap(settings):
    settings.MAILS_PER_HOUR = SINGLE + sorting.HOUR // sorting.BETWEEN_SUMMARIES


@pytest.fixture
def flood(real_time, send_request, make_user, deliver_mails):
    """`flood(7)`: so many people ask at once, and the mails go out."""
    count = iter(range(1000))

    def flood(number):
        for _ in range(number):
            send_request(real_time, make_user(f"person{next(count)}"))
        return deliver_mails()

    return flood


@pytest.fixture
def pass_time():
    """`pass_time(minutes=10)`: as if all that was sent and waits had been so much earlier."""

    def shift(**time):
        by = timedelta(**time)
        for delivery in Delivery.objects.all():
            delivery.due_at -= by
            delivery.sent_at = delivery.sent_at and delivery.sent_at - by
            delivery.save()

    return shift


def states():
    return list(Delivery.objects.order_by("pk").values_list("state", flat=True))


def test_the_first_few_go_out_one_by_one_and_the_others_as_one(flood, deliver_mails, pass_time, sent):
    assert flood(9) == SINGLE
    assert sent() == [("new-request", ADA)] * SINGLE
    assert states() == ["sent"] * SINGLE + ["waiting"] * 5
    assert deliver_mails() == 0, "not at once"
    pass_time(minutes=11)
    assert deliver_mails() == 1
    (message,) = mail.outbox
    assert all(f"person{number}" in message.body for number in range(SINGLE, 9))
    assert "person0" not in message.body
    assert states() == ["sent"] * SINGLE + ["sent"] + ["folded"] * 4
    leader = Delivery.objects.filter(folded__isnull=False).distinct().get()
    assert leader.state == "sent"
    assert deliver_mails() == 0


def test_what_comes_later_in_the_flood_is_told_by_the_next_summary(flood, deliver_mails, pass_time, sent):
    flood(6)
    pass_time(minutes=11)
    deliver_mails()
    sent()
    assert flood(3) == 0
    pass_time(minutes=11)
    assert deliver_mails() == 1
    assert all(f"person{number}" in mail.outbox[0].body for number in (6, 7, 8))


def test_no_hour_has_more_than_the_cap(flood, deliver_mails, pass_time, settings):
    for _ in range(9):
        flood(3)
        pass_time(minutes=7)
    deliver_mails()
    lately = Delivery.objects.filter(state="sent", sent_at__gt=timezone.now() - timedelta(hours=1))
    assert lately.count() <= settings.MAILS_PER_HOUR
    assert Delivery.objects.filter(state="sent").count() < 9 * 3


def test_once_the_hour_is_quiet_they_go_out_one_by_one_again(flood, pass_time, deliver_mails):
    flood(6)
    pass_time(minutes=11)
    deliver_mails()
    pass_time(hours=2)
    assert flood(2) == 2


def test_a_summary_that_fails_is_tried_again_with_all_it_tells(flood, deliver_mails, pass_time, sent, refusing):
    flood(7)
    pass_time(minutes=11)
    sent()
    with refusing():
        deliver_mails()
    assert states().count("folded") == 2
    pass_time(minutes=1)
    assert deliver_mails() == 1
    assert all(f"person{number}" in mail.outbox[0].body for number in (4, 5, 6))


def test_requests_decided_meanwhile_are_not_in_the_summary(flood, real_time, deliver_mails, pass_time, ada, sent):
    flood(7)
    for request in real_time.access_requests.filter(user__username__in=["person4", "person5"]):
        services.review(access_request=request, status="accepted", by=Actor(user=ada))
    deliver_mails()
    sent()
    pass_time(minutes=11)
    deliver_mails()
    (body,) = [message.body for message in mail.outbox if message.to == [ADA]]
    assert "person6" in body
    assert "person4" not in body


def test_others_are_not_held(flood, real_time, send_request, ada, sam, deliver_mails, sent):
    flood(6)
    sent()
    services.review(access_request=send_request(real_time, sam), status="accepted", by=Actor(user=ada))
    assert deliver_mails() == 1
    assert sent() == [("accepted", "sam@example.org")]


def test_account_mails_are_never_held(flood, ada, deliver_mails, sent):
    flood(6)
    sent()
    outbox.tell_account(address=ADA, user=ada, subject="Reset", text="/reset/…")
    assert deliver_mails() == 1


def test_a_flood_of_decisions_tells_what_holds_in_the_end(
    gated_repo, send_request, ada, sam, deliver_mails, pass_time, sent
):
    request = send_request(gated_repo, sam)
    for _ in range(5):
        for status in ("accepted", "pending"):
            services.review(access_request=request, status=status, by=Actor(user=ada))
            deliver_mails()
    services.review(access_request=request, status="rejected", reason="At last", by=Actor(user=ada))
    deliver_mails()
    assert len(sent()) == SINGLE
    pass_time(minutes=11)
    deliver_mails()
    (message,) = mail.outbox
    assert message.extra_headers["X-GateHub-Kind"] == "rejected"
    assert "At last" in message.body
    assert not Delivery.objects.waiting().exists()


def test_what_another_worker_has_in_hand_counts(real_time, send_request, make_user):
    """Of two workers that take a flood at the same time, the second knows what the first is about to send."""
    for number in range(SINGLE + 3):
        send_request(real_time, make_user(f"person{number}"))
    dispatch.new_requests()
    first, second = Claim.take(3), Claim.take(20)
    assert len(sorting.sendable(second)) == SINGLE - 3
    assert len(sorting.sendable(first)) == 3
    assert Delivery.objects.filter(held=True).count() == 3
