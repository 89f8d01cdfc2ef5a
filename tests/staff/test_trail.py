"""What Django's own forms change in the admin is in the audit trail, as it was and as it is.  stef is a superuser."""

from __future__ import annotations

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, Permission
from django.urls import reverse
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from accounts.models import AuditEvent, User
from tests.web.pages import soup

NEW_PASSWORD = "another-horse-battery"


@pytest.fixture
def stef(make_staff):
    return make_staff("stef", superuser=True)


@pytest.fixture
def client(browser, stef):
    return browser(stef)


def address(model, what: str, *args: object) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{what}", args=args)


def acts() -> list[AuditEvent]:
    return list(AuditEvent.objects.filter(verb__startswith="admin:").order_by("pk"))


def permission(codename: str) -> Permission:
    return Permission.objects.get(codename=codename)


def test_adding_changing_and_deleting(client):
    view, review = permission("view_accessrequest"), permission("review_accessrequest")
    assert client.post(address(Group, "add"), {"name": "readers", "permissions": [view.pk]}).status_code == 302
    group = Group.objects.get(name="readers")
    form = {"name": "deciders", "permissions": [view.pk, review.pk]}
    assert client.post(address(Group, "change", group.pk), form).status_code == 302
    assert client.post(address(Group, "delete", group.pk), {"post": "yes"}).status_code == 302
    added, changed, deleted = acts()
    assert (added.verb, added.target, added.before) == ("admin:add", "auth.group readers", None)
    assert added.after["name"] == "readers"
    assert added.after["permissions"] == [str(view)]
    assert (changed.verb, changed.target) == ("admin:change", "auth.group deciders")
    assert changed.before == {"name": "readers", "permissions": [str(view)]}
    assert changed.after == {"name": "deciders", "permissions": sorted([str(view), str(review)])}
    assert (deleted.verb, deleted.target, deleted.after) == ("admin:delete", "auth.group deciders", None)
    assert deleted.before["name"] == "deciders"
    for event in (added, changed, deleted):
        assert (event.actor, event.entrance, event.address) == ("stef", "admin", "127.0.0.1")


def test_deleting_several_leaves_a_row_for_each(client):
    groups = [Group.objects.create(name=name) for name in ("one", "two")]
    form = {"action": "delete_selected", "_selected_action": [group.pk for group in groups], "post": "yes"}
    assert client.post(address(Group, "changelist"), form).status_code == 302
    assert sorted(event.target for event in acts()) == ["auth.group one", "auth.group two"]
    assert {event.verb for event in acts()} == {"admin:delete"}


def test_a_form_sent_as_it_was_leaves_nothing(client):
    group = Group.objects.create(name="same")
    assert client.post(address(Group, "change", group.pk), {"name": "same"}).status_code == 302
    assert acts() == []


def test_what_is_refused_leaves_nothing(client):
    Group.objects.create(name="taken")
    group = Group.objects.create(name="free")
    answer = client.post(address(Group, "change", group.pk), {"name": "taken"})
    assert answer.status_code == 200
    assert soup(answer).select(".errornote, .errorlist")
    assert acts() == []
    assert Group.objects.get(pk=group.pk).name == "free"


def test_only_the_fields_that_changed_are_told(client):
    every, seldom = (IntervalSchedule.objects.create(every=number, period="seconds") for number in (60, 3600))
    task = PeriodicTask.objects.create(name="sweep", task="repos.tasks.sweep_leftovers", interval=every)
    form = {"name": task.name, "regtask": "", "task": task.task, "interval": seldom.pk, "enabled": "on", "args": "[]",
            "kwargs": "{}", "headers": "{}", "description": ""}  # fmt: skip
    assert client.post(address(PeriodicTask, "change", task.pk), form).status_code == 302
    [event] = acts()
    before = {name: value for name, value in event.before.items() if name != "date_changed"}
    after = {name: value for name, value in event.after.items() if name != "date_changed"}
    assert (before, after) == ({"interval": str(every.pk)}, {"interval": str(seldom.pk)})


def test_a_password_is_never_told(client, sam):
    old = sam.password
    form = {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD, "usable_password": "true"}
    answer = client.post(reverse("admin:auth_user_password_change", args=[sam.pk]), form)
    assert answer.status_code == 302
    new = User.objects.get(pk=sam.pk).password
    assert new != old
    told = "".join(f"{event} {event.before} {event.after}" for event in AuditEvent.objects.all())
    for secret in (old, new, NEW_PASSWORD):
        assert secret not in told


def test_djangos_own_log_stays_empty(client):
    client.post(address(Group, "add"), {"name": "readers"})
    client.post(address(Group, "delete", Group.objects.get(name="readers").pk), {"post": "yes"})
    assert len(acts()) == 2
    assert not LogEntry.objects.exists()
