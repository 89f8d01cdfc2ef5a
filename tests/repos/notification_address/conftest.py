"""A repo whose notifications are to go to a stranger's desk, and what its people do about that."""

from __future__ import annotations

import pytest
from django.core import mail

from accounts.actor import Actor
from repos import notification_address, services
from tests.repos.notification_address.letters import DESK, token_in


@pytest.fixture
def set_to(django_capture_on_commit_callbacks):
    """`set_to(repo, address, by=ada)`: through the service, with the mails that follow."""

    def change(repo, address, *, by):
        with django_capture_on_commit_callbacks(execute=True):
            services.change_settings(repo, {"gatedNotificationsEmail": address}, by=Actor(user=by))
        repo.refresh_from_db()

    return change


@pytest.fixture
def send_again(django_capture_on_commit_callbacks):
    def again(repo, *, by):
        with django_capture_on_commit_callbacks(execute=True):
            notification_address.send_again(repo, by=Actor(user=by))
        repo.refresh_from_db()

    return again


@pytest.fixture
def desk(gated_repo, ada, set_to):
    """lab/toxic-bert, whose notifications ada wants to go to a stranger's desk."""
    set_to(gated_repo, DESK, by=ada)
    return gated_repo


@pytest.fixture
def token(desk) -> str:
    return token_in(mail.outbox[0])
