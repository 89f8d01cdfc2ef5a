"""Who may administer an organization, and what an admin does with it.

ada is the admin of lab, wes writes, con contributes, rea reads; sam and noor are outside.
"""

from __future__ import annotations

import pytest
from django.db import transaction

from access import organizations, policy, selectors, tokens
from access.errors import LoginRequired
from access.models import AccessToken, TokenScope
from access.organizations import AlreadyMember, HasRepos, RoleHasChanged
from access.policy import Action
from access.tokens import Scope
from accounts import services as accounts
from accounts.actor import SYSTEM, Actor
from accounts.errors import BadRequest, InvalidFields, NotAllowed, NotFound
from accounts.models import AuditEvent, Membership, Namespace, Organization, User
from accounts.services import LastAdmin
from repos import services as repo_services
from repos.models import Repo, RepoRedirect


@pytest.fixture
def people(ada, wes, con, rea, sam):
    return {"admin": ada, "write": wes, "contributor": con, "read": rea, "outsider": sam}


def roles(organization: Organization) -> dict[str, str]:
    return dict(Membership.objects.filter(organization=organization).values_list("user__username", "role"))


def trail() -> int:
    return AuditEvent.objects.count()


# --- The rule -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ["admin", "write", "contributor", "read", "outsider"])
def test_admins_administer_and_nobody_else(role, people, lab):
    actor = Actor(user=people[role])
    assert policy.may_administer(actor, lab) == (role == "admin")
    if role != "admin":
        with pytest.raises(NotAllowed, match="Only admins of lab"):
            policy.require_administer(actor, lab)


def test_strangers_and_gatehub_itself_administer_nothing(lab):
    for actor in (Actor(), SYSTEM):
        assert not policy.may_administer(actor, lab)
        with pytest.raises(LoginRequired):
            policy.require_administer(actor, lab)


@pytest.mark.parametrize(
    ("role", "expected"), [("write", True), ("read", False), ("fine-grained", False), ("", False), ("ADMIN", False)]
)
def test_of_tokens_only_those_that_may_do_everything(role, expected, people, lab):
    token = AccessToken(user=people["admin"], name="ci", role=role)
    if role in AccessToken.Role.values:
        scopes = [Scope(name, namespace=lab.namespace) for name in TokenScope.Permission.values]
        wide = {"scopes": scopes, "can_read_gated": True} if role == "fine-grained" else {}
        token, _ = tokens.create(user=people["admin"], name="ci", role=role, by=SYSTEM, **wide)
    assert policy.may_administer(Actor(user=people["admin"], token=token), lab) == expected
    if not expected:
        with pytest.raises(NotAllowed, match="Your token 'ci'"):
            policy.require_administer(Actor(user=people["admin"], token=token), lab)


def test_a_token_does_not_make_its_user_an_admin(people, lab):
    token, _ = tokens.create(user=people["write"], name="ci", role="write", by=SYSTEM)
    assert not policy.may_administer(Actor(user=people["write"], token=token), lab)


def test_an_admin_of_one_organization_is_none_of_another(people, lab, noor):
    accounts.create_organization(name="rivals", admin=noor, by=SYSTEM)
    assert not policy.may_administer(Actor(user=noor), lab)


def test_a_deactivated_admin_administers_nothing(ada, lab):
    User.objects.filter(pk=ada.pk).update(is_active=False)
    assert not policy.may_administer(Actor(user=ada), lab)


def test_staff_administer_by_the_admin_of_django_alone(sam, lab):
    User.objects.filter(pk=sam.pk).update(is_staff=True, is_superuser=True)
    sam.refresh_from_db()
    assert not policy.may_administer(Actor(user=sam), lab)


# --- What an admin does ---------------------------------------------------------------------------------------------

ACTS = {
    "add": lambda lab, people, by: organizations.add_member(
        organization=lab, user=people["outsider"], role="admin", by=by
    ),
    "change": lambda lab, people, by: organizations.change_role(
        organization=lab, user=people["read"], role="admin", by=by
    ),
    "remove": lambda lab, people, by: organizations.remove_member(organization=lab, user=people["read"], by=by),
    "full name": lambda lab, people, by: organizations.change_fullname(organization=lab, fullname="Theirs", by=by),
    "delete": lambda lab, people, by: organizations.delete(organization=lab, confirmation="lab", by=by),
}


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("role", ["write", "contributor", "read", "outsider", "stranger"])
def test_who_may_not_changes_nothing(act, role, people, lab):
    before, members = trail(), roles(lab)
    with pytest.raises((NotAllowed, LoginRequired)):
        ACTS[act](lab, people, Actor(user=people.get(role)))
    lab.refresh_from_db()
    assert (trail(), roles(lab), lab.fullname) == (before, members, "The Lab")


