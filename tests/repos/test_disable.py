"""Staff disable a repo and enable it again.  ada is lab's admin; stef is a superuser."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, transaction

from accounts.actor import Actor, Entrance
from accounts.errors import InvalidFields
from accounts.models import AuditEvent
from repos import services
from repos.models import Repo


@pytest.fixture
def stef(make_staff):
    return Actor(user=make_staff("stef", superuser=True), entrance=Entrance.ADMIN, address="198.51.100.7")


def test_a_repo_is_disabled_with_a_reason_and_a_trail_and_nothing_else_changes(gated_repo, stef):
    before = Repo.objects.values().get()
    services.disable(gated_repo, reason="  Reported\nas malware. ", by=stef)
    reason = "Reported as malware."
    assert Repo.objects.values().get() == before | {"disabled": True, "disabled_reason": reason}
    event = AuditEvent.objects.get(verb="repo:disable")
    assert (event.actor, event.entrance, event.address) == ("stef", "admin", "198.51.100.7")
    assert (event.target, event.repo) == ("lab/toxic-bert", gated_repo.pk)
    assert event.before == {"disabled": False, "reason": ""}
    assert event.after == {"disabled": True, "reason": reason}


def test_enabling_it_brings_all_back(gated_repo, stef):
    before = Repo.objects.values().get()
    services.disable(gated_repo, reason="A mistake.", by=stef)
    services.enable(gated_repo, by=stef)
    assert Repo.objects.values().get() == before
    event = AuditEvent.objects.get(verb="repo:enable")
    assert event.before == {"disabled": True, "reason": "A mistake."}
    assert event.after == {"disabled": False}


def test_what_would_change_nothing_is_refused_and_leaves_nothing(gated_repo, stef):
    with pytest.raises(services.NotDisabled):
        services.enable(gated_repo, by=stef)
    services.disable(gated_repo, reason="Why", by=stef)
    with pytest.raises(services.AlreadyDisabled):
        services.disable(gated_repo, reason="Why ", by=stef)
    assert AuditEvent.objects.filter(verb__in=["repo:disable", "repo:enable"]).count() == 1


def test_another_reason_may_be_given(gated_repo, stef):
    services.disable(gated_repo, by=stef)
    assert services.disable(gated_repo, reason="Now we know", by=stef).disabled_reason == "Now we know"
    assert AuditEvent.objects.filter(verb="repo:disable").count() == 2


@pytest.mark.parametrize("reason", ["x" * 201, "a\0b", "a\x1bb", "a\u202eb"])
def test_a_reason_that_cannot_be_shown_changes_nothing(gated_repo, stef, reason):
    with pytest.raises(InvalidFields):
        services.disable(gated_repo, reason=reason, by=stef)
    assert not Repo.objects.get().disabled
    assert not AuditEvent.objects.filter(verb="repo:disable").exists()


def test_a_reason_keeps_its_joiners(gated_repo, stef):
    assert services.disable(gated_repo, reason="می\u200cپرسم", by=stef).disabled_reason == "می\u200cپرسم"


def test_a_reason_may_be_as_long_as_it_is_said(gated_repo, stef):
    assert services.disable(gated_repo, reason="ü" * 200, by=stef).disabled_reason == "ü" * 200


def test_the_database_keeps_no_reason_of_a_repo_that_is_not_disabled(gated_repo):
    with pytest.raises(IntegrityError), transaction.atomic():
        Repo.objects.update(disabled_reason="Why")
