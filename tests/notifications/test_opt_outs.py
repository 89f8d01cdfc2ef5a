"""Who wants no mail of a kind.  ada manages lab/toxic-bert; sam asks; desk@example.com is an address of
the repo's own."""

from __future__ import annotations

import pytest
from django.core import signing
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.actor import Actor
from accounts.models import AuditEvent, User
from notifications import opt_outs
from notifications.models import OptOut
from repos import notification_address, services
from repos.errors import InvalidLink
from repos.models import Repo
from repos.notification_address import State, address_to_use, state_of

DESK = "desk@example.com"
STRANGER = Actor(address="192.0.2.7")


@pytest.fixture
def desk(gated_repo, ada) -> Repo:
    """lab/toxic-bert, whose notifications go to a stranger, who agreed."""
    services.change_settings(gated_repo, {"gatedNotificationsEmail": DESK}, by=Actor(user=ada))
    gated_repo.refresh_from_db()
    notification_address.confirm(notification_address.token_for(gated_repo, timezone.now()), by=Actor())
    gated_repo.refresh_from_db()
    return gated_repo


def token_of(delivery, *repos: int) -> str:
    return opt_outs.unsubscribe_link(delivery, repos).removeprefix(
        "https://gate.example.org/notifications/unsubscribe/"
    )


def test_off_and_on_again_leave_a_trail_and_repeating_does_not(sam, noor):
    by = Actor(user=sam)
    assert opt_outs.wants(sam, "accepted")
    for _ in range(2):
        opt_outs.turn_off(sam, "decisions", by=by)
    assert [opt_outs.wants(sam, kind) for kind in ("accepted", "granted", "rejected", "cancelled")] == [False] * 4
    assert opt_outs.wants(sam, "new-request")
    assert opt_outs.wants(noor, "accepted")
    assert opt_outs.topics_off(sam) == {"decisions"}
    for _ in range(2):
        opt_outs.turn_on(sam, "decisions", by=by)
    assert opt_outs.wants(sam, "accepted")
    verbs = [event.verb for event in AuditEvent.objects.filter(verb__startswith="mails:").order_by("pk")]
    assert verbs == ["mails:off", "mails:on"]
    event = AuditEvent.objects.filter(verb="mails:off").get()
    assert (event.actor, event.target, event.after) == ("sam", "sam", {"topic": "decisions"})


@pytest.mark.parametrize("kind", ["account", "token-created", "confirm-address"])
def test_what_is_no_topic_cannot_be_switched_off(sam, queue, kind):
    for topic in OptOut.Topic:
        opt_outs.turn_off(sam, topic, by=Actor(user=sam))
    assert opt_outs.wants(sam, kind)
    assert opt_outs.unsubscribe_link(queue(kind, user=sam)) == ""
    with pytest.raises(ValueError, match="account"):
        opt_outs.turn_off(sam, "account", by=Actor(user=sam))


def test_an_opt_out_is_there_once(sam):
    OptOut.objects.create(user=sam, topic="requests")
    with pytest.raises(IntegrityError), transaction.atomic():
        OptOut.objects.create(user=sam, topic="requests")


@pytest.mark.parametrize(
    ("kind", "topic"), [("new-request", "requests"), ("digest", "requests"), ("rejected", "decisions")]
)
def test_a_link_ends_the_topic_of_its_mail_for_its_person(sam, noor, queue, kind, topic):
    token = token_of(queue(kind, user=sam))
    found = opt_outs.find(token)
    assert (found.user, found.topic, found.is_off) == (sam, topic, False)
    assert not OptOut.objects.exists(), "a look changes nothing"
    for _ in range(2):
        assert opt_outs.answer(token, wanted=False, by=STRANGER).is_off
    assert list(OptOut.objects.values_list("user__username", "topic")) == [("sam", topic)]
    event = AuditEvent.objects.filter(verb="mails:off").get()
    assert (event.actor, event.target, event.address) == ("", "sam", "192.0.2.7")
    assert not opt_outs.answer(token, wanted=True, by=STRANGER).is_off
    assert not OptOut.objects.exists()


