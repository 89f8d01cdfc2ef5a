"""What is known about named paths of olu/m."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest

from accounts.models import User
from repos.models import Repo
from tests.support.cast import Api, MakeRepo

ADDRESS = "/api/models/olu/m/paths-info/main"
FORM = "application/x-www-form-urlencoded"


@pytest.fixture(autouse=True)
def repo(olu: User, make_repo: MakeRepo) -> Repo:
    return make_repo("olu/m", by=olu, files={"a.txt": b"a", "sub/b c.txt": b"bb"}, large={"big.bin": b"x" * 9})


def ask(caller: Api, form: Any, address: str = ADDRESS) -> Any:
    return caller.post(address, urlencode(form, doseq=True).encode(), content_type=FORM)


def test_known_paths_in_the_order_asked_for(stranger):
    answer = ask(stranger, {"paths": ["sub/b c.txt", "none", "sub", "big.bin", "sub/"], "expand": "False"})
    found = [(entry["type"], entry["path"], entry["size"]) for entry in answer.json()]
    assert found == [
        ("file", "sub/b c.txt", 2),
        ("directory", "sub", 0),
        ("file", "big.bin", 9),
        ("directory", "sub", 0),
    ]
    assert "lastCommit" not in answer.json()[0]


def test_json_is_understood_too(stranger):
    assert stranger.post(ADDRESS, {"paths": ["a.txt"], "expand": True}).json()[0]["lastCommit"]["title"] == "Add files"
    assert stranger.post(ADDRESS, {"paths": "a.txt"}).json()[0]["path"] == "a.txt"


def test_expand_in_a_form(stranger):
    assert "lastCommit" in ask(stranger, {"paths": "a.txt", "expand": "True"}).json()[0]


@pytest.mark.parametrize("body", [{}, {"paths": ""}, {"expand": "true"}])
def test_nothing_asked_nothing_found(body, stranger):
    assert ask(stranger, body).json() == []
    assert stranger.post(ADDRESS, body).json() == []


@pytest.mark.parametrize("path", ["../a.txt", "/a.txt", "a.txt\0", "a.txt\n", "./a.txt", "x" * 5000, "a//b"])
def test_odd_paths_are_not_there(path, stranger):
    answer = stranger.post(ADDRESS, {"paths": [path]})
    assert (answer.status_code, answer.json()) == (200, [])


def test_half_a_surrogate_pair_is_no_text(stranger):
    assert stranger.post(ADDRESS, {"paths": ["\ud800"]}).status_code == 400


def test_500_paths_are_enough(stranger):
    assert ask(stranger, {"paths": ["a.txt"] * 500}).status_code == 200
    answer = ask(stranger, {"paths": ["a.txt"] * 501})
    assert (answer.status_code, answer.json()["error"]) == (400, "At most 500 paths may be asked for at once.")


@pytest.mark.parametrize("body", [b"[1]", b"{", b'{"paths": [1]}', b'{"paths": [["a"]]}', b"\xff", b"[" * 100_000])
def test_a_body_that_makes_no_sense_is_refused(body, stranger):
    answer = stranger.post(ADDRESS, body)
    assert answer.status_code == 400
    assert answer.json()["error"]


def test_a_huge_body_is_not_read(stranger):
    for content_type in (FORM, "application/json"):
        answer = stranger.post(ADDRESS, b"paths=" + b"a" * 3_000_000, content_type=content_type)
        assert answer.status_code == 413


@pytest.mark.parametrize("revision", ["nope", "refs%2Fpr%2F1", "main%2Fsub"])
def test_an_unknown_revision_says_so(revision, stranger):
    answer = ask(stranger, {"paths": "a.txt"}, f"/api/models/olu/m/paths-info/{revision}")
    assert (answer.status_code, answer["X-Error-Code"]) == (404, "RevisionNotFound")
