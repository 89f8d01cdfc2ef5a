"""The groups that come ready-made, and what they may do."""

from __future__ import annotations

import pytest
from django.apps import apps
from django.contrib.auth.models import Group, Permission
from django.core.management import call_command
from django.db.models.signals import post_migrate, pre_migrate

from gatehub.staff import groups


def migrate() -> None:
    """What `migrate` announces when there is nothing to do."""
    for signal in (pre_migrate, post_migrate):
        for config in apps.get_app_configs():
            if config.models_module is not None:
                signal.send(
                    sender=config,
                    app_config=config,
                    verbosity=0,
                    interactive=False,
                    using="default",
                    plan=[],
                    apps=apps,
                )


def held(name: str) -> set[str]:
    rows = Group.objects.get(name=name).permissions.select_related("content_type")
    return {f"{row.content_type.app_label}.{row.codename}" for row in rows}


def test_every_permission_that_is_named_exists(db):
    assert groups.missing() == set()


@pytest.mark.parametrize("name", ["reviewer", "auditor", "operator"])
def test_each_group_is_there_and_holds_what_is_named(db, name):
    assert held(name) == groups.GROUPS[name]


def test_auditors_change_nothing_and_see_no_secrets():
    acts = {name.partition(".")[2].partition("_")[0] for name in groups.GROUPS["auditor"]}
    assert acts == {"view", "export"}
    assert not {name for name in groups.GROUPS["auditor"] if "authenticator" in name or "session" in name}


def test_operators_do_not_review_and_reviewers_change_nothing_else():
    assert "access.review_accessrequest" not in groups.GROUPS["operator"]
    assert "access.export_accessrequest" not in groups.GROUPS["operator"]
    acts = {name for name in groups.GROUPS["reviewer"] if ".view_" not in name}
    assert acts == {"access.review_accessrequest", "access.export_accessrequest"}


def test_no_group_gives_rights_to_others():
    """Who may change groups, or permissions, could give themselves everything."""
    named = set().union(*groups.GROUPS.values())
    assert {name for name in named if name.startswith("auth.")} == {"auth.view_group"}


def test_what_an_operator_of_the_server_chose_stays_over_migrate(db):
    group = Group.objects.get(name="reviewer")
    added = Permission.objects.get(codename="view_delivery")
    taken = Permission.objects.get(codename="export_accessrequest")
    group.permissions.add(added)
    group.permissions.remove(taken)
    migrate()
    assert added in group.permissions.all()
    assert taken not in group.permissions.all()


def test_a_group_that_was_deleted_comes_back_whole(db):
    Group.objects.filter(name="auditor").delete()
    migrate()
    assert held("auditor") == groups.GROUPS["auditor"]


def test_a_permission_that_is_new_is_given(db):
    """As by a version that brings one."""
    Permission.objects.get(codename="export_accessrequest").delete()
    assert "access.export_accessrequest" not in held("reviewer")
    migrate()
    assert held("reviewer") == groups.GROUPS["reviewer"]


def test_the_command_puts_a_new_person_into_groups(db, capsys):
    from accounts.models import AuditEvent, User

    said = ["rita", "--email", "rita@example.org", "--password", "correct-horse-battery"]
    call_command("create_user", *said, "--staff", "--group", "reviewer", "--group", "auditor")
    rita = User.objects.get(username="rita")
    assert (rita.is_staff, rita.is_superuser) == (True, False)
    assert set(rita.groups.values_list("name", flat=True)) == {"reviewer", "auditor"}
    assert rita.has_perm("access.review_accessrequest")
    assert AuditEvent.objects.get(verb="user:rights").after["groups"] == ["auditor", "reviewer"]


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (["--staff", "--group", "reviewers"], "There is no group 'reviewers'"),
        (["--group", "reviewer"], "needs --staff"),
    ],
)
def test_the_command_makes_nobody_when_the_group_is_wrong(db, more, says):
    from django.core.management import CommandError

    from accounts.models import User

    with pytest.raises(CommandError, match=says):
        call_command("create_user", "rita", "--email", "r@example.org", "--password", "correct-horse-battery", *more)
    assert not User.objects.exists()
