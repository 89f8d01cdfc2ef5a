"""Mails about decisions.  sam asked for lab/toxic-bert, ada decides."""

from datetime import timedelta

from allauth.account.models import EmailAddress
from django.core import mail
from django.utils import timezone

from access import services
from accounts.actor import Actor
from notifications.claims import Claim
from notifications.models import Delivery, OptOut
from tests.support.cast import make_token


def review(request, ada, status, **more):
    return services.review(access_request=request, status=status, by=Actor(user=ada), **more)


def test_whoever_asked_is_told_of_each(gated_repo, send_request, ada, sam, noor, deliver_mails, sent):
    request = send_request(gated_repo, sam)
    for status in ("accepted", "pending", "rejected"):
        review(request, ada, status)
        deliver_mails()
    services.grant(repo=gated_repo, user=noor, by=Actor(user=ada))
    deliver_mails()
    assert sent() == [
        ("accepted", "sam@example.org"),
        ("cancelled", "sam@example.org"),
        ("rejected", "sam@example.org"),
        ("granted", "noor@example.org"),
    ]


def test_several_decisions_that_wait_together_go_out_in_their_order(
    gated_repo, send_request, ada, sam, deliver_mails, sent
):
    request = send_request(gated_repo, sam)
    for status in ("accepted", "rejected", "accepted"):
        review(request, ada, status)
    deliver_mails()
    assert [kind for kind, _ in sent()] == ["accepted", "rejected", "accepted"]


def test_an_earlier_one_that_failed_is_not_sent_after_a_later_one(
    gated_repo, send_request, ada, sam, deliver_mails, sent, refusing
):
    request = send_request(gated_repo, sam)
    review(request, ada, "accepted")
    with refusing():
        deliver_mails()
    review(request, ada, "rejected", reason="A mistake")
    deliver_mails()
    Delivery.objects.update(due_at=timezone.now())
    deliver_mails()
    assert sent() == [("rejected", "sam@example.org")]
    assert list(Delivery.objects.order_by("pk").values_list("kind", "state")) == [
        ("accepted", "dropped"),
        ("rejected", "sent"),
    ]


def test_one_waits_for_an_earlier_one_that_another_worker_has_in_hand(
    gated_repo, send_request, ada, sam, deliver_mails, sent
):
    request = send_request(gated_repo, sam)
    review(request, ada, "accepted")
    other = Claim.take(1)
    review(request, ada, "rejected")
    before = timezone.now()
    deliver_mails()
    assert sent() == []
    later = Delivery.objects.get(kind="rejected")
    assert (later.state, later.attempts) == ("waiting", 0)
    assert before < later.due_at < before + timedelta(seconds=5)
    other.put_back(other.deliveries[0])
    Delivery.objects.update(due_at=timezone.now())
    deliver_mails()
    assert [kind for kind, _ in sent()] == ["accepted", "rejected"]


def test_it_goes_to_the_address_that_is_verified_now(gated_repo, send_request, ada, sam, deliver_mails, sent):
    review(send_request(gated_repo, sam), ada, "accepted")
    EmailAddress.objects.filter(user=sam).update(verified=False)
    EmailAddress.objects.create(user=sam, email="sam@second.example", verified=True, primary=False)
    deliver_mails()
    assert sent() == [("accepted", "sam@second.example")]


def test_whoever_has_no_verified_address_or_no_account_any_more_gets_nothing(
    gated_repo, send_request, ada, sam, noor, deliver_mails, sent
):
    review(send_request(gated_repo, sam), ada, "accepted")
    review(send_request(gated_repo, noor), ada, "accepted")
    EmailAddress.objects.filter(user=sam).update(verified=False)
    noor.is_active = False
    noor.save()
    deliver_mails()
    assert sent() == []
    assert set(Delivery.objects.values_list("state", flat=True)) == {"dropped"}


def test_whoever_does_not_want_them_gets_none_but_still_account_mails(
    gated_repo, send_request, ada, sam, deliver_mails, sent
):
    OptOut.objects.create(user=sam, topic="decisions")
    review(send_request(gated_repo, sam), ada, "accepted")
    make_token(sam)
    deliver_mails()
    assert sent() == [("token-created", "sam@example.org")]


def test_the_reason_and_the_lines_to_download_are_in_the_mail(
    gated_repo, send_request, ada, sam, deliver_mails, settings
):
    request = send_request(gated_repo, sam)
    review(request, ada, "rejected", reason="Please use your institutional address")
    deliver_mails()
    assert "Please use your institutional address" in mail.outbox[-1].body
    review(request, ada, "accepted")
    deliver_mails()
    assert f"HF_ENDPOINT={settings.PUBLIC_URL}" in mail.outbox[-1].body
    assert "hf download lab/toxic-bert" in mail.outbox[-1].body
