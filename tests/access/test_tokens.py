"""User access tokens: sam makes some and shows them."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from access import tokens
from access.errors import InvalidCredentials
from access.models import AccessToken, TokenScope
from access.tokens import Scope, TokenNameTaken
from accounts.actor import SYSTEM, Actor
from accounts.errors import InvalidFields, NotFound
from accounts.models import AuditEvent

SHAPE = re.compile(r"gate_[0-9A-Za-z]{46}")


def create(user, name="laptop", role="write", **kwargs):
    return tokens.create(user=user, name=name, role=role, by=Actor(user=user), **kwargs)


def test_a_token_has_a_shape_that_scanners_know(sam):
    _, secret = create(sam)
    assert SHAPE.fullmatch(secret)
    assert tokens.is_well_formed(secret)


def test_only_its_hash_and_its_last_characters_are_kept(sam):
    token, secret = create(sam)
    row = AccessToken.objects.values().get()
    assert secret not in str(row)
    assert (row["last_characters"], len(row["sha256"])) == (secret[-4:], 64)
    assert secret not in str(AuditEvent.objects.values().first())
    assert AuditEvent.objects.filter(verb="token:create", target="laptop of sam", actor="sam").count() == 1
    assert str(token) == "laptop of sam"


def test_whoever_shows_it_is_its_user(sam):
    token, secret = create(sam)
    found = tokens.authenticate(secret)
    assert (found, found.user) == (token, sam)


def test_two_tokens_never_agree(sam):
    assert len({create(sam, name=str(number))[1] for number in range(50)}) == 50


@pytest.mark.parametrize(
    "secret", ["", "x", "mymodel", "hf_" + "a" * 34, "gate_", "gate_" + "a" * 46, "gate_" + "a" * 47]
)
def test_what_is_no_token_of_ours_costs_no_query(secret, db, django_assert_num_queries):
    with django_assert_num_queries(0), pytest.raises(InvalidCredentials):
        tokens.authenticate(secret)


@given(st.text())
def test_no_text_is_a_token_by_chance(text):
    assert not tokens.is_well_formed(text)
    assert not tokens.is_well_formed(f"gate_{text}")


def test_one_mistyped_character_costs_no_query(sam, django_assert_num_queries):
    _, secret = create(sam)
    with django_assert_num_queries(0):
        for place in range(5, len(secret)):
            wrong = secret[:place] + ("b" if secret[place] == "a" else "a") + secret[place + 1 :]
            assert not tokens.is_well_formed(wrong)


def refusal(secret) -> str:
    with pytest.raises(InvalidCredentials) as refused:
        tokens.authenticate(secret)
    assert refused.value.message == "Invalid credentials in Authorization header"  # Clients compare it.
    return refused.value.next_step


def test_an_expired_token_opens_nothing(sam):
    token, secret = create(sam, expires_at=timezone.now() + timedelta(hours=1))
    assert tokens.authenticate(secret) == token
    AccessToken.objects.update(expires_at=timezone.now())
    assert "expired" in refusal(secret)
    assert not AccessToken.objects.usable().exists()


def test_a_token_of_a_deactivated_person_opens_nothing(sam):
    _, secret = create(sam)
    sam.is_active = False
    sam.save()
    assert "deactivated" in refusal(secret)
    assert not AccessToken.objects.usable().exists()


def test_a_revoked_token_is_refused_from_then_on(sam):
    token, secret = create(sam)
    tokens.revoke(token=token, by=Actor(user=sam))
    assert "revoked" in refusal(secret)
    assert AuditEvent.objects.filter(verb="token:revoke", target="laptop of sam").count() == 1
    with pytest.raises(NotFound):
        tokens.revoke(token=token, by=Actor(user=sam))


def test_nobody_revokes_anothers_token_but_the_operator(sam, noor):
    token, secret = create(sam)
    with pytest.raises(NotFound):
        tokens.revoke(token=token, by=Actor(user=noor))
    assert tokens.authenticate(secret) == token
    tokens.revoke(token=token, by=SYSTEM)
    assert not AccessToken.objects.exists()


def test_the_last_use_is_noted_once_in_ten_minutes(sam, django_assert_num_queries):
    _, secret = create(sam)
    tokens.authenticate(secret)
    noted = AccessToken.objects.get().last_used_at
    assert noted is not None
    with django_assert_num_queries(1):
        tokens.authenticate(secret)
    assert AccessToken.objects.get().last_used_at == noted
    AccessToken.objects.update(last_used_at=noted - timedelta(minutes=10))
    tokens.authenticate(secret)
    assert AccessToken.objects.get().last_used_at >= noted


def test_names_are_unique_per_person_and_only_per_person(sam, noor):
    create(sam)
    create(noor)
    with pytest.raises(TokenNameTaken):
        create(sam)
    with pytest.raises(TokenNameTaken):
        create(sam, name=" laptop ")
    assert AccessToken.objects.count() == 2


@pytest.mark.parametrize("name", ["می\u200cپرسم", "👩\u200d💻"])
def test_a_name_is_kept_letter_for_letter_with_its_joiners(sam, name):
    create(sam, name=name)
    assert AccessToken.objects.get().name == name


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "   "}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"name": "a\x00b"}, "name"),
        ({"name": "a\nb"}, "name"),
        ({"role": "admin"}, "role"),
        ({"role": ""}, "role"),
        ({"can_read_gated": True}, "scopes"),
    ],
)
def test_a_token_that_makes_no_sense_is_refused_by_field(changed, field, sam):
    with pytest.raises(InvalidFields) as refused:
        create(sam, **changed)
    assert list(refused.value.fields) == [field]
    assert not AccessToken.objects.exists()


def test_a_date_of_expiry_lies_ahead(sam):
    with pytest.raises(InvalidFields, match="expires_at"):
        create(sam, expires_at=timezone.now())


def test_scopes_belong_to_fine_grained_tokens(sam, gated_repo):
    scope = Scope("repo.content.read", repo=gated_repo)
    with pytest.raises(InvalidFields, match="scopes"):
        create(sam, scopes=[scope])
    token, _ = create(sam, role="fine-grained", scopes=[scope, scope])
    assert [str(kept) for kept in token.scopes.all()] == ["repo.content.read on lab/toxic-bert"]
    with pytest.raises(InvalidFields, match="permission"):
        create(sam, name="other", role="fine-grained", scopes=[Scope("repo.everything", repo=gated_repo)])


@pytest.mark.parametrize("both", [True, False])
def test_the_database_wants_one_entity_per_scope(both, sam, gated_repo):
    token, _ = create(sam, role="fine-grained")
    entity = {"repo": gated_repo, "namespace": gated_repo.namespace} if both else {}
    with pytest.raises(IntegrityError), transaction.atomic():
        TokenScope.objects.create(token=token, permission="repo.write", **entity)


def test_the_database_knows_three_roles(sam):
    create(sam)
    with pytest.raises(IntegrityError), transaction.atomic():
        AccessToken.objects.update(role="admin")
