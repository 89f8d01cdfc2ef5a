"""Addresses that no client sends: every one gets a clear refusal, none a fault of the server.

The test client raises what a view does not answer, so a 500 fails the test with its traceback.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import pytest
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import User
from repos.models import Repo
from tests.support.cast import MakeRepo, make_token

ROUTES = [
    "/olu/m/resolve/{}",
    "/olu/m/resolve/main/{}",
    "/datasets/{}/resolve/main/a.txt",
    "/{}/resolve/main/a.txt",
    "/olu/{}/resolve/main/a.txt",
    "/api/models/{}",
    "/api/models/olu/{}",
    "/api/models/olu/m/{}",
    "/api/models/olu/m/revision/{}",
    "/api/models/olu/m/tree/{}",
    "/api/models/olu/m/tree/main/{}",
    "/api/models/olu/m/commits/{}",
    "/api/datasets/{}/refs",
    "/api/users/{}/overview",
    "/api/organizations/{}/overview",
    "/api/organizations/{}/settings/repositories",
    "/api/spaces/{}",
    "/api/{}",
    "/avatars/{}.svg",
    "/api/models?search={}",
    "/api/models?author={}",
    "/api/models?filter={}",
    "/api/models?cursor={}",
    "/api/models?limit={}",
    "/api/models?expand={}",
    "/api/models/olu/m?expand[]={}",
    "/api/models/olu/m/tree/main?cursor={}",
    "/api/models/olu/m/commits/main?p={}",
]
ODD = [
    "",
    "%00",
    "a%00b",
    "%2F",
    "..",
    "../../etc/passwd",
    "%2e%2e%2f%2e%2e%2fetc%2fpasswd",
    "--help",
    "main~1",
    "main@%7B1%7D",
    "main:a.txt",
    "main%5E%7Btree%7D",
    ":/a",
    "refs/pr/1",
    "refs%2Fpr%2F1",
    "refs/heads/",
    "refs/heads/main",
    "refs/",
    "//",
    "%0D%0ASet-Cookie:%20a=b",
    "%FF%FE",
    "%ED%A0%80",
    "%C3%28",
    "%F0%9F%92%A9",
    "%25",
    "%",
    "%zz",
    "{url}",
    "%7Burl%7D",
    "<script>",
    "'%22;--",
    "x" * 2000,
    "a/" * 500,
    "%EF%BF%BD",
    "0" * 40,
    "f" * 39,
    "aaaaa",
    "HEAD",
    "@",
    ".git",
    "main%2F..%2F",
    "9" * 400,
]


@pytest.fixture
def odd_repo(olu: User, make_repo: MakeRepo) -> Repo:
    return make_repo("olu/m", by=olu, files={"a.txt": b"a"})


def check(answer: Any) -> None:
    assert answer.status_code < 500
    if answer.status_code >= 400 and answer["Content-Type"] == "application/json":
        assert answer.request["REQUEST_METHOD"] == "HEAD" or json.loads(answer.content)["error"]
        assert answer["X-Error-Message"].isascii()
        assert answer["X-Error-Message"].isprintable()
    assert "Set-Cookie" not in answer


@pytest.mark.parametrize("route", ROUTES)
def test_no_odd_address_is_a_fault(route, odd_repo, olu):
    headers = {"Authorization": f"Bearer {make_token(olu)}"}
    for odd in ODD:
        path = route.format(odd) if "{url}" not in odd else route.replace("{}", odd)
        for method in ("GET", "HEAD"):
            check(Client(headers=headers).generic(method, path))
        check(Client().generic("GET", path))


@pytest.mark.parametrize("route", ["branch/{}", "tag/{}", "super-squash/{}", "paths-info/{}"])
def test_no_odd_name_is_a_fault(route, odd_repo, olu):
    headers = {"Authorization": f"Bearer {make_token(olu)}"}
    bodies = [
        b"",
        b"{}",
        b"[]",
        b"\x00",
        b'{"tag": "\\ud800", "message": "\\ud800\\u0000", "startingPoint": "\\u0000"}',
    ]
    for odd in ODD:
        path = "/api/models/olu/m/" + route.replace("{}", odd)
        for body in bodies:
            check(Client(headers=headers).generic("POST", path, body, content_type="application/json"))
        check(Client(headers=headers).generic("DELETE", path))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(ROUTES), st.binary(max_size=30))
def test_no_bytes_are_a_fault(odd_repo, route, raw):
    check(Client().get(route.replace("{}", quote(raw, safe="/%"))))


@pytest.mark.postgresql
def test_postgresql_is_never_asked_for_nul(odd_repo, olu):
    """It has no such character, and an error to say so."""
    for route in ROUTES:
        for odd in ("%00", "a%00b", "olu%00/m"):
            check(Client().get(route.replace("{}", odd)))
