"""`/settings/tokens`.  ada is the admin of lab; sam is not her."""

from __future__ import annotations

import datetime
import re

import pytest
from django.utils import timezone

from access import selectors, tokens
from access.models import AccessToken
from accounts.actor import Actor
from tests.support.cast import make_token
from tests.web.pages import described, form_to, press, soup, words

PATH = "/settings/tokens"
SHAPE = re.compile(r"gate_[0-9A-Za-z]{46}")


def create(client, **given):
    return client.post(PATH, {"name": "laptop", "role": "read"} | given)


def test_a_token_is_shown_once_and_never_again(browser, ada):
    client = browser(ada)
    response = press(client, soup(client.get(PATH)), PATH, name="laptop", role="write")
    assert response.status_code == 200
    assert response["Cache-Control"] == "no-store"
    secret = SHAPE.search(words(soup(response)))[0]
    assert tokens.authenticate(secret).name == "laptop"
    later = client.get(PATH)
    assert secret not in later.content.decode()
    assert later["Cache-Control"] == "no-store"
    assert secret not in str(dict(client.session)) + str(client.cookies)
    row = words(soup(later).select_one(".rows li"))
    assert all(word in row for word in ("laptop", "Write", f"gate_…{secret[-4:]}", "last used", "does not expire"))


def test_each_token_can_be_revoked(browser, ada):
    secret = make_token(ada, name="old <one>")
    make_token(ada, name="new")
    client = browser(ada)
    page = soup(client.get(PATH))
    assert len(page.select(".rows button")) == 2
    token = AccessToken.objects.get(name="old <one>")
    press(client, page, f"{PATH}/{token.pk}/revoke")
    assert [token.name for token in AccessToken.objects.all()] == ["new"]
    assert "The token old <one> is revoked" in words(soup(client.get(PATH)))
    with pytest.raises(Exception, match="Invalid credentials"):
        tokens.authenticate(secret)


def test_nobody_revokes_or_sees_the_token_of_another(browser, ada, sam):
    make_token(ada, name="mine")
    client = browser(sam)
    assert "mine" not in words(soup(client.get(PATH)))
    client.post(f"{PATH}/{AccessToken.objects.get().pk}/revoke")
    assert AccessToken.objects.count() == 1
    assert "There is no such token" in words(soup(client.get(PATH)))


def test_a_stranger_is_sent_to_sign_in(browser):
    assert browser().get(PATH)["Location"] == f"/login?next={PATH}"
    assert browser().post(f"{PATH}/1/revoke")["Location"] == "/login?next=/"


def test_fine_grained_with_permissions_on_namespaces_and_repos(browser, ada, gated_repo, make_repo):
    rows = make_repo("lab/rows", by=ada, type_="dataset")
    response = create(
        browser(ada),
        role="fine-grained",
        permissions=["repo.access.read", "repo.access.write"],
        namespaces=["lab"],
        repos="Lab/toxic-bert\r\ndatasets/lab/rows",
        can_read_gated="on",
    )
    assert response.status_code == 200
    token = AccessToken.objects.get()
    assert token.can_read_gated
    scopes = {(scope.permission, str(scope.repo or scope.namespace)) for scope in token.scopes.all()}
    assert scopes == {
        (permission, place)
        for permission in ("repo.access.read", "repo.access.write")
        for place in ("lab", "lab/toxic-bert", rows.repo_id)
    }
    row = words(soup(browser(ada).get(PATH)).select_one(".rows li"))
    assert "Review access requests on lab/toxic-bert" in row
    assert "Reads gated repositories" in row


def test_scopes_of_other_roles_are_left_out(browser, ada, gated_repo):
    create(browser(ada), role="read", permissions=["repo.write"], repos="lab/toxic-bert", can_read_gated="on")
    token = AccessToken.objects.get()
    assert (token.role, token.can_read_gated, token.scopes.count()) == ("read", False, 0)


