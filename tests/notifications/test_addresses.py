"""Addresses to which no mail goes, and who can have them used again.

sam has sam@example.org, verified, and old@example.org, not verified; noor is somebody else; stef is staff.
"""

from __future__ import annotations

from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress
from django.utils import timezone

from accounts.actor import SYSTEM, Actor, Entrance
from accounts.errors import BadRequest, Conflict, NotAllowed
from accounts.models import AuditEvent
from notifications import addresses
from notifications.models import AddressProblem
from repos.errors import TooManyMails

What = AddressProblem.What
BOUNCED, COMPLAINED = What.BOUNCED, What.COMPLAINED


@pytest.fixture
def sam(sam):
    EmailAddress.objects.create(user=sam, email="Old@Example.org", verified=False)
    return sam


def page(user) -> Actor:
    return Actor(user=user, entrance=Entrance.PAGE)


def test_many_are_asked_for_at_once(db, django_assert_num_queries):
    addresses.mark(address="Sam@Example.org", what=BOUNCED)
    asked = [f"person{number}@example.org" for number in range(400)]
    with django_assert_num_queries(1):
        assert addresses.stopped([*asked, "SAM@EXAMPLE.ORG", "sam@example.org"]) == {"sam@example.org"}
    with django_assert_num_queries(0):
        assert addresses.stopped([]) == set()


def test_what_is_wrong_with_the_addresses_of_a_person(sam, noor, django_assert_num_queries):
    for address in ("old@example.org", "sam@example.org", "noor@example.org"):
        addresses.mark(address=address, what=BOUNCED)
    with django_assert_num_queries(2):
        assert [problem.address for problem in addresses.problems_of(sam)] == ["old@example.org", "sam@example.org"]


def test_what_is_no_address_is_not_marked(db):
    for nonsense in ("", "nobody", "a@b\n@example.org", "x" * 300 + "@example.org"):
        with pytest.raises(BadRequest):
            addresses.mark(address=nonsense, what=BOUNCED)
    assert not AddressProblem.objects.exists()


def test_what_a_server_said_is_kept_in_one_line_that_fits(db):
    addresses.mark(address="sam@example.org", what=BOUNCED, detail="550\x00 no\r\nsuch\u202e \ud800user " + "é" * 900)
    detail = AddressProblem.objects.get().detail
    assert detail.startswith("550 no such user é")
    assert len(detail) == 500


def test_the_person_has_their_address_used_again(sam):
    addresses.mark(address="sam@example.org", what=COMPLAINED, detail="spam")
    addresses.use_again(address="Sam@example.org", by=page(sam))
    assert not addresses.is_stopped("sam@example.org")
    event = AuditEvent.objects.get(verb="mail_address:used_again")
    assert (event.actor, event.target) == ("sam", "sam@example.org")
    assert event.before == {"what": "complained", "detail": "spam"}


def test_once_a_day(sam, monkeypatch):
    addresses.mark(address="sam@example.org", what=BOUNCED)
    addresses.use_again(address="sam@example.org", by=page(sam))
    addresses.mark(address="sam@example.org", what=BOUNCED)
    with pytest.raises(TooManyMails) as refusal:
        addresses.use_again(address="sam@example.org", by=page(sam))
    assert "Try again after" in refusal.value.next_step
    assert addresses.is_stopped("sam@example.org")
    later = timezone.now() + timedelta(days=1, minutes=1)
    monkeypatch.setattr(timezone, "now", lambda: later)
    addresses.use_again(address="sam@example.org", by=page(sam))
    assert not addresses.is_stopped("sam@example.org")


def test_nobody_decides_for_somebody_else_or_learns_of_it(sam, noor):
    addresses.mark(address="sam@example.org", what=BOUNCED)
    for address in ("sam@example.org", "nobody@example.org"):
        for by in (page(noor), Actor(entrance=Entrance.PAGE), SYSTEM):
            with pytest.raises(NotAllowed, match="no address of yours"):
                addresses.use_again(address=address, by=by)
    assert addresses.is_stopped("sam@example.org")


def test_staff_are_people_like_others_outside_of_the_admin(sam, make_user):
    stef = make_user("stef")
    stef.is_staff = True
    addresses.mark(address="sam@example.org", what=BOUNCED)
    with pytest.raises(NotAllowed):
        addresses.use_again(address="sam@example.org", by=page(stef))
    addresses.use_again(address="sam@example.org", by=Actor(user=stef, entrance=Entrance.ADMIN))
    assert not addresses.is_stopped("sam@example.org")


def test_an_address_that_is_not_verified_can_be_tried_again(sam):
    addresses.mark(address="old@example.org", what=BOUNCED)
    addresses.use_again(address="old@example.org", by=page(sam))
    assert not addresses.is_stopped("old@example.org")


def test_a_complaint_is_not_taken_back_by_whoever_merely_named_the_address(sam):
    addresses.mark(address="old@example.org", what=COMPLAINED)
    with pytest.raises(NotAllowed, match="verified"):
        addresses.use_again(address="old@example.org", by=page(sam))
    assert addresses.is_stopped("old@example.org")


def test_nor_is_an_address_that_somebody_else_has_verified(sam, noor):
    EmailAddress.objects.create(user=sam, email="noor@example.org", verified=False)
    addresses.mark(address="noor@example.org", what=BOUNCED)
    with pytest.raises(NotAllowed, match="verified"):
        addresses.use_again(address="noor@example.org", by=page(sam))


def test_an_address_that_is_not_stopped_says_so(sam):
    with pytest.raises(Conflict, match="already"):
        addresses.use_again(address="sam@example.org", by=page(sam))
    assert not AuditEvent.objects.filter(verb="mail_address:used_again").exists()
