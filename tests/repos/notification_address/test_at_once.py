"""Several at once: fails without the lock that it is about.  On PostgreSQL, where rows lock."""

from __future__ import annotations

import time

import pytest
from django.core import mail

from accounts.actor import Actor
from repos import notification_address, services
from tests.access.test_at_once import at_once

pytestmark = [
    pytest.mark.postgresql,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("mails_at_once"),
]


def test_one_person_with_many_repos_finds_no_room_for_a_fourth_mail(transactional_db, lab, ada, make_repo, monkeypatch):
    """Each looks for room, takes a while, and then takes it."""
    free_at = notification_address.free_at

    def free_at_and_wait(repo, *, by):
        found = free_at(repo, by=by)
        time.sleep(0.2)
        return found

    monkeypatch.setattr(notification_address, "free_at", free_at_and_wait)
    repos = [make_repo(f"lab/bert-{number}", by=ada, gated="manual") for number in range(6)]
    given = {"gatedNotificationsEmail": "desk@example.com"}
    at_once(*[lambda repo=repo: services.change_settings(repo, given, by=Actor(user=ada)) for repo in repos])
    assert len(mail.outbox) == 3
