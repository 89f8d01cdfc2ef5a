"""Counting requests by triggers, whatever wrote the rows.  sam and noor ask for lab/toxic-bert."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from access import services, tallies, triggers
from access.models import AccessRequest, RequestTally
from accounts.actor import Actor
from repos import services as repo_services
from tests.support.cast import ANSWERS

MONDAY = datetime(2026, 11, 2, 23, 59, 59, tzinfo=UTC)
TUESDAY = datetime(2026, 11, 3, 0, 0, tzinfo=UTC)


@pytest.fixture
def asked(gated_repo, sam, noor):
    return [services.ask(repo=gated_repo, answers=ANSWERS, by=Actor(user=user)) for user in (sam, noor)]


def test_a_request_is_counted_through_its_life(asked, gated_repo, ada, sam):
    assert tallies.counts(gated_repo) == {"pending": 2, "accepted": 0, "rejected": 0}
    services.review(access_request=asked[0], status="accepted", by=Actor(user=ada))
    assert tallies.counts(gated_repo) == {"pending": 1, "accepted": 1, "rejected": 0}
    services.review(access_request=asked[0], status="rejected", by=Actor(user=ada))
    services.withdraw(repo=gated_repo, by=Actor(user=asked[1].user))
    assert tallies.counts(gated_repo) == {"pending": 0, "accepted": 0, "rejected": 1}


def test_rows_that_go_with_their_person_are_counted_no_more(asked, gated_repo, sam):
    sam.delete()
    assert tallies.counts(gated_repo) == {"pending": 1, "accepted": 0, "rejected": 0}


def test_many_rows_in_one_statement_are_counted_as_well(gated_repo, make_user):
    people = [make_user(f"person{number}") for number in range(5)]
    AccessRequest.objects.bulk_create(
        [
            AccessRequest(repo=gated_repo, user=user, requested_at=MONDAY if number < 2 else TUESDAY)
            for number, user in enumerate(people)
        ]
    )
    late = AccessRequest.objects.filter(requested_at=TUESDAY)
    late.filter(user__in=people[3:]).update(status="accepted", reviewed_at=timezone.now())
    assert tallies.by_day(gated_repo) == (
        (date(2026, 11, 2), 2, 0, 0),
        (date(2026, 11, 3), 1, 2, 0),
    )
    late.update(requested_at=MONDAY)
    assert tallies.by_day(gated_repo) == ((date(2026, 11, 2), 3, 2, 0),)
    AccessRequest.objects.all().delete()
    assert tallies.by_day(gated_repo) == ()


def test_a_repo_goes_with_its_counts(asked, gated_repo, ada):
    repo_services.delete_repo(gated_repo, by=Actor(user=ada))
    assert not RequestTally.objects.exists()


def test_counts_of_repos_are_apart(asked, ada, make_repo):
    assert tallies.counts(make_repo("lab/other", by=ada)) == {"pending": 0, "accepted": 0, "rejected": 0}


@pytest.mark.django_db(transaction=True)
def test_lost_triggers_are_made_again_with_right_counts(asked, gated_repo):
    triggers.remove(connection)
    AccessRequest.objects.all().delete()
    assert tallies.counts(gated_repo)["pending"] == 2  # Nobody counted.
    triggers.install(connection)
    assert tallies.counts(gated_repo)["pending"] == 0


@pytest.mark.django_db(transaction=True)
def test_the_migration_fills_in_what_was_there_before(asked, gated_repo):
    call_command("migrate", "access", "0003", verbosity=0)
    AccessRequest.objects.update(search_text="")
    call_command("migrate", verbosity=0)  # And what depends on it, which went with it.
    assert tallies.counts(gated_repo)["pending"] == 2
    assert "sam@example.org" in AccessRequest.objects.get(user__username="sam").search_text
    assert " france " in AccessRequest.objects.get(user__username="sam").search_text
