"""The admin: staff see everything but secrets, and change little.  stef is a superuser."""

from __future__ import annotations

import pytest
from django.contrib import admin
from django.urls import reverse

from access import services, tokens
from access.models import AccessRequest, AccessToken
from accounts import services as accounts
from accounts.actor import SYSTEM, Actor
from accounts.models import AuditEvent, Membership, Organization, User
from repos.models import ConfirmationMail, GateForm, Repo
from tests.support.cast import ANSWERS, PASSWORD

OURS = [User, Organization, AuditEvent, Repo, AccessRequest, AccessToken]


@pytest.fixture
def stef(db):
    return accounts.create_user(
        username="stef", email="stef@example.org", password=PASSWORD, is_superuser=True, by=SYSTEM
    )


@pytest.fixture
def scene(gated_repo, sam):
    token, secret = tokens.create(user=sam, name="laptop", role="read", by=Actor(user=sam))
    services.ask(repo=gated_repo, answers=ANSWERS, by=Actor(user=sam))
    return secret, token


def address(model, what: str, *args: object) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{what}", args=args)


@pytest.mark.parametrize("model", OURS, ids=lambda model: model.__name__)
def test_lists_and_rows_are_shown_and_hold_no_secret(model, scene, stef, browser):
    secret, token = scene
    client = browser(stef)
    for path in (address(model, "changelist"), address(model, "change", model.objects.first().pk)):
        answer = client.get(path, {"q": "a"} if "change/" not in path else None)
        assert answer.status_code == 200, path
        page = answer.content.decode()
        assert secret not in page
        assert token.sha256 not in page


@pytest.mark.parametrize("model", OURS, ids=lambda model: model.__name__)
def test_nothing_is_added_or_deleted_there(model, scene, stef, browser):
    client = browser(stef)
    assert client.get(address(model, "add")).status_code == 403
    assert client.post(address(model, "delete", model.objects.first().pk), {"post": "yes"}).status_code == 403


@pytest.mark.parametrize(
    "model", [Organization, AuditEvent, Repo, AccessRequest, AccessToken], ids=lambda model: model.__name__
)
def test_states_are_not_edited_there(model, scene, stef, browser):
    before = model.objects.values().first()
    assert browser(stef).post(address(model, "change", before["id"]), {"status": "accepted"}).status_code == 403
    assert model.objects.values().get(pk=before["id"]) == before


def test_rights_of_a_person_leave_a_trail(sam, stef, browser):
    form = {"is_active": "on", "is_staff": "on", "fullname": "Sam Requester", "username": "root", "email": "x@y.zz"}
    assert browser(stef).post(address(User, "change", sam.pk), form).status_code == 302
    sam.refresh_from_db()
    assert (sam.is_staff, sam.username, sam.email) == (True, "sam", "sam@example.org")
    event = AuditEvent.objects.get(verb="user:rights")
    assert (event.actor, event.target, event.after["is_staff"]) == ("stef", "sam", True)


def test_staff_without_permissions_see_nothing(scene, sam, browser):
    sam.is_staff = True
    sam.save()
    for model in OURS:
        assert browser(sam).get(address(model, "changelist")).status_code == 403


def test_who_is_no_staff_is_sent_away(scene, sam, browser):
    assert browser(sam).get(address(User, "changelist")).status_code == 302


def test_every_table_of_ours_is_shown_or_part_of_one_that_is():
    assert {model for model in admin.site._registry if model.__module__.split(".")[0] in {"accounts", "repos"}} == {
        User,
        Organization,
        Membership,
        AuditEvent,
        Repo,
        GateForm,
        ConfirmationMail,
    }
