"""What a permission of Django's lets staff do: look at requests and decide them, in the admin, and nothing else.

vic may view requests, rex may also review them; both are members of nothing.
"""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Group, Permission

from access import policy, services, tokens
from access.models import AccessRequest
from access.policy import Action
from accounts.actor import SYSTEM, Actor, Entrance
from accounts.errors import NotAllowed
from accounts.models import User
from repos.models import Repo
from tests.access.test_policy import SITUATIONS, make_repos, people
from tests.support.cast import ANSWERS

__all__ = ["people"]

VIEW, REVIEW = "access.view_accessrequest", "access.review_accessrequest"
STAFF_ACTIONS = {Action.REQUESTS_VIEW, Action.REQUESTS_REVIEW}

both = pytest.mark.parametrize("database", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])


@pytest.fixture
def vic(make_staff):
    return make_staff("vic", VIEW)


@pytest.fixture
def rex(make_staff):
    return make_staff("rex", VIEW, REVIEW)


def in_admin(user: User) -> Actor:
    """As a request has it: with what the database says now."""
    return Actor(user=User.objects.get(pk=user.pk), entrance=Entrance.ADMIN)


def _everything() -> object:
    return Repo.objects.all()


@both
@pytest.mark.parametrize("situation", ["open", "manual, members gated", "private manual"])
def test_staff_look_and_decide_everywhere_and_gain_nothing_else(database, situation, people, vic, rex):
    repos = make_repos(SITUATIONS[situation], people)
    for repo in repos.values():
        plain = policy.allowed(Actor(user=people["outsider"]), repo, Action)
        assert policy.allowed(in_admin(vic), repo, Action) == plain | {Action.REQUESTS_VIEW}
        assert policy.allowed(in_admin(rex), repo, Action) == plain | STAFF_ACTIONS
        assert not policy.may(in_admin(rex), Action.FILES_READ, repo) or situation == "open"


@both
def test_a_superuser_decides_everywhere_and_reads_no_gated_file(database, people):
    repos = make_repos(SITUATIONS["manual"], people)
    plain = policy.allowed(Actor(user=people["outsider"]), repos["olu"], Action)
    assert Action.FILES_READ not in plain
    assert policy.allowed(in_admin(people["staff"]), repos["olu"], Action) == plain | STAFF_ACTIONS


@both
@pytest.mark.parametrize("entrance", [one for one in Entrance if one is not Entrance.ADMIN])
def test_through_another_entrance_a_permission_counts_nothing(database, entrance, people, rex):
    repo = make_repos(SITUATIONS["manual"], people)["lab"]
    assert policy.allowed(Actor(user=rex, entrance=entrance), repo, Action).isdisjoint(STAFF_ACTIONS)


@both
@pytest.mark.parametrize("role", ["read", "write", "fine-grained"])
def test_with_a_token_it_counts_nothing_either(database, role, people, rex):
    repo = make_repos(SITUATIONS["manual"], people)["lab"]
    token, _ = tokens.create(user=rex, name="t", role=role, by=SYSTEM)
    actor = Actor(user=rex, token=token, entrance=Entrance.ADMIN)
    assert policy.allowed(actor, repo, Action).isdisjoint(STAFF_ACTIONS)


@both
@pytest.mark.parametrize("lost", ["is_staff", "is_active"])
def test_whoever_is_staff_or_active_no_more_decides_nothing(database, lost, people, rex):
    repo = make_repos(SITUATIONS["manual"], people)["lab"]
    assert policy.may(in_admin(rex), Action.REQUESTS_REVIEW, repo)
    User.objects.filter(pk=rex.pk).update(**{lost: False})
    assert policy.allowed(in_admin(rex), repo, Action).isdisjoint(STAFF_ACTIONS)


@both
def test_a_permission_taken_away_is_gone_with_the_next_request(database, people, rex):
    repo = make_repos(SITUATIONS["manual"], people)["lab"]
    assert policy.may(in_admin(rex), Action.REQUESTS_REVIEW, repo)
    rex.user_permissions.remove(Permission.objects.get(codename="review_accessrequest"))
    assert policy.allowed(in_admin(rex), repo, Action) & STAFF_ACTIONS == {Action.REQUESTS_VIEW}


@both
def test_a_group_gives_it_as_well(database, people, make_staff):
    repo = make_repos(SITUATIONS["manual"], people)["lab"]
    gus = make_staff("gus")
    assert policy.allowed(in_admin(gus), repo, Action).isdisjoint(STAFF_ACTIONS)
    group = Group.objects.create(name="deciders")
    group.permissions.add(Permission.objects.get(codename="review_accessrequest"))
    gus.groups.add(group)
    assert policy.allowed(in_admin(gus), repo, Action) & STAFF_ACTIONS == {Action.REQUESTS_REVIEW}


@both
def test_the_sql_that_is_kept_tells_staff_from_others(database, people, vic, rex):
    """Each shape of a caller has its own: whoever asks after staff is no staff by that."""
    for situation in ("open", "manual", "private manual"):
        make_repos(SITUATIONS[situation], people, situation.replace(" ", "-"))
    callers = [in_admin(rex), Actor(user=rex, entrance=Entrance.PAGE), in_admin(vic), in_admin(people["outsider"])]
    for actor in [*callers, *reversed(callers)]:
        for action in Action:
            permitted = set(Repo.objects.filter(policy.permitted(actor, action)))
            assert set(policy.find(actor, action, _everything)) == permitted
    everything = set(Repo.objects.all())
    assert set(policy.find(in_admin(rex), Action.REQUESTS_REVIEW, _everything)) == everything
    assert policy.find(in_admin(vic), Action.REQUESTS_REVIEW, _everything) == []
    assert policy.find(Actor(user=rex, entrance=Entrance.PAGE), Action.REQUESTS_REVIEW, _everything) == []


def test_the_service_asks_the_policy(gated_repo, sam, vic, rex):
    request = services.ask(repo=gated_repo, answers=ANSWERS, by=Actor(user=sam))
    for actor in (in_admin(vic), Actor(user=rex, entrance=Entrance.PAGE), Actor(user=rex, entrance=Entrance.API)):
        with pytest.raises(NotAllowed):
            services.review(access_request=request, status="accepted", by=actor)
        assert AccessRequest.objects.get().is_pending
    services.review(access_request=request, status="accepted", by=in_admin(rex))
    assert AccessRequest.objects.get().is_accepted
