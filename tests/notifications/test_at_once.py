"""Several workers at once, on PostgreSQL, where rows lock.  Each test fails without the lock that it is about."""

import time
from collections import Counter

import pytest
from django.core import mail

from access import services
from accounts.actor import Actor
from notifications import dispatch, mails, tasks
from notifications.claims import Claim
from notifications.models import Delivery, OutboxMessage
from tests.access.test_at_once import at_once

pytestmark = [pytest.mark.postgresql, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def people(make_user):
    return [make_user(f"person{number}") for number in range(30)]


def recipients():
    return Counter(message.to[0] for message in mail.outbox)


def test_four_workers_send_each_decision_once(gated_repo, send_request, ada, people, monkeypatch):
    for user in people:
        services.review(access_request=send_request(gated_repo, user), status="accepted", by=Actor(user=ada))
    compose = mails.compose

    def compose_slowly(delivery):
        time.sleep(0.01)
        return compose(delivery)

    monkeypatch.setattr(mails, "compose", compose_slowly)
    at_once(*[tasks.deliver] * 4)
    tasks.deliver()  # What the others had in hand when the last one looked.
    assert recipients() == {user.email: 1 for user in people}


def test_two_who_claim_at_once_take_different_ones(gated_repo, send_request, ada, people):
    for user in people:
        services.review(access_request=send_request(gated_repo, user), status="accepted", by=Actor(user=ada))
    claims = at_once(lambda: Claim.take(20), lambda: Claim.take(20))
    taken = [delivery.pk for claim in claims for delivery in claim.deliveries]
    assert len(taken) == len(set(taken)) == len(people)


def test_two_who_dispatch_at_once_make_each_delivery_once(real_time, send_request, people):
    for user in people:
        send_request(real_time, user)
    at_once(dispatch.new_requests, dispatch.new_requests)
    dispatch.new_requests()
    assert Delivery.objects.count() == len(people)
    assert not OutboxMessage.objects.filter(state="waiting").exists()


def test_two_runs_of_the_digests_at_once_tell_each_request_once(
    make_repo, send_request, lab, ada, sam, noor, monkeypatch
):
    repos = [make_repo(f"lab/repo{number}", by=ada, gated="manual") for number in range(8)]
    for repo in repos:
        for user in (sam, noor):
            send_request(repo, user)
    of_repos = dispatch.recipients.of_repos

    def of_repos_slowly(repos):
        found = of_repos(repos)
        time.sleep(0.3)  # Both know of all repos before either collects.
        return found

    monkeypatch.setattr(dispatch.recipients, "of_repos", of_repos_slowly)
    made = at_once(dispatch.digests, dispatch.digests)
    assert sum(made) == len(repos)
    assert Delivery.objects.count() == len(repos)
    assert OutboxMessage.objects.filter(kind="new-request", digest__isnull=False).count() == 2 * len(repos)
    monkeypatch.undo()
    tasks.deliver()
    assert len(mail.outbox) == len(repos)
