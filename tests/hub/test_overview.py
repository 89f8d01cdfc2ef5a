"""What is known of people and organizations; avatars; the caller's own repos.  lab/secret is private."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

from accounts.models import Organization, User
from repos.models import Repo
from tests.support.cast import MakeRepo


@pytest.fixture
def secret(ada: User, lab: Organization, make_repo: MakeRepo) -> Repo:
    return make_repo("lab/secret", by=ada, type_="dataset", private=True, large={"a.bin": b"x" * 1000})


def test_a_person(stranger, ada, lab):
    body = stranger.get("/api/users/ADA/overview").json()
    assert (body["user"], body["fullname"], body["type"]) == ("ada", "Ada Lovelace", "user")
    assert body["avatarUrl"] == "/avatars/ada.svg"
    assert [org["name"] for org in body["orgs"]] == ["lab"]
    assert (body["numModels"], body["numDatasets"]) == (0, 0)
    assert "ada@example.org" not in str(body)


def test_an_organization_counts_what_the_caller_may_know_of(stranger, api, ada, gated_repo, secret):
    body = stranger.get("/api/organizations/lab/overview").json()
    assert (body["name"], body["fullname"], body["numUsers"]) == ("lab", "The Lab", 1)
    assert (body["numModels"], body["numDatasets"]) == (1, 0)
    assert api(ada).get("/api/organizations/lab/overview").json()["numDatasets"] == 1


@pytest.mark.parametrize(
    "path", ["users/nobody", "users/lab", "organizations/nothing", "organizations/ada", "users/a%00b"]
)
def test_the_unknown_are_not_found(path, stranger, lab):
    answer = stranger.get(f"/api/{path}/overview")
    assert answer.status_code == 404
    assert "not found" in answer.json()["error"]


def test_a_deactivated_person_is_not_found(stranger, sam):
    sam.is_active = False
    sam.save()
    assert stranger.get("/api/users/sam/overview").status_code == 404


def test_my_repos_with_their_storage(api, olu, make_repo):
    make_repo("olu/one", by=olu, large={"a.bin": b"x" * 1000, "b.bin": b"y" * 500})
    make_repo("olu/two", by=olu, private=True)
    rows = {row["id"]: row for row in api(olu, "read").get("/api/settings/repositories").json()}
    assert rows["olu/one"] | {"updatedAt": ""} == {
        "id": "olu/one",
        "type": "model",
        "updatedAt": "",
        "visibility": "public",
        "storage": 1500,
        "storagePercent": 0,
    }
    assert rows["olu/one"]["updatedAt"].endswith("Z")
    assert rows["olu/two"]["visibility"] == "private"


def test_an_organizations_repos_are_those_that_the_caller_may_know_of(api, ada, sam, gated_repo, secret):
    address = "/api/organizations/lab/settings/repositories"
    assert {row["id"] for row in api(ada).get(address).json()} == {"lab/secret", "lab/toxic-bert"}
    assert {row["id"] for row in api(sam).get(address).json()} == {"lab/toxic-bert"}


def test_lists_of_repos_are_for_people(stranger, lab):
    assert stranger.get("/api/settings/repositories").status_code == 401
    assert stranger.get("/api/organizations/lab/settings/repositories").status_code == 401


def test_there_is_no_such_organization(api, sam):
    assert api(sam).get("/api/organizations/nothing/settings/repositories").status_code == 404


def test_an_avatar_tells_nothing_but_the_name(db, client, django_assert_num_queries):
    with django_assert_num_queries(0):
        answer = client.get("/avatars/whoever.svg")
    assert answer["Content-Type"] == "image/svg+xml"
    root = ET.fromstring(answer.content)  # noqa: S314 - our own picture.
    assert "".join(root.itertext()) == "W"
    assert client.get("/avatars/whoever.svg").content == answer.content
    assert client.get("/avatars/WHOEVER.svg").content != client.get("/avatars/other.svg").content


@pytest.mark.parametrize("name", ["%3Cscript%3E", "a%22b", "", "a" * 200, "a/b"])
def test_markup_is_no_name(name, client):
    assert client.get(f"/avatars/{name}.svg").status_code == 404
