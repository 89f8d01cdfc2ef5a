"""Addresses of repos that were moved: olu/old is olu/new now."""

from __future__ import annotations

import pytest

from accounts.actor import Actor
from accounts.models import Namespace, User
from repos import services
from repos.models import Repo
from tests.support.cast import MakeRepo, text_of


@pytest.fixture
def moved(olu: User, make_repo: MakeRepo) -> Repo:
    repo = make_repo("olu/old", by=olu, files={"olu/old": b"of that name"})
    return services.move_repo(repo, namespace=repo.namespace, name="new", by=Actor(user=olu))


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("/api/models/olu/old/nothing?a=olu/old", "/api/models/olu/new/nothing?a=olu/old"),
        ("/api/models/OLU/Old/nothing", "/api/models/olu/new/nothing"),
        ("/api/models/%6Flu/old/nothing", "/api/models/olu/new/nothing"),
    ],
)
def test_api_addresses_lead_to_the_new_id(method, path, target, api, olu, moved):
    answer = api(olu).send(method, path, {})
    assert (answer.status_code, answer["Location"]) == (307, target)


def test_info_leads_to_the_new_id(stranger, moved):
    answer = stranger.get("/api/models/olu/old")
    assert (answer.status_code, answer["Location"]) == (307, "/api/models/olu/new")


@pytest.mark.parametrize("rest", ["main/olu/old", "main/a%20b%3F%23%25?download=true", "dev/x/%C3%BC"])
def test_downloads_lead_to_a_relative_address(rest, stranger, moved):
    answer = stranger.head(f"/olu/old/resolve/{rest}")
    assert (answer.status_code, answer["Location"]) == (307, f"/olu/new/resolve/{rest}")


def test_an_address_with_two_slashes_in_front(stranger, moved):
    """As huggingface_hub 0.9 sends it, when HF_ENDPOINT ends in a slash."""
    answer = stranger.get("http://testserver//olu/old/resolve/main/olu/old")
    assert (answer.status_code, answer["Location"]) == (307, "/olu/new/resolve/main/olu/old")
    assert text_of(stranger.get("http://testserver//olu/new/resolve/main/olu/old")) == b"of that name"


def test_the_new_address_serves(stranger, moved):
    location = stranger.get("/olu/old/resolve/main/olu/old")["Location"]
    assert text_of(stranger.get(location)) == b"of that name"


def test_an_id_that_is_part_of_the_address_by_chance(api, make_user, make_repo):
    """`pi/mo` is in `/api/models`."""
    repo = make_repo("pi/mo", by=make_user("pi"))
    services.move_repo(repo, namespace=repo.namespace, name="new", by=Actor())
    assert api(repo.created_by).get("/api/models/pi/mo")["Location"] == "/api/models/pi/new"


def test_an_old_id_in_a_body_leads_nowhere(api, olu, moved):
    """A redirect to the same address would go round in circles."""
    answer = api(olu).delete("/api/repos/delete", {"name": "old", "organization": None})
    assert (answer.status_code, answer["X-Error-Code"]) == (404, "RepoNotFound")
    assert answer["X-Error-Message"] == "This repository has moved to olu/new."


def test_who_may_not_see_it_is_not_told_where_it_went(stranger, api, sam, moved):
    Repo.objects.update(private=True)
    for caller in (stranger, api(sam)):
        answer = caller.get("/api/models/olu/old")
        assert answer["X-Error-Code"] == "RepoNotFound"
        assert "Location" not in answer
        assert answer.content == caller.get("/api/models/olu/absent").content


def test_a_new_repo_takes_the_id_back(stranger, olu, moved, make_repo):
    make_repo("olu/old", by=olu)
    assert stranger.get("/api/models/olu/old").json()["id"] == "olu/old"
    services.move_repo(moved, namespace=Namespace.objects.get(name="olu"), name="newer", by=Actor())
    assert stranger.get("/api/models/olu/new")["Location"] == "/api/models/olu/newer"
