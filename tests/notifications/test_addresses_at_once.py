"""Several at once: fails without the lock that it is about.  On PostgreSQL, where rows lock."""

from __future__ import annotations

import time

import pytest

from accounts.actor import Actor, Entrance
from accounts.errors import Conflict
from accounts.models import AuditEvent
from notifications import addresses
from notifications.models import AddressProblem
from tests.access.test_at_once import at_once, refusals

pytestmark = [pytest.mark.postgresql, pytest.mark.django_db(transaction=True)]


def test_an_address_is_used_again_once(transactional_db, sam, monkeypatch):
    """Each looks whether it may, takes a while, and then does it."""
    may = addresses.may_use_again

    def may_after_a_while(problem, user):
        time.sleep(0.2)
        return may(problem, user)

    monkeypatch.setattr(addresses, "may_use_again", may_after_a_while)
    addresses.mark(address="sam@example.org", what="bounced")
    by = Actor(user=sam, entrance=Entrance.PAGE)
    results = at_once(*[lambda: addresses.use_again(address="sam@example.org", by=by)] * 3)
    assert refusals(results) == [Conflict, Conflict]
    assert AuditEvent.objects.filter(verb="mail_address:used_again").count() == 1


def test_the_same_report_at_once_makes_one_row_and_one_line_in_the_trail(transactional_db, sam):
    for what in ("bounced", "complained"):
        at_once(*[lambda what=what: addresses.mark(address="sam@example.org", what=what, detail="550")] * 8)
    assert AddressProblem.objects.get().what == "complained"
    trail = AuditEvent.objects.filter(verb="mail_address:stopped").order_by("pk")
    assert [event.after["what"] for event in trail] == ["bounced", "complained"]
