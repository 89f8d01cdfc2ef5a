"""People and memberships.  ada is the admin of lab; noor and sam come and go."""

from __future__ import annotations

import pytest
from allauth.account.models import EmailAddress
from django.db import IntegrityError, transaction

from accounts import services
from accounts.actor import SYSTEM, Actor
from accounts.errors import BadRequest, InvalidFields, NotFound
from accounts.models import AuditEvent, Membership, Namespace, User
from accounts.names import InvalidName
from accounts.services import AddressTaken, LastAdmin
from tests.support.cast import PASSWORD


def roles(organization) -> dict[str, str]:
    return dict(organization.memberships.values_list("user__username", "role"))


def set_role(lab, user, role):
    return services.set_role(organization=lab, user=user, role=role, by=SYSTEM)


def test_the_operator_vouches_for_the_address(ada):
    assert ada.has_verified_address
    assert ada.check_password(PASSWORD)
    assert (ada.is_staff, ada.is_superuser) == (False, False)
    assert ada.namespace.name == "ada"
    assert AuditEvent.objects.filter(verb="user:create", target="ada").count() == 1


@pytest.mark.parametrize(
    ("primary", "known", "verified", "expected"),
    [
        ("a_b@example.org", "a_b@example.org", True, True),
        ("a_b@example.org", "A_B@Example.ORG", True, True),
        ("a_b@example.org", "a_b@example.org", False, False),
        ("a_b@example.org", "axb@example.org", True, False),
        ("%@example.org", "anybody@example.org", True, False),
        ("a_b@example.org", "", True, False),
    ],
)
def test_an_address_is_verified_letter_for_letter_whatever_its_case(sam, noor, primary, known, verified, expected):
    # Somebody else's says nothing; verified, it is one person's only.
    EmailAddress.objects.filter(user=noor).update(email=primary, verified=not expected)
    EmailAddress.objects.filter(user=sam).update(email=known, verified=verified)
    sam.email = primary
    assert sam.has_verified_address is expected


@pytest.mark.parametrize(
    ("changed", "field"),
    [({"email": "nonsense"}, "email"), ({"email": ""}, "email"), ({"password": ""}, "password")],
)
def test_a_bad_address_or_no_password_makes_no_account(changed, field, db):
    wanted = {"username": "newcomer", "email": "new@example.org", "password": PASSWORD} | changed
    with pytest.raises(InvalidFields) as refused:
        services.create_user(**wanted, by=SYSTEM)
    assert list(refused.value.fields) == [field]
    assert not User.objects.exists()
    assert not Namespace.objects.exists()


def test_one_address_one_account(ada):
    with pytest.raises(AddressTaken):
        services.create_user(username="other", email="ADA@example.org", password=PASSWORD, by=SYSTEM)
    assert User.objects.count() == 1


def test_a_bad_name_makes_no_account(db):
    with pytest.raises(InvalidName):
        services.create_user(username="a/b", email="ab@example.org", password=PASSWORD, by=SYSTEM)
    assert not User.objects.exists()
    assert not EmailAddress.objects.exists()


def test_an_unknown_name_is_nobody(ada, lab):
    for name in ("nobody", "lab", ""):
        with pytest.raises(NotFound, match="User not found"):
            services.get_user(name)
    for name in ("nothing", "ada", ""):
        with pytest.raises(NotFound, match="Organization not found"):
            services.get_organization(name)


# --- Memberships ----------------------------------------------------------------------------------------------------


def test_an_organization_begins_with_its_admin(lab, ada):
    assert roles(lab) == {"ada": "admin"}


def test_a_role_is_given_and_changed_and_each_leaves_a_trail(lab, noor):
    joined = set_role(lab, noor, "read")
    changed = set_role(lab, noor, "write")
    assert roles(lab)["noor"] == "write"
    assert changed.joined_at == joined.joined_at
    assert changed.role_since >= joined.role_since
    events = AuditEvent.objects.filter(verb="membership:set_role", target="noor in lab").order_by("pk")
    assert list(events.values_list("before", "after")) == [(None, "read"), ("read", "write")]


def test_the_same_role_again_is_no_change(lab, noor):
    set_role(lab, noor, "read")
    before = AuditEvent.objects.count()
    set_role(lab, noor, "read")
    assert AuditEvent.objects.count() == before


@pytest.mark.parametrize("role", ["", "owner", "Admin", None])
def test_there_are_four_roles(role, lab, noor):
    with pytest.raises(BadRequest, match="read, contributor, write, admin"):
        set_role(lab, noor, role)
    assert "noor" not in roles(lab)


def test_the_last_admin_stays(lab, ada, noor):
    with pytest.raises(LastAdmin):
        set_role(lab, ada, "write")
    with pytest.raises(LastAdmin):
        services.remove_member(organization=lab, user=ada, by=SYSTEM)
    assert roles(lab) == {"ada": "admin"}
    set_role(lab, noor, "admin")
    set_role(lab, ada, "write")
    with pytest.raises(LastAdmin):
        services.remove_member(organization=lab, user=noor, by=SYSTEM)


def test_a_member_leaves_and_is_none_any_more(lab, ada, noor):
    set_role(lab, noor, "contributor")
    services.remove_member(organization=lab, user=noor, by=Actor(user=ada))
    assert roles(lab) == {"ada": "admin"}
    event = AuditEvent.objects.get(verb="membership:remove")
    assert (event.actor, event.target, event.before) == ("ada", "noor in lab", "contributor")
    with pytest.raises(NotFound):
        services.remove_member(organization=lab, user=noor, by=Actor(user=ada))


def test_the_database_keeps_one_membership_per_person_and_four_roles(lab, ada):
    with pytest.raises(IntegrityError), transaction.atomic():
        Membership.objects.create(organization=lab, user=ada, role="read")
    with pytest.raises(IntegrityError), transaction.atomic():
        Membership.objects.update(role="owner")
