"""Organizations as such: their names, full names and last admins.  ada is the admin of lab; noor and sam join."""

from __future__ import annotations

import io

import pytest
from django.core.management import CommandError, call_command

from accounts import services
from accounts.actor import SYSTEM, Actor
from accounts.errors import InvalidFields
from accounts.models import AuditEvent, Namespace, Organization, User
from accounts.names import InvalidName
from accounts.services import LastAdmin, NameTaken

UNFIT = ["x" * 121, "a\0b", "a\x07b", "a\u202eb"]
"""Full names that nobody can have."""


def create(name: str, admin: User, **given: str) -> Organization:
    return services.create_organization(name=name, admin=admin, by=Actor(user=admin), **given)


def test_who_makes_an_organization_is_its_admin(ada):
    made = create("club", ada, fullname="  The \n Club ")
    assert (made.name, made.fullname) == ("club", "The Club")
    assert dict(made.memberships.values_list("user__username", "role")) == {"ada": "admin"}
    assert AuditEvent.objects.filter(verb="organization:create", target="club", actor="ada").count() == 1


@pytest.mark.parametrize("name", ["", "a", "x" * 43, "a b", "a/b", "é", "a\0b", "organizations", "New", "settings"])
def test_a_name_that_cannot_be_makes_no_organization(name, ada):
    with pytest.raises(InvalidName):
        create(name, ada)
    assert not Organization.objects.exists()


@pytest.mark.parametrize("name", ["lab", "LAB", "sam", "Sam"])
def test_a_taken_name_makes_no_organization(name, lab, ada, sam):
    with pytest.raises(NameTaken):
        create(name, ada)
    assert (Organization.objects.count(), Namespace.objects.filter(organization=lab).count()) == (1, 1)


@pytest.mark.parametrize("fullname", UNFIT)
def test_a_full_name_that_cannot_be_is_refused_by_name(fullname, lab, ada):
    before = AuditEvent.objects.count()
    with pytest.raises(InvalidFields) as refused:
        create("club", ada, fullname=fullname)
    assert list(refused.value.fields) == ["fullname"]
    with pytest.raises(InvalidFields):
        services.change_fullname(organization=lab, fullname=fullname, by=SYSTEM)
    with pytest.raises(InvalidFields):
        services.create_user(username="zoe", email="z@example.org", password="x", fullname=fullname, by=SYSTEM)
    assert (Organization.objects.count(), User.objects.count()) == (1, 1)
    assert AuditEvent.objects.count() == before


def test_a_full_name_of_120_characters_is_kept(lab, ada):
    assert create("club", ada, fullname="Ö" * 120).fullname == "Ö" * 120


def test_the_operator_is_told_of_an_unfit_full_name(ada):
    with pytest.raises(CommandError, match="at most 120 characters"):
        call_command("create_org", "club", "--admin", "ada", "--fullname", "x" * 121, stderr=io.StringIO())
    assert not Organization.objects.exists()


def test_a_changed_full_name_leaves_a_trail_and_the_same_one_none(lab, ada):
    services.change_fullname(organization=lab, fullname="New Lab", by=Actor(user=ada))
    services.change_fullname(organization=lab, fullname="New  Lab", by=Actor(user=ada))
    lab.refresh_from_db()
    assert lab.fullname == "New Lab"
    event = AuditEvent.objects.get(verb="organization:profile")
    assert (event.actor, event.target, event.before, event.after) == ("ada", "lab", "The Lab", "New Lab")


def test_an_admin_who_cannot_sign_in_does_not_count_as_one(lab, ada, noor):
    services.set_role(organization=lab, user=noor, role="admin", by=SYSTEM)
    User.objects.filter(pk=noor.pk).update(is_active=False)
    with pytest.raises(LastAdmin):
        services.remove_member(organization=lab, user=ada, by=SYSTEM)
    services.remove_member(organization=lab, user=noor, by=SYSTEM)
    assert lab.memberships.get().user == ada


def test_the_last_admin_is_told_what_to_do(lab, ada):
    with pytest.raises(LastAdmin) as refused:
        services.remove_member(organization=lab, user=ada, by=Actor(user=ada))
    assert refused.value.message == "ada is the last admin of lab, which keeps at least one admin."
    assert refused.value.next_step == "Make another member an admin first: {url}"
    assert refused.value.help_path == "/organizations/lab/members"
