"""The person of a session, held against what Django's own backend says."""

from __future__ import annotations

import pytest
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY
from django.contrib.auth.backends import ModelBackend

from accounts.backends import Backend
from accounts.models import User

both = pytest.mark.parametrize("database", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
pytestmark = pytest.mark.django_db


@both
def test_it_is_the_person_that_djangos_backend_finds(database, sam, django_assert_num_queries):
    with django_assert_num_queries(1):
        found = Backend().get_user(sam.pk)
    expected = ModelBackend().get_user(sam.pk)
    assert found == expected
    fields = [field.attname for field in User._meta.concrete_fields]
    assert {name: getattr(found, name) for name in fields} == {name: getattr(expected, name) for name in fields}
    assert found.get_deferred_fields() == set()
    assert found.get_session_auth_hash() == expected.get_session_auth_hash()


@both
def test_a_closed_account_is_nobody(database, sam):
    User.objects.filter(pk=sam.pk).update(is_active=False)
    assert Backend().get_user(sam.pk) is None


@both
def test_an_account_that_is_gone_is_nobody(database, sam):
    key = sam.pk
    User.objects.filter(pk=key).delete()
    assert Backend().get_user(key) is None


def test_a_change_counts_at_once(sam):
    assert Backend().get_user(sam.pk).email == sam.email
    User.objects.filter(pk=sam.pk).update(email="sam@new.example.org")
    assert Backend().get_user(sam.pk).email == "sam@new.example.org"


def test_it_is_the_only_way_to_sign_in(client, sam):
    assert settings.AUTHENTICATION_BACKENDS == ["accounts.backends.Backend"]
    client.force_login(sam)
    assert client.session[BACKEND_SESSION_KEY] == "accounts.backends.Backend"
    assert client.get("/settings/profile").status_code == 200


def test_a_session_of_another_backend_is_a_strangers(client, sam):
    client.force_login(sam, backend="django.contrib.auth.backends.ModelBackend")
    assert client.get("/settings/profile").status_code == 302
