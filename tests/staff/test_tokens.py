"""Tokens in the admin: never what opens anything, and revoked by whoever may.  sam has a token; rev may revoke it."""

from __future__ import annotations

import pytest
from django.urls import reverse

from access import tokens
from access.errors import InvalidCredentials
from access.models import AccessToken
from access.tokens import Scope
from accounts.actor import SYSTEM, Actor, Entrance
from accounts.errors import NotFound
from accounts.models import AuditEvent
from tests.support.cast import Api
from tests.web.pages import soup, told_to_staff, words

LIST = "/admin/access/accesstoken/"
VIEW, REVOKE = "access.view_accesstoken", "access.revoke_accesstoken"


@pytest.fixture
def rev(make_staff):
    return make_staff("rev", VIEW, REVOKE)


@pytest.fixture
def vic(make_staff):
    return make_staff("vic", VIEW)


@pytest.fixture
def made(sam) -> tuple[AccessToken, str]:
    return tokens.create(user=sam, name="laptop", role="write", by=Actor(user=sam))


def on(what: str, token: AccessToken) -> str:
    return reverse(f"admin:access_accesstoken_{what}", args=[token.pk])


def test_a_token_is_revoked_on_its_page_and_refused_at_the_very_next_request(made, rev, browser):
    token, secret = made
    assert Api(secret).get("/api/whoami-v2").status_code == 200
    client = browser(rev)
    asked = client.get(on("revoke", token))
    assert "The very next request with the token laptop of sam will be refused" in words(soup(asked))
    assert AccessToken.objects.exists()
    answer = client.post(on("revoke", token), follow=True)
    assert "laptop of sam is revoked." in told_to_staff(answer)
    assert Api(secret).get("/api/whoami-v2").status_code == 401
    event = AuditEvent.objects.get(verb="token:revoke")
    assert (event.actor, event.entrance, event.address) == ("rev", "admin", "127.0.0.1")
    assert event.target == "laptop of sam"
    assert client.post(on("revoke", token)).status_code == 404


def test_several_are_revoked_at_once(made, sam, rev, browser):
    tokens.create(user=sam, name="server", role="read", by=Actor(user=sam))
    keys = list(AccessToken.objects.values_list("pk", flat=True))
    form = {"action": "revoke_selected", "_selected_action": keys}
    assert "2 of 2: revoked" in told_to_staff(browser(rev).post(LIST, form, follow=True))
    assert not AccessToken.objects.exists()
    assert AuditEvent.objects.filter(verb="token:revoke", actor="rev").count() == 2


def test_scopes_are_shown_of_tokens_that_have_some(made, gated_repo, sam, make_staff, browser):
    scopes = [Scope("repo.content.read", repo=gated_repo)]
    fine, _ = tokens.create(user=sam, name="fine", role="fine-grained", scopes=scopes, by=Actor(user=sam))
    client = browser(make_staff("stef", superuser=True))
    shown = words(soup(client.get(on("change", fine))))
    assert "Token scopes" in shown
    assert "Can read gated" in shown
    other = words(soup(client.get(on("change", made[0]))))
    assert "Token scopes" not in other
    assert "Can read gated" not in other, "which says nothing of a token that may read everything"


def test_who_may_only_see_revokes_nothing(made, vic, browser):
    token, secret = made
    client = browser(vic)
    page = client.get(on("change", token)).content.decode()
    assert on("revoke", token) not in page
    assert "revoke_selected" not in client.get(LIST).content.decode()
    assert client.get(on("revoke", token)).status_code == 403
    assert client.post(on("revoke", token)).status_code == 403
    client.post(LIST, {"action": "revoke_selected", "_selected_action": [token.pk]})
    assert tokens.authenticate(secret) == token


@pytest.mark.parametrize("entrance", [one for one in Entrance if one is not Entrance.ADMIN])
def test_the_permission_counts_in_the_admin_alone(made, rev, entrance):
    token, secret = made
    with pytest.raises(NotFound):
        tokens.revoke(token=token, by=Actor(user=rev, entrance=entrance))
    own, _ = tokens.create(user=rev, name="own", role="write", by=SYSTEM)
    with pytest.raises(NotFound):
        tokens.revoke(token=token, by=Actor(user=rev, token=own, entrance=Entrance.ADMIN))
    assert tokens.authenticate(secret) == token


def test_a_stranger_is_not_the_operator(made):
    token, _ = made
    for entrance in (Entrance.PAGE, Entrance.API, Entrance.ADMIN):
        with pytest.raises(NotFound):
            tokens.revoke(token=token, by=Actor(entrance=entrance))
    assert AccessToken.objects.exists()


@pytest.mark.parametrize("lost", ["is_staff", "is_active"])
def test_whoever_is_staff_no_more_revokes_nothing(made, rev, lost):
    token, _ = made
    setattr(rev, lost, False)
    with pytest.raises(NotFound):
        tokens.revoke(token=token, by=Actor(user=rev, entrance=Entrance.ADMIN))


def test_tokens_are_found_by_their_person_or_their_end_and_show_no_more_of_it(made, noor, vic, browser):
    token, secret = made
    tokens.create(user=noor, name="laptop", role="read", by=Actor(user=noor))
    client = browser(vic)
    for term, found in (
        ("sam", {"sam"}),
        ("SAM", {"sam"}),
        (secret[-4:], {"sam"}),
        ("laptop", set()),
        ("nobody", set()),
    ):
        answer = client.get(LIST, {"q": term})
        assert {words(cell) for cell in soup(answer).select("#result_list .field-user")} == found, term
        assert token.sha256 not in answer.content.decode()
        assert secret not in answer.content.decode()
    with pytest.raises(InvalidCredentials):
        tokens.authenticate(secret[:-1] + ("y" if secret.endswith("x") else "x"))