@pytest.mark.parametrize("act", ACTS)
def test_who_was_demoted_meanwhile_changes_nothing(act, people, lab, noor):
    late = Actor(user=people["admin"])
    assert policy.may_administer(late, lab)  # As a view asked before.
    accounts.set_role(organization=lab, user=noor, role="admin", by=SYSTEM)
    accounts.set_role(organization=lab, user=people["admin"], role="write", by=SYSTEM)
    before, members = trail(), roles(lab)
    with pytest.raises(NotAllowed):
        ACTS[act](lab, people, late)
    assert (trail(), roles(lab)) == (before, members)


@pytest.mark.parametrize("act", ACTS)
def test_an_organization_that_is_gone_is_not_found(act, people, lab):
    copy = Organization.objects.get(pk=lab.pk)
    organizations.delete(organization=lab, confirmation="lab", by=Actor(user=people["admin"]))
    with pytest.raises(NotFound):
        ACTS[act](copy, people, Actor(user=people["admin"]))


def test_a_member_is_added_once(lab, ada, noor):
    made = organizations.add_member(organization=lab, user=noor, role="contributor", by=Actor(user=ada))
    assert (made.role, roles(lab)["noor"]) == ("contributor", "contributor")
    event = AuditEvent.objects.first()
    kept = (event.verb, event.actor, event.target, event.before, event.after)
    assert kept == ("membership:set_role", "ada", "noor in lab", None, "contributor")
    with pytest.raises(AlreadyMember, match="noor is a member already, with the role contributor"):
        organizations.add_member(organization=lab, user=noor, role="admin", by=Actor(user=ada))
    with pytest.raises(AlreadyMember, match="ada is a member already, with the role admin"):
        organizations.add_member(organization=lab, user=ada, role="read", by=Actor(user=ada))
    assert roles(lab) == {"ada": "admin", "noor": "contributor"}


def test_nobody_is_added_who_cannot_sign_in(lab, ada, noor):
    User.objects.filter(pk=noor.pk).update(is_active=False)
    noor.refresh_from_db()
    with pytest.raises(NotFound, match="User not found"):
        organizations.add_member(organization=lab, user=noor, role="read", by=Actor(user=ada))
    assert roles(lab) == {"ada": "admin"}


@pytest.mark.parametrize("role", ["", "owner", "ADMIN", "\0"])
def test_a_role_that_does_not_exist_is_given_to_nobody(role, lab, ada, wes, noor):
    for act in (
        lambda: organizations.add_member(organization=lab, user=noor, role=role, by=Actor(user=ada)),
        lambda: organizations.change_role(organization=lab, user=wes, role=role, by=Actor(user=ada)),
    ):
        with pytest.raises(BadRequest, match="read, contributor, write, admin"):
            act()
    assert roles(lab) == {"ada": "admin", "wes": "write"}


def test_a_change_of_role_makes_nobody_a_member(lab, ada, noor):
    with pytest.raises(NotFound, match="noor is not a member of lab"):
        organizations.change_role(organization=lab, user=noor, role="admin", by=Actor(user=ada))
    assert roles(lab) == {"ada": "admin"}


def test_a_role_that_another_admin_has_changed_meanwhile_is_not_changed_back(lab, ada, wes):
    by = Actor(user=ada)
    organizations.change_role(organization=lab, user=wes, role="read", expected="write", by=by)
    with pytest.raises(RoleHasChanged, match="it is read now"):
        organizations.change_role(organization=lab, user=wes, role="admin", expected="write", by=by)
    assert roles(lab)["wes"] == "read"
    before = trail()
    organizations.change_role(organization=lab, user=wes, role="read", expected="write", by=by)  # As it is anyway.
    assert trail() == before


def test_the_last_admin_neither_steps_down_nor_is_removed(lab, ada, wes):
    by = Actor(user=ada)
    with pytest.raises(LastAdmin):
        organizations.change_role(organization=lab, user=ada, role="read", by=by)
    with pytest.raises(LastAdmin):
        organizations.remove_member(organization=lab, user=ada, by=by)
    organizations.change_role(organization=lab, user=wes, role="admin", by=by)
    organizations.change_role(organization=lab, user=ada, role="read", by=by)
    assert roles(lab) == {"ada": "read", "wes": "admin"}


