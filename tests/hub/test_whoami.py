"""whoami-v2, which decides whether a client's login works.  ada is the admin of lab; sam is a member of nothing."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from access.models import AccessToken, TokenScope
from access.tokens import Scope
from accounts.models import Namespace, Organization, User
from repos.models import Repo
from tests.support.cast import Api, make_token

WHOAMI = "/api/whoami-v2"


def test_a_token_says_who_its_user_is(api, ada, lab):
    body = api(ada, "write", name="laptop").get(WHOAMI).json()
    created = AccessToken.objects.get().created_at
    assert body == {
        "type": "user",
        "id": f"u-{ada.pk}",
        "name": "ada",
        "fullname": "Ada Lovelace",
        "email": "ada@example.org",
        "emailVerified": True,
        "isPro": False,
        "canPay": False,
        "avatarUrl": "/avatars/ada.svg",
        "orgs": [
            {
                "type": "org",
                "id": f"o-{lab.pk}",
                "name": "lab",
                "fullname": "The Lab",
                "avatarUrl": "/avatars/lab.svg",
                "roleInOrg": "admin",
                "isEnterprise": False,
            }
        ],
        "auth": {
            "type": "access_token",
            "accessToken": {
                "displayName": "laptop",
                "role": "write",
                "createdAt": f"{created:%Y-%m-%dT%H:%M:%S}.{created.microsecond // 1000:03d}Z",
            },
        },
    }


@pytest.mark.parametrize("role", ["read", "write"])
def test_the_role_is_that_of_the_token(api, sam, role):
    assert api(sam, role).get(WHOAMI).json()["auth"]["accessToken"]["role"] == role


def test_a_person_without_organizations_has_an_empty_list(api, sam):
    assert api(sam).get(WHOAMI).json()["orgs"] == []


def test_a_fine_grained_token_lists_what_it_may_do(ada: User, lab: Organization, gated_repo: Repo):
    permission = TokenScope.Permission
    scopes = [
        Scope(permission.CONTENT_READ, repo=gated_repo),
        Scope(permission.ACCESS_READ, repo=gated_repo),
        Scope(permission.WRITE, namespace=Namespace.objects.get(name="lab")),
        Scope(permission.WRITE, namespace=Namespace.objects.get(name="ada")),
    ]
    token = make_token(ada, "fine-grained", name="ci", scopes=scopes, can_read_gated=True)
    said = Api(token).get(WHOAMI).json()["auth"]["accessToken"]
    assert said["role"] == "fineGrained"
    assert said["fineGrained"] == {
        "canReadGatedRepos": True,
        "global": [],
        "scoped": [
            {
                "entity": {"_id": f"r-{gated_repo.pk}", "type": "model", "name": "lab/toxic-bert"},
                "permissions": ["repo.content.read", "repo.access.read"],
            },
            {"entity": {"_id": f"o-{lab.pk}", "type": "org", "name": "lab"}, "permissions": ["repo.write"]},
            {"entity": {"_id": f"u-{ada.pk}", "type": "user", "name": "ada"}, "permissions": ["repo.write"]},
        ],
    }


def test_a_session_is_no_token(browser, sam):
    assert browser(sam).get(WHOAMI).json()["auth"] == {"type": "session"}


def test_nobody_is_told_to_sign_in(stranger):
    answer = stranger.get(WHOAMI)
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"].startswith("Bearer")
    assert "settings/tokens" in answer.json()["error"]


@pytest.mark.parametrize("token", ["mymodel", "hf_" + "a" * 34, "gate_" + "a" * 46, "é", "a" * 5000])
def test_what_is_no_token_is_refused_without_a_query(token, db, django_assert_num_queries):
    """0.9 sends the bare repo name as a token before each write, and wants a 401."""
    with django_assert_num_queries(0):
        answer = Api(token).get(WHOAMI)
    assert answer.status_code == 401
    assert answer["X-Error-Message"] == "Invalid credentials in Authorization header"
    assert "X-Error-Code" not in answer


def test_an_expired_token_is_refused(sam):
    token = make_token(sam, expires_at=timezone.now() + timedelta(hours=1))
    AccessToken.objects.update(expires_at=timezone.now())
    answer = Api(token).get(WHOAMI)
    assert (answer.status_code, answer["X-Error-Message"]) == (401, "Invalid credentials in Authorization header")


def test_asking_is_cheap(api, ada, lab, django_assert_max_num_queries):
    caller = api(ada)
    caller.get(WHOAMI)
    with django_assert_max_num_queries(3):  # The token with its user, the address, the organizations.
        caller.get(WHOAMI)
