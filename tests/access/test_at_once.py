"""Two at once: each test fails without the lock or the constraint that it is about.  On PostgreSQL, where rows lock."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection

from access import bulk, device, organizations, services, tallies
from access.device import DeviceError
from access.errors import AlreadyHasAccess, NoAccessRequest
from access.filters import RequestFilter
from access.models import AccessRequest, AccessToken
from access.organizations import AlreadyMember, HasRepos
from accounts import services as accounts
from accounts.actor import SYSTEM, Actor
from accounts.errors import Conflict, HubError, NotAllowed, NotFound
from accounts.models import AuditEvent, Membership, Namespace, Organization
from repos import services as repo_services
from repos.models import Repo
from tests.support.cast import ANSWERS, PASSWORD

pytestmark = [pytest.mark.postgresql, pytest.mark.django_db(transaction=True)]


def at_once(*acts: Callable[[], Any]) -> list[Any]:
    """What each act returned, or the refusal that it met, run at the same moment in threads of their own."""
    start = threading.Barrier(len(acts))

    def run(act: Callable[[], Any]) -> Any:
        try:
            start.wait(10)
            return act()
        except HubError as error:
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(len(acts)) as threads:
        return list(threads.map(run, acts))


def refusals(results: list[Any]) -> list[type]:
    return [type(result) for result in results if isinstance(result, HubError)]


@pytest.mark.parametrize("time", range(3))
def test_of_two_reviewers_one_decides(time, transactional_db, gated_repo, ada, wes, sam):
    asked = services.ask(repo=gated_repo, answers=ANSWERS, by=Actor(user=sam))
    decided = at_once(
        lambda: services.review(access_request=asked, status="accepted", by=Actor(user=ada), expected="pending"),
        lambda: services.review(access_request=asked, status="rejected", by=Actor(user=wes), expected="pending"),
    )
    assert refusals(decided) == [NoAccessRequest]
    verbs = AuditEvent.objects.filter(verb__in=["access_request:accepted", "access_request:rejected"])
    assert verbs.count() == 1


def test_two_clicks_on_the_form_are_one_request(transactional_db, gated_repo, sam):
    asked = at_once(*[lambda: services.ask(repo=gated_repo, answers=ANSWERS, by=Actor(user=sam))] * 4)
    assert refusals(asked) == []
    assert len({request.pk for request in asked}) == 1
    assert AuditEvent.objects.filter(verb="access_request:asked").count() == 1


def test_two_grants_are_one(transactional_db, gated_repo, ada, wes, noor):
    granted = at_once(
        *[lambda by=by: services.grant(repo=gated_repo, user=noor, by=Actor(user=by)) for by in (ada, wes, ada)]
    )
    assert refusals(granted) == [AlreadyHasAccess] * 2
    assert AccessRequest.objects.count() == 1


def test_a_request_sent_while_the_mode_changes_is_of_one_mode(transactional_db, gated_repo, ada, sam):
    last = AuditEvent.objects.latest("pk").pk
    at_once(
        lambda: repo_services.change_settings(gated_repo, {"gated": "auto"}, by=Actor(user=ada)),
        lambda: services.ask(repo=gated_repo, answers=ANSWERS, by=Actor(user=sam)),
    )
    first, _ = AuditEvent.objects.filter(pk__gt=last).order_by("pk")
    assert AccessRequest.objects.get().status == ("accepted" if first.verb == "repo:settings" else "pending")


def test_two_fetches_of_one_device_get_one_token(transactional_db, sam):
    codes = device.start(client_id="cli", client_name="hf")
    device.approve(device.find(codes.user_code), by=Actor(user=sam))
    fetched = at_once(*[lambda: device.fetch(codes.device_code, client_id="cli")] * 4)
    assert refusals(fetched) == [DeviceError] * 3
    assert AccessToken.objects.count() == 1


def test_of_approve_and_deny_one_counts(transactional_db, sam):
    codes = device.start(client_id="cli", client_name="hf")
    sign_in = device.find(codes.user_code)
    decided = at_once(
        lambda: device.approve(sign_in, by=Actor(user=sam)), lambda: device.deny(sign_in, by=Actor(user=sam))
    )
    assert refusals(decided) == [Conflict]


def test_two_admins_who_leave_at_once_leave_one(transactional_db, lab, ada, noor):
    accounts.set_role(organization=lab, user=noor, role="admin", by=SYSTEM)
    left = at_once(
        *[
            lambda user=user: accounts.set_role(organization=lab, user=user, role="read", by=SYSTEM)
            for user in (ada, noor)
        ]
    )
    assert refusals(left) == [accounts.LastAdmin]
    assert Membership.objects.filter(role="admin").count() == 1


@pytest.mark.parametrize("time", range(3))
def test_of_two_admins_who_demote_each_other_one_is_too_late(time, transactional_db, lab, ada, noor):
    accounts.set_role(organization=lab, user=noor, role="admin", by=SYSTEM)
    demoted = at_once(
        *[
            lambda user=user, by=by: organizations.change_role(
                organization=lab, user=user, role="read", expected="admin", by=Actor(user=by)
            )
            for user, by in ((ada, noor), (noor, ada))
        ]
    )
    assert refusals(demoted) == [NotAllowed]
    assert sorted(Membership.objects.values_list("role", flat=True)) == ["admin", "read"]


@pytest.mark.parametrize("time", range(3))
def test_of_two_admins_who_remove_each_other_one_stays(time, transactional_db, lab, ada, noor):
    accounts.set_role(organization=lab, user=noor, role="admin", by=SYSTEM)
    removed = at_once(
        lambda: organizations.remove_member(organization=lab, user=ada, by=Actor(user=noor)),
        lambda: organizations.remove_member(organization=lab, user=noor, by=Actor(user=ada)),
    )
    assert refusals(removed) == [NotAllowed]
    assert Membership.objects.get().role == "admin"


def test_two_admins_who_leave_of_their_own_will_at_once_leave_one(transactional_db, lab, ada, noor):
    accounts.set_role(organization=lab, user=noor, role="admin", by=SYSTEM)
    left = at_once(
        *[
            lambda user=user: accounts.remove_member(organization=lab, user=user, by=Actor(user=user))
            for user in (ada, noor)
        ]
    )
    assert refusals(left) == [accounts.LastAdmin]
    assert Membership.objects.get().role == "admin"


def test_one_person_is_added_once(transactional_db, lab, ada, noor):
    added = at_once(
        *[
            lambda role=role: organizations.add_member(organization=lab, user=noor, role=role, by=Actor(user=ada))
            for role in ("read", "write", "admin")
        ]
    )
    assert refusals(added) == [AlreadyMember] * 2
    assert AuditEvent.objects.filter(verb="membership:set_role", target="noor in lab").count() == 1


@pytest.mark.parametrize("time", range(3))
def test_an_organization_is_deleted_or_gets_a_repo_but_not_both(time, transactional_db, lab, ada):
    namespace = Namespace.objects.get(organization=lab)
    done = at_once(
        lambda: organizations.delete(organization=lab, confirmation="lab", by=Actor(user=ada)),
        lambda: repo_services.create_repo(
            type_="model", namespace=namespace, name="new", private=False, by=Actor(user=ada)
        ),
    )
    assert refusals(done) in ([HasRepos], [NotFound])
    assert Organization.objects.count() == Repo.objects.count() == (1 if refusals(done) == [HasRepos] else 0)


def test_one_name_goes_to_one_organization(transactional_db, ada, noor):
    made = at_once(
        *[
            lambda user=user: accounts.create_organization(name="club", admin=user, by=Actor(user=user))
            for user in (ada, noor)
        ]
    )
    assert refusals(made) == [accounts.NameTaken]
    assert Organization.objects.count() == 1


def test_one_name_goes_to_one_account(transactional_db):
    def make(number: int) -> Any:
        return accounts.create_user(
            username="Zoe" if number % 2 else "zoe",
            email=f"zoe{number}@example.org",
            password="correct-horse",
            by=SYSTEM,
        )

    made = at_once(*[lambda number=number: make(number) for number in range(4)])
    assert refusals(made) == [accounts.NameTaken] * 3


def test_one_address_goes_to_one_account(transactional_db):
    def make(number: int) -> Any:
        return accounts.create_user(username=f"zoe{number}", email="zoe@example.org", password=PASSWORD, by=SYSTEM)

    made = at_once(*[lambda number=number: make(number) for number in range(4)])
    assert refusals(made) == [accounts.AddressTaken] * 3


def test_several_workers_on_one_bulk_review_decide_each_request_once(
    transactional_db, gated_repo, ada, make_user, monkeypatch
):
    monkeypatch.setattr(bulk, "STEP", 2)
    for number in range(9):
        services.ask(repo=gated_repo, answers=ANSWERS, by=Actor(user=make_user(f"person{number}")))
    review = bulk.start(repo=gated_repo, chosen=RequestFilter(), status="accepted", by=Actor(user=ada))
    at_once(*[lambda: bulk.run(review.pk)] * 4)
    bulk.run(review.pk)
    review.refresh_from_db()
    assert (review.decided, review.refused, review.stopped_because) == (9, 0, "")
    assert AuditEvent.objects.filter(verb="access_request:accepted").count() == 9
    assert tallies.counts(gated_repo) == {"pending": 0, "accepted": 9, "rejected": 0}


def test_counts_are_right_after_many_acts_at_once(transactional_db, gated_repo, ada, make_user):
    people = [make_user(f"person{number}") for number in range(6)]
    at_once(*[lambda user=user: services.ask(repo=gated_repo, answers=ANSWERS, by=Actor(user=user)) for user in people])
    asked = list(AccessRequest.objects.order_by("pk"))
    at_once(
        *[
            lambda row=row: services.review(access_request=row, status="accepted", by=Actor(user=ada))
            for row in asked[:3]
        ],
        *[lambda row=row: services.withdraw(repo=gated_repo, by=Actor(user=row.user)) for row in asked[3:5]],
    )
    assert tallies.counts(gated_repo) == {"pending": 1, "accepted": 3, "rejected": 0}