def test_a_changed_role_counts_on_the_next_request(lab, ada, wes, gated_repo):
    actor, by = Actor(user=wes), Actor(user=ada)
    assert policy.may(actor, Action.SETTINGS_CHANGE, gated_repo)
    organizations.change_role(organization=lab, user=wes, role="read", by=by)
    assert not policy.may(actor, Action.SETTINGS_CHANGE, gated_repo)
    assert not policy.may_create_in(actor, lab.namespace)
    assert policy.may(actor, Action.FILES_READ, gated_repo)
    organizations.remove_member(organization=lab, user=wes, by=by)
    assert not policy.may(actor, Action.FILES_READ, gated_repo)


def test_a_full_name_is_checked(lab, ada):
    with pytest.raises(InvalidFields):
        organizations.change_fullname(organization=lab, fullname="x" * 121, by=Actor(user=ada))
    organizations.change_fullname(organization=lab, fullname="", by=Actor(user=ada))
    lab.refresh_from_db()
    assert lab.display_name == "lab"


# --- Its end --------------------------------------------------------------------------------------------------------


def test_an_organization_with_repos_is_not_deleted(lab, ada, make_repo):
    for number in range(6):
        make_repo(f"lab/r{number}", by=ada, private=True, type_="dataset")
    with pytest.raises(HasRepos) as refused:
        organizations.delete(organization=lab, confirmation="lab", by=Actor(user=ada))
    assert "datasets/lab/r0, datasets/lab/r1" in refused.value.message
    assert refused.value.message.endswith("datasets/lab/r4 and more.")
    assert Organization.objects.filter(pk=lab.pk).exists()
    assert roles(lab) == {"ada": "admin"}


@pytest.mark.parametrize("confirmation", ["", "LAB", "lab ", "The Lab"])
def test_it_is_deleted_by_its_exact_name_alone(confirmation, lab, ada):
    with pytest.raises(BadRequest, match="Nothing was deleted"):
        organizations.delete(organization=lab, confirmation=confirmation, by=Actor(user=ada))
    assert Organization.objects.filter(pk=lab.pk).exists()


def test_a_deleted_organization_leaves_its_trail_and_a_free_name(lab, ada, wes, olu, make_repo):
    repo = make_repo("lab/moved", by=ada)
    repo_services.move_repo(repo, namespace=olu.namespace, name="moved", by=Actor(user=olu))
    scope = Scope("repo.write", namespace=lab.namespace)
    tokens.create(user=wes, name="ci", role="fine-grained", scopes=[scope], by=SYSTEM)
    assert RepoRedirect.objects.count() == 1

    organizations.delete(organization=lab, confirmation="lab", by=Actor(user=ada))
    event = AuditEvent.objects.first()
    assert (event.verb, event.actor, event.target) == ("organization:delete", "ada", "lab")
    assert event.before == {"fullname": "The Lab", "members": {"ada": "admin", "wes": "write"}}
    assert not Membership.objects.exists()
    assert not RepoRedirect.objects.exists()
    assert not TokenScope.objects.exists()
    assert AccessToken.objects.get().user == wes
    assert Repo.objects.get().repo_id == "olu/moved"
    assert accounts.create_organization(name="lab", admin=olu, by=SYSTEM).name == "lab"


def test_no_repo_goes_to_a_namespace_that_is_gone(lab, ada, make_repo):
    repo = make_repo("ada/stays", by=ada)
    gone = Namespace.objects.get(organization=lab)
    organizations.delete(organization=lab, confirmation="lab", by=Actor(user=ada))
    by = Actor(user=ada)
    for act in (
        lambda: repo_services.create_repo(type_="model", namespace=gone, name="new", private=False, by=by),
        lambda: repo_services.move_repo(repo, namespace=gone, name="stays", by=by),
    ):
        with pytest.raises(NotFound, match="no user or organization 'lab'"), transaction.atomic():
            act()


# --- Who could be added ---------------------------------------------------------------------------------------------


def test_people_are_found_by_parts_of_their_names_with_their_roles(lab, ada, wes, noor, sam):
    for part, person in (
        ("LOVE", ("ada", "admin", True)),
        ("quest", ("sam", "", False)),
        ("we", ("wes", "write", True)),
    ):
        found = selectors.people_to_add(lab, part)
        assert [(one.username, one.status, one.settled) for one in found.shown] == [person]
    assert selectors.people_to_add(lab, " \0 ") == selectors.People([], more=False)
    User.objects.filter(pk=noor.pk).update(is_active=False)
    assert selectors.people_to_add(lab, "noor") == selectors.People([], more=False)