@pytest.mark.parametrize(
    ("given", "field", "says"),
    [
        ({"name": ""}, "name", "required"),
        ({"name": "taken"}, "name", "You have a token named “taken” already."),
        ({"name": "x" * 101}, "name", "at most 100 characters"),
        ({"name": "a\u200bb"}, "name", "printable"),
        ({"role": "admin"}, "role", "Select a valid choice"),
        ({"expires_at": "2020-01-01"}, "expires_at", "has passed already"),
        ({"expires_at": "tomorrow"}, "expires_at", "valid date"),
        ({"expires_at": "9999-01-01"}, "expires_at", "hundred years"),
        ({"role": "fine-grained"}, "permissions", "needs a permission"),
        ({"role": "fine-grained", "permissions": ["repo.write"]}, "repos", "what is allowed and where"),
        ({"role": "fine-grained", "namespaces": ["lab"]}, "permissions", "what is allowed and where"),
        ({"role": "fine-grained", "permissions": ["all"], "namespaces": ["lab"]}, "permissions", "valid choice"),
        ({"role": "fine-grained", "permissions": ["repo.write"], "namespaces": ["olu"]}, "namespaces", "valid choice"),
        ({"role": "fine-grained", "permissions": ["repo.write"], "repos": "olu/secret"}, "repos", "no repository olu/"),
        ({"role": "fine-grained", "permissions": ["repo.write"], "repos": "lab/missing"}, "repos", "no repository lab"),
        ({"role": "fine-grained", "permissions": ["repo.write"], "repos": "a/b " * 2 + "c/d"}, "repos", "a/b"),
        ({"role": "fine-grained", "permissions": ["repo.write"], "repos": "\n".join(f"a/{n}" for n in range(99))},
         "repos", "at most 50"),
    ],
)  # fmt: skip
def test_a_form_that_is_not_complete_makes_no_token(browser, ada, lab, olu, make_repo, given, field, says):
    make_repo("olu/secret", by=olu, private=True)
    make_token(ada, name="taken")
    response = create(browser(ada), **given)
    assert response.status_code == 400
    page = soup(response)
    control = page.find(attrs={"name": field})
    block = control.find_parent(class_="field") or control.find_parent("fieldset")
    assert says in words(block)
    assert AccessToken.objects.count() == 1


def test_the_last_day_is_a_whole_day(browser, ada):
    day = timezone.now().date() + datetime.timedelta(days=30)
    create(browser(ada), expires_at=day.isoformat())
    assert AccessToken.objects.get().expires_at.isoformat() == f"{day}T23:59:59.999999+00:00"


def test_last_use_and_expiry_are_shown(browser, ada):
    tokens.create(user=ada, name="used", role="read", by=Actor(user=ada))
    now = timezone.now()
    AccessToken.objects.update(last_used_at=now - datetime.timedelta(hours=3), expires_at=now)
    row = words(soup(browser(ada).get(PATH)).select_one(".rows li"))
    assert "last used 3 hours ago" in row
    assert "Expired" in row


@pytest.mark.parametrize(
    ("left", "marked"),
    [
        (None, ""),
        (datetime.timedelta(days=8), ""),
        (datetime.timedelta(days=6), "Expires soon"),
        (datetime.timedelta(minutes=1), "Expires soon"),
        (-datetime.timedelta(minutes=1), "Expired"),
    ],
)
def test_what_expires_soon_is_marked(browser, ada, left, marked):
    make_token(ada, name="ci")
    AccessToken.objects.update(expires_at=None if left is None else timezone.now() + left)
    badges = [badge.text for badge in soup(browser(ada).get(PATH)).select(".rows .badge")]
    assert badges == ["Write", *([marked] if marked else [])]


def test_revoking_says_what_it_breaks(browser, ada):
    make_token(ada, name="ci")
    page = soup(browser(ada).get(PATH))
    said = described(page, page.select_one(".rows button"))
    assert "the next request of each script, machine or git remote that sends it is refused" in said


def test_without_a_token_the_page_says_what_one_is_for(browser, ada):
    assert "Make one below for hf auth login" in words(soup(browser(ada).get(PATH)).select_one(".empty"))


def test_a_reader_limits_a_token_to_the_organization(browser, rea, sam, make_repo, ada):
    make_repo("lab/inside", by=ada, private=True)
    offered = [box["value"] for box in soup(browser(rea).get(PATH)).select("input[name=namespaces]")]
    assert offered == ["rea", "lab"]
    wanted = {"role": "fine-grained", "permissions": ["repo.content.read"], "namespaces": ["lab"]}
    secret = SHAPE.search(words(soup(create(browser(rea), **wanted))))[0]
    actor = Actor(user=rea, token=tokens.authenticate(secret))
    assert [repo.repo_id for repo in selectors.visible_repos(actor)] == ["lab/inside"]
    refused = create(browser(sam), **wanted)
    assert refused.status_code == 400
    assert "Select a valid choice" in words(soup(refused))


def test_the_form_needs_its_csrf_token(browser, ada):
    client = browser(ada, enforce_csrf_checks=True)
    assert create(client).status_code == 403
    assert not AccessToken.objects.exists()
    form = form_to(soup(client.get(PATH)), PATH)
    assert (
        create(client, csrfmiddlewaretoken=form.find(attrs={"name": "csrfmiddlewaretoken"})["value"]).status_code == 200
    )
