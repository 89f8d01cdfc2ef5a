"""Each model that the admin lets staff add, change or delete leaves a row in the audit trail.  stef is a superuser."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group
from django.urls import reverse
from django_celery_beat.models import ClockedSchedule, CrontabSchedule, IntervalSchedule, PeriodicTask, SolarSchedule

from accounts.audit import AuditEvent
from accounts.models import User
from accounts.staff import StaffAdmin
from repos.models import Repo

CRON = {"minute": "5", "hour": "4", "day_of_week": "*", "day_of_month": "*", "month_of_year": "*", "timezone": "UTC"}
FORMS: dict[type, tuple[dict[str, Any], dict[str, Any]]] = {
    # What is sent to add a row, and then to change it.
    Group: ({"name": "one"}, {"name": "two"}),
    IntervalSchedule: ({"every": "5", "period": "hours"}, {"every": "6", "period": "hours"}),
    CrontabSchedule: (CRON, CRON | {"hour": "7"}),
    ClockedSchedule: (
        {"clocked_time_0": "2030-01-01", "clocked_time_1": "10:00"},
        {"clocked_time_0": "2030-01-02", "clocked_time_1": "10:00"},
    ),
    SolarSchedule: (
        {"event": "sunset", "latitude": "1", "longitude": "2"},
        {"event": "sunrise", "latitude": "1", "longitude": "2"},
    ),
    PeriodicTask: (
        {"name": "one", "regtask": "", "task": "repos.tasks.sweep_leftovers", "enabled": "on", "args": "[]",
         "kwargs": "{}", "headers": "{}", "description": ""},
        {"name": "two", "regtask": "", "task": "repos.tasks.sweep_leftovers", "enabled": "on", "args": "[]",
         "kwargs": "{}", "headers": "{}", "description": ""},
    ),
}  # fmt: skip
NO_TASKS = {"periodictask_set-TOTAL_FORMS": "0", "periodictask_set-INITIAL_FORMS": "0"}
"""Schedules show which tasks have them."""
BY_SERVICES = {User, Repo}
"""Changed through services of their own, which leave rows with verbs of their own: see the tests of these pages."""


@pytest.fixture
def client(browser, make_staff):
    return browser(make_staff("stef", superuser=True))


def _changes_anything(page: Any, request: Any) -> bool:
    return any(getattr(page, f"has_{act}_permission")(request) for act in ("add", "change", "delete"))


def test_no_model_that_may_be_changed_is_forgotten(client, rf, make_staff):
    request = rf.get("/")
    request.user = make_staff("root-of-all", superuser=True)
    changed = {model for model, page in admin.site._registry.items() if _changes_anything(page, request)}
    assert changed - BY_SERVICES <= set(FORMS), "tell what a form sends, so that its trail is tested"
    assert all(isinstance(page, StaffAdmin) for page in admin.site._registry.values())


@pytest.mark.parametrize("model", FORMS, ids=lambda model: model.__name__)
def test_adding_changing_and_deleting_leave_a_row_each(model, client):
    name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
    first, second = (NO_TASKS | form for form in FORMS[model])
    if model is PeriodicTask:
        every = IntervalSchedule.objects.create(every=7, period="days")
        first, second = first | {"interval": every.pk}, second | {"interval": every.pk}
    there = set(model.objects.values_list("pk", flat=True))
    assert client.post(reverse(f"{name}_add"), first).status_code == 302
    [key] = set(model.objects.values_list("pk", flat=True)) - there
    assert client.post(reverse(f"{name}_change", args=[key]), second).status_code == 302
    assert client.post(reverse(f"{name}_delete", args=[key]), {"post": "yes"}).status_code == 302
    added, changed, deleted = AuditEvent.objects.filter(verb__startswith="admin:").order_by("pk")
    assert [event.verb for event in (added, changed, deleted)] == ["admin:add", "admin:change", "admin:delete"]
    for event in (added, changed, deleted):
        assert (event.actor, event.entrance, event.address) == ("stef", "admin", "127.0.0.1")
        assert event.target.startswith(model._meta.label_lower)
    assert (added.before, deleted.after) == (None, None)
    assert added.after
    assert deleted.before
    assert changed.before != changed.after
    assert json.dumps(changed.before) != json.dumps(None)
