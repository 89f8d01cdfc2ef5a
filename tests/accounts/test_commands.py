"""The operator's commands: create_user, create_org, add_member, create_token."""

from __future__ import annotations

import io

import pytest
from django.core.management import CommandError, call_command

from access import tokens
from access.models import AccessToken
from accounts import services
from accounts.models import AuditEvent, Organization, User
from tests.support.cast import PASSWORD


def run(*arguments: str) -> tuple[str, str]:
    """What the command says on standard output, and on standard error."""
    out, err = io.StringIO(), io.StringIO()
    call_command(*arguments, stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


def create_user(name: str, *options: str) -> tuple[str, str]:
    return run("create_user", name, "--email", f"{name}@example.org", "--password", PASSWORD, *options)


def test_create_user_makes_a_person_who_can_sign_in(client, db):
    out, err = create_user("zoe", "--fullname", "Zoe Zimmer")
    assert (out, err) == ("", "Created zoe.\n")
    zoe = User.objects.get()
    assert (zoe.fullname, zoe.has_verified_address, zoe.is_staff, zoe.is_superuser) == (
        "Zoe Zimmer",
        True,
        False,
        False,
    )
    assert client.post("/login", {"login": "zoe", "password": PASSWORD}).status_code == 302
    assert client.session["_auth_user_id"] == str(zoe.pk)


@pytest.mark.parametrize(("option", "rights"), [("--staff", (True, False)), ("--superuser", (True, True))])
def test_create_user_makes_staff(option, rights, db):
    create_user("zoe", option)
    assert User.objects.values_list("is_staff", "is_superuser").get() == rights


@pytest.mark.parametrize("name", ["api", "a", "a/b", "é", "x" * 2000])
def test_a_bad_name_is_told_in_one_line(name, db):
    with pytest.raises(CommandError) as refused:
        run("create_user", name, "--email", "a@example.org", "--password", PASSWORD)
    assert "\n" not in str(refused.value)
    assert not User.objects.exists()


def test_a_taken_name_and_an_empty_password_are_told(ada):
    with pytest.raises(CommandError, match="taken"):
        create_user("ADA")
    with pytest.raises(CommandError, match="password"):
        run("create_user", "zoe", "--email", "zoe@example.org", "--password", "")
    assert User.objects.count() == 1


def test_a_weak_password_is_the_operators_choice_and_is_told(db):
    _, err = run("create_user", "zoe", "--email", "zoe@example.org", "--password", "zoe")
    assert "Warning: the password is weak." in err
    assert User.objects.get().check_password("zoe")


def test_create_org_and_add_member(ada, noor):
    assert run("create_org", "lab", "--admin", "ada") == ("", "Created lab, with ada as its admin.\n")
    assert run("add_member", "lab", "noor", "--role", "write") == ("", "noor is now write in lab.\n")
    members = Organization.objects.get().memberships.values_list("user__username", "role")
    assert dict(members) == {"ada": "admin", "noor": "write"}
    assert AuditEvent.objects.filter(entrance="system", verb="membership:set_role").count() == 2


@pytest.mark.parametrize(
    "arguments",
    [
        ["create_org", "lab", "--admin", "nobody"],
        ["create_org", "ada", "--admin", "ada"],
        ["create_org", "api", "--admin", "ada"],
        ["add_member", "nothing", "ada", "--role", "read"],
        ["create_token", "nobody", "--name", "ci", "--role", "read"],
        ["create_token", "ada", "--name", "", "--role", "read"],
    ],
)
def test_what_cannot_be_is_refused_and_changes_nothing(arguments, ada):
    before = AuditEvent.objects.count()
    with pytest.raises(CommandError):
        run(*arguments)
    assert (Organization.objects.count(), AccessToken.objects.count()) == (0, 0)
    assert AuditEvent.objects.count() == before


@pytest.mark.parametrize("role", ["owner", "fine-grained", "admin"])
def test_create_token_makes_read_and_write_tokens_only(role, ada):
    with pytest.raises(CommandError):
        run("create_token", "ada", "--name", "ci", "--role", role)


def test_the_last_admin_cannot_be_demoted_by_command(lab, ada):
    with pytest.raises(CommandError, match="at least one admin"):
        run("add_member", "lab", "ada", "--role", "read")
    assert lab.memberships.get().role == "admin"


def test_create_token_prints_the_token_alone_on_standard_output(ada):
    out, err = run("create_token", "ada", "--name", "ci", "--role", "read")
    assert out.endswith("\n")
    assert err == ""
    token = tokens.authenticate(out.strip())
    assert (token.user, token.name, token.role) == (ada, "ci", "read")
    with pytest.raises(CommandError, match="already"):
        run("create_token", "ada", "--name", "ci", "--role", "read")


def test_commands_find_people_in_any_case(ada):
    run("create_token", "ADA", "--name", "ci", "--role", "write")
    assert services.get_user("ada").access_tokens.count() == 1
