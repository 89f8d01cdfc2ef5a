"""The groups that come ready-made: reviewer, auditor, operator.

A permission named here is given to its group when the group is new, or when the permission is: so a new version adds
what it needs, and what an operator added or took away by hand stays so.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.apps import AppConfig, apps
from django.contrib.auth.models import Group, Permission
from django.db import connections
from django.db.models.signals import post_migrate, pre_migrate

_VIEWS_OF_REQUESTS = {
    "repos.view_repo",
    "access.view_accessrequest",
    "accounts.view_user",
    "accounts.view_organization",
    "accounts.view_membership",
}
_VIEWS_OF_WORK = {
    "access.view_accesstoken",
    "access.view_bulkreview",
    "auth.view_group",
    "notifications.view_delivery",
    "notifications.view_outboxmessage",
    "notifications.view_addressproblem",
}
_SCHEDULES = ("clockedschedule", "crontabschedule", "intervalschedule", "periodictask", "solarschedule")

GROUPS: dict[str, set[str]] = {
    # Decides about access requests, and takes their answers home.
    "reviewer": _VIEWS_OF_REQUESTS | {"access.review_accessrequest", "access.export_accessrequest"},
    # Sees everything but secrets, and changes nothing.
    "auditor": _VIEWS_OF_REQUESTS
    | _VIEWS_OF_WORK
    | {f"django_celery_beat.view_{name}" for name in _SCHEDULES}
    | {
        "accounts.view_auditevent",
        "accounts.export_auditevent",
        "accounts.view_auditaddress",
        "access.export_accessrequest",
    },
    # Keeps the server going: closes accounts, disables repos, revokes tokens, sends mails again, sets schedules.
    "operator": _VIEWS_OF_REQUESTS
    | _VIEWS_OF_WORK
    | {f"django_celery_beat.{act}_{name}" for act in ("view", "add", "change", "delete") for name in _SCHEDULES}
    | {
        "accounts.change_user",
        "accounts.change_organization",
        "repos.change_repo",
        "access.revoke_accesstoken",
        "notifications.change_delivery",
        "notifications.change_addressproblem",
        "notifications.delete_addressproblem",
    },
}

_known: dict[str, set[int]] = {}
"""By database, the permissions that were there before this `migrate`."""


def listen() -> None:
    pre_migrate.connect(_remember, dispatch_uid="gatehub.staff.groups")
    post_migrate.connect(_make, dispatch_uid="gatehub.staff.groups")


def _remember(using: str, **_: Any) -> None:
    if using in _known:
        return
    there = Permission._meta.db_table in connections[using].introspection.table_names()
    _known[using] = set(Permission.objects.using(using).values_list("pk", flat=True)) if there else set()


def _make(sender: AppConfig, using: str, **_: Any) -> None:
    """After each app's turn come its permissions, so the groups are made after the last."""
    if sender != _last_app():
        return
    before = _known.pop(using, set())
    give(using, {one.pk for one in Permission.objects.using(using).all()} - before)


def _last_app() -> AppConfig:
    return [app for app in apps.get_app_configs() if app.models_module is not None][-1]


def give(using: str, new: set[int]) -> None:
    """`new` are the keys of permissions that were not there before."""
    found = _permissions(using, set().union(*GROUPS.values()))
    for name, named in GROUPS.items():
        group, made = Group.objects.using(using).get_or_create(name=name)
        group.permissions.add(*(found[one] for one in named if one in found and (made or found[one].pk in new)))


def _permissions(using: str, named: Iterable[str]) -> dict[str, Permission]:
    codenames = {name.partition(".")[2] for name in named}
    rows = Permission.objects.using(using).filter(codename__in=codenames).select_related("content_type")
    return {f"{row.content_type.app_label}.{row.codename}": row for row in rows}


def missing(using: str = "default") -> set[str]:
    """Those named above that no model has: a mistyped one would give nothing, and nobody would see it."""
    named = set().union(*GROUPS.values())
    return named - set(_permissions(using, named))
