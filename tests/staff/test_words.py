"""What the admin calls things: one name for each, dates as everywhere, no code.  stef is a superuser."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from allauth.socialaccount.models import SocialAccount
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import Group, Permission
from django.urls import reverse

from access.models import BulkReview
from accounts.actor import Actor, Entrance
from accounts.models import AuditEvent
from gatehub.staff import navigation
from notifications.models import Delivery, OutboxMessage
from repos.models import Repo
from tests.web.pages import soup, words


@pytest.fixture
def stef(make_staff):
    return make_staff("stef", superuser=True)


@pytest.fixture
def shown(stef, browser):
    """`shown("repos_repo")`: the page of that list; with a key, that of the row."""

    def get(model: str, key: object = None, **query: str):
        what = f"admin:{model}_changelist" if key is None else f"admin:{model}_change"
        answer = browser(stef).get(reverse(what, args=[] if key is None else [key]), query)
        assert answer.status_code == 200
        return soup(answer)

    return get


def labels(page) -> set[str]:
    return {words(label) for label in page.select("#content label, #result_list thead .text")}


def test_each_model_of_the_admin_has_a_name_in_the_sidebar():
    assert {model._meta.label_lower for model in admin.site._registry} == set(navigation.NAMES)


@pytest.mark.parametrize("label", navigation.NAMES)
def test_a_list_is_called_what_the_sidebar_calls_it(label, shown):
    page = shown(apps.get_model(label)._meta.label_lower.replace(".", "_"))
    assert words(page.h1) == navigation.NAMES[label]
    assert words(page.title) == f"{navigation.NAMES[label]} | GateHub"


def test_the_heading_of_a_row_leads_back_to_its_list(sam, shown):
    page = shown("accounts_user", sam.pk)
    assert [(words(part), part["href"]) for part in page.select("h1 a")] == [
        ("People", "/admin/accounts/user/"),
        ("sam", f"/admin/accounts/user/{sam.pk}/change/"),
    ]


def test_dates_are_told_as_on_all_other_pages(gated_repo, shown):
    Repo.objects.update(last_modified=datetime(2026, 2, 3, 16, 5, tzinfo=UTC))
    assert words(shown("repos_repo").select_one(".field-last_modified")) == "3 Feb 2026, 16:05"


def test_short_forms_have_their_capitals(gated_repo, sam, shown):
    assert "EU disallowed" in labels(shown("repos_gateform"))
    assert "EU disallowed" in labels(shown("repos_gateform", gated_repo.gate_form_id))
    assert "By EU disallowed" in words(shown("repos_gateform").select_one("#content"))
    identity = SocialAccount.objects.create(user=sam, provider="github", uid="7")
    assert "UID" in labels(shown("socialaccount_socialaccount", identity.pk))


def test_the_trail_calls_entrances_by_their_names(shown):
    AuditEvent.record(by=Actor(entrance=Entrance.API), verb="repo:create", target="lab/a")
    AuditEvent.record(by=Actor(entrance=Entrance.GIT), verb="repo:push", target="lab/a")
    assert [words(cell) for cell in shown("accounts_auditevent").select("td.field-came_by")] == ["Git", "API", "System"]
    page = shown("accounts_auditevent", entrance__exact="api")
    assert [words(cell) for cell in page.select("td.field-came_by")] == ["API"]


def test_no_help_text_shows_code(gated_repo, shown):
    said = words(shown("repos_repo", gated_repo.pk).select_one("#content"))
    assert "`" not in said
    assert "Mails go there once whoever reads it has agreed." in said


def test_large_numbers_are_written_alike(gated_repo, ada, shown):
    review = BulkReview.objects.create(repo=gated_repo, by=ada, chosen={}, status="rejected", total=1400, decided=1020)
    row = words(shown("access_bulkreview").select_one("#result_list tbody"))
    assert "1,400 to be rejected" in row
    assert "1,020 of 1,400" in row
    assert words(shown("access_bulkreview", review.pk).title).startswith("1,400 to be rejected")


def test_a_list_without_rows_says_so_plainly(gated_repo, shown):
    page = shown("repos_repo", q="nothing")
    assert words(page.select_one(".staff-empty p")) == "Nothing here matches the search and the filters."
    assert page.select_one('.staff-empty a[href="?"]')
    assert words(shown("notifications_optout").select_one(".staff-empty p")) == "There is nothing here yet."


def test_cells_that_have_nothing_say_so(sam, shown):
    message = OutboxMessage.objects.create(kind="account", state="dispatched")
    Delivery.objects.create(message=message, kind="account", user=sam, address="sam@example.org")
    page = shown("notifications_delivery")
    assert [words(page.select_one(f"td.field-{name}")) for name in ("repo", "fault")] == ["-", "-"]


def test_what_a_group_loses_with_it_is_told_in_numbers(stef, sam, browser):
    group = Group.objects.create(name="helpers")
    group.permissions.set(Permission.objects.filter(content_type__app_label="access"))
    sam.groups.add(group)
    client, path = browser(stef), reverse("admin:auth_group_delete", args=[group.pk])
    said = words(soup(client.get(path)).select_one("#content"))
    assert f"Permissions given by them: {group.permissions.count()}" in said
    assert "Memberships of people: 1" in said
    assert "object (" not in said
    client.post(path, {"post": "yes"})
    assert not Group.objects.filter(name="helpers").exists()
    assert AuditEvent.objects.filter(verb="admin:delete", actor="stef").exists()


def test_what_a_person_may_do_has_a_heading(sam, shown):
    headings = {words(heading) for heading in shown("accounts_user", sam.pk).select("#content h2")}
    assert {"Permissions", "Dates"} <= headings
