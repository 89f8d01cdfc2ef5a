"""Connecting and removing accounts at identity providers: what holds together, and who keeps a way in."""

from __future__ import annotations

import pytest
from allauth.socialaccount.models import SocialAccount

from accounts.actor import Actor
from accounts.models import AuditEvent
from gatehub import identities
from notifications.models import OutboxMessage


@pytest.fixture
def offered(settings):
    """`offered("company")`: the providers that the settings name."""

    def offer(*names):
        apps = [{"provider_id": name, "client_id": "gatehub", "secret": "x", "settings": {}} for name in names]
        settings.SOCIALACCOUNT_PROVIDERS = {"openid_connect": {"APPS": apps}}

    return offer


@pytest.fixture
def connected(sam):
    """`connected("company")`: what connects sam there."""

    def connect(provider):
        identity = SocialAccount(provider=provider, uid=provider, extra_data={"email": "sam@example.org"})
        return identities.connect(sam, identity, provider=provider.title(), by=Actor(user=sam))

    return connect


def remove(sam, identity):
    identities.disconnect(sam, identity.pk, provider="It", by=Actor(user=sam))


def without_password(sam):
    sam.set_unusable_password()
    sam.save(update_fields=["password"])


def written():
    return SocialAccount.objects.count(), AuditEvent.objects.filter(verb__startswith="identity:").count()


def test_a_connection_its_trail_and_its_mail_are_written_together_or_not_at_all(connected, sam, monkeypatch):
    before = OutboxMessage.objects.count()
    with monkeypatch.context() as patch:
        patch.setattr(identities.AuditEvent, "record", lambda **_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            connected("company")
    assert written() == (0, 0)
    with monkeypatch.context() as patch:
        patch.setattr(identities, "get_adapter", lambda: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            connected("company")
    assert written() == (0, 0)
    identity = connected("company")
    assert written() == (1, 1)
    with monkeypatch.context() as patch:
        patch.setattr(identities, "get_adapter", lambda: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            remove(sam, identity)
    assert written() == (1, 1)
    assert OutboxMessage.objects.count() == before + 1


def test_who_has_a_password_may_remove_the_last_one(offered, connected, sam):
    offered("company")
    remove(sam, connected("company"))
    assert not SocialAccount.objects.exists()


def test_one_of_two_ways_in_may_go_and_the_other_stays(offered, connected, sam):
    offered("company", "github")
    first, second = connected("company"), connected("github")
    without_password(sam)
    remove(sam, first)
    with pytest.raises(identities.LastWayIn):
        remove(sam, second)
    assert SocialAccount.objects.get() == second


def test_what_is_connected_where_nobody_signs_in_any_more_is_no_way_in(offered, connected, sam):
    offered("company")
    company, former = connected("company"), connected("former")
    without_password(sam)
    with pytest.raises(identities.LastWayIn):
        remove(sam, company)
    remove(sam, former)
    assert SocialAccount.objects.get() == company