def test_a_link_never_expires(sam, queue, monkeypatch):
    token = token_of(queue("digest", user=sam))
    monkeypatch.setattr("django.core.signing.time.time", lambda: 9_000_000_000)
    assert opt_outs.answer(token, wanted=False, by=STRANGER).is_off


def test_a_link_for_a_repo_s_address_has_the_usual_people_told_instead(desk, queue):
    token = token_of(queue("digest", repo=desk, address=DESK))
    found = opt_outs.find(token)
    assert (found.user, found.address, found.repos, found.is_off) == (None, DESK, (desk,), False)
    assert address_to_use(desk) == DESK
    for _ in range(2):
        assert opt_outs.answer(token, wanted=False, by=STRANGER).is_off
    desk.refresh_from_db()
    assert (state_of(desk), address_to_use(desk)) == (State.REFUSED, "")
    for _ in range(2):
        assert not opt_outs.answer(token, wanted=True, by=STRANGER).is_off
    desk.refresh_from_db()
    assert (state_of(desk), address_to_use(desk)) == (State.CONFIRMED, DESK)
    verbs = AuditEvent.objects.filter(verb__startswith="notification_address:").order_by("pk")
    assert [event.verb.partition(":")[2] for event in verbs] == ["asked", "confirmed", "refused", "confirmed"]


def test_an_address_that_was_set_before_addresses_were_confirmed_can_be_ended_too(gated_repo, queue):
    Repo.objects.filter(pk=gated_repo.pk).update(gated_notifications_email="ada@example.org")
    token = token_of(queue("digest", repo=gated_repo, address="ada@example.org"))
    opt_outs.answer(token, wanted=False, by=STRANGER)
    gated_repo.refresh_from_db()
    assert state_of(gated_repo) is State.REFUSED
    opt_outs.answer(token, wanted=True, by=STRANGER)
    gated_repo.refresh_from_db()
    assert address_to_use(gated_repo) == "ada@example.org"


def test_a_link_confirms_nothing_that_its_reader_has_not_refused(gated_repo, ada, queue):
    services.change_settings(gated_repo, {"gatedNotificationsEmail": DESK}, by=Actor(user=ada))
    token = token_of(queue("digest", repo=gated_repo, address=DESK))
    opt_outs.answer(token, wanted=True, by=STRANGER)
    gated_repo.refresh_from_db()
    assert state_of(gated_repo) is State.WAITING


def test_a_link_says_nothing_about_another_address(desk, ada, queue):
    token = token_of(queue("digest", repo=desk, address=DESK))
    services.change_settings(desk, {"gatedNotificationsEmail": "ada@example.org"}, by=Actor(user=ada))
    found = opt_outs.answer(token, wanted=False, by=STRANGER)
    assert (found.repos, found.is_off) == ((), True)
    desk.refresh_from_db()
    assert address_to_use(desk) == "ada@example.org"


def test_a_summary_s_link_ends_all_its_repos(desk, make_repo, ada, queue):
    other = make_repo("lab/other", by=ada, gated="manual")
    services.change_settings(other, {"gatedNotificationsEmail": DESK.upper()}, by=Actor(user=ada))
    token = token_of(queue("new-request", repo=desk, address=DESK), desk.pk, other.pk)
    assert opt_outs.answer(token, wanted=False, by=STRANGER).is_off
    for repo in (desk, other):
        repo.refresh_from_db()
        assert state_of(repo) is State.REFUSED


def test_what_is_no_link_is_refused(sam, queue, desk):
    token = token_of(queue("digest", user=sam))
    own_salt = signing.Signer(salt="elsewhere").sign_object(["requests", sam.pk])
    for wrong in ("", "x", token[:-1], token[1:], own_salt, notification_address.token_for(desk, timezone.now())):
        with pytest.raises(InvalidLink):
            opt_outs.find(wrong)
        with pytest.raises(InvalidLink):
            opt_outs.answer(wrong, wanted=False, by=STRANGER)
    assert not OptOut.objects.exists()
    User.objects.filter(pk=sam.pk).delete()
    with pytest.raises(InvalidLink):
        opt_outs.find(token)


def test_a_mail_to_nobody_s_address_about_a_decision_has_no_link(queue):
    assert opt_outs.unsubscribe_link(queue("accepted")) == ""
