"""The address of a repo that moves.  ada is the admin of lab, wes writes, con contributes, rea reads, sam is no
member; lab/toxic-bert is gated, and desk@example.com belongs to a stranger."""

from __future__ import annotations

import pytest

from accounts.actor import Actor
from repos import notification_address, services
from repos.errors import InvalidLink
from repos.models import ConfirmationMail
from repos.notification_address import State, address_to_use, state_of
from tests.repos.notification_address.letters import DESK, STRANGER

pytestmark = pytest.mark.usefixtures("mails_at_once")


def test_a_new_name_keeps_the_confirmation_and_a_new_owner_does_not(desk, token, ada, lab, olu):
    notification_address.confirm(token, by=STRANGER)
    by = Actor(user=ada)
    renamed = services.move_repo(desk, namespace=lab.namespace, name="kind-bert", by=by)
    assert address_to_use(renamed) == DESK
    moved = services.move_repo(desk, namespace=ada.namespace, name="kind-bert", by=by)
    assert (state_of(moved), address_to_use(moved)) == (State.WAITING, "")
    with pytest.raises(InvalidLink):
        notification_address.confirm(token, by=STRANGER)
    assert ConfirmationMail.objects.count() == 1, "the pause holds"


def test_an_address_of_the_new_owner_stays_in_use(gated_repo, ada, set_to):
    set_to(gated_repo, "ada@example.org", by=ada)
    moved = services.move_repo(gated_repo, namespace=ada.namespace, name="bert", by=Actor(user=ada))
    assert address_to_use(moved) == "ada@example.org"


def test_moving_a_repo_without_an_address_asks_nobody(gated_repo, ada):
    services.move_repo(gated_repo, namespace=ada.namespace, name="bert", by=Actor(user=ada))
    assert not ConfirmationMail.objects.exists()
