"""The history of olu/m, and who may see it: messages of commits speak of what is in the files."""

from __future__ import annotations

import pytest

from access import services
from access.models import AccessRequest
from accounts.actor import Actor
from accounts.models import User
from repos import content
from repos.git import AddBlob
from repos.models import Repo
from tests.support.cast import ANSWERS, MakeRepo, add_files

COMMITS = "/api/models/olu/m/commits"


@pytest.fixture
def repo(olu: User, make_repo: MakeRepo) -> Repo:
    return make_repo("olu/m", by=olu)


def commit(repo: Repo, title: str, by: User, description: str = "") -> str:
    blob = AddBlob("a.txt", content.open_git(repo).stage_blob(title.encode()))
    return content.commit(repo, "main", content.NewCommit(title, description, [blob]), by=Actor(user=by))


def test_the_newest_comes_first(stranger, olu, repo):
    sha = commit(repo, "Say <b>more</b>", olu, "Because & so on")
    first, second = stranger.get(f"{COMMITS}/main").json()
    assert first.pop("date").endswith("Z")
    assert first == {
        "id": sha,
        "title": "Say <b>more</b>",
        "message": "Because & so on",
        "authors": [{"user": "olu"}],
    }
    assert second["title"] == "initial commit"


@pytest.mark.parametrize("key", ["expand[]", "expand"])
def test_formatted_text_is_safe_to_show(key, stranger, olu, repo):
    commit(repo, "Say <b>more</b>", olu)
    first = stranger.get(f"{COMMITS}/main", {key: "formatted"}).json()[0]
    assert first["formatted"] == {"title": "Say &lt;b&gt;more&lt;/b&gt;", "message": ""}


def test_pages_stay_at_the_commit_that_was_asked_for(stranger, olu, repo):
    for number in range(4):
        commit(repo, f"{number}", olu)
    address, titles = f"{COMMITS}/main?limit=2&expand[]=formatted", []
    while address:
        answer = stranger.get(address)
        assert answer["X-Total-Count"] == "5"
        titles += [row["title"] for row in answer.json()]
        assert "formatted" in answer.json()[0]
        commit(repo, "meanwhile", olu)
        link = answer.get("Link", "")
        assert not link or link.startswith("<http://testserver/")
        address = link.partition(">")[0].removeprefix("<http://testserver")
    assert titles == ["3", "2", "1", "0", "initial commit"]


def test_history_of_a_branch_with_a_slash(stranger, olu, repo):
    content.create_branch(repo, "dev/x", start="main", by=Actor(user=olu))
    commit(repo, "only on main", olu)
    for revision in ("dev%2Fx", "dev/x"):
        assert [row["title"] for row in stranger.get(f"{COMMITS}/{revision}").json()] == ["initial commit"]


@pytest.mark.parametrize("query", [{"p": "-1"}, {"p": "x"}, {"limit": "0"}])
def test_bad_numbers_are_refused(query, stranger, repo):
    assert stranger.get(f"{COMMITS}/main", query).status_code == 400


def test_far_beyond_the_end_there_is_nothing(stranger, repo):
    assert stranger.get(f"{COMMITS}/main", {"p": "9" * 25}).json() == []


@pytest.mark.parametrize("revision", ["nope", "refs%2Fpr%2F1", "--all", "main..dev", "0" * 40])
def test_an_unknown_revision_says_so(revision, stranger, repo):
    answer = stranger.get(f"{COMMITS}/{revision}")
    assert (answer.status_code, answer["X-Error-Code"]) == (404, "RevisionNotFound")


def test_the_history_of_a_gated_repo_is_for_those_who_read_its_files(stranger, api, ada, sam, gated_repo):
    address = "/api/models/lab/toxic-bert/commits/main"
    add_files(gated_repo, {"a.txt": b"a"}, by=ada)
    assert (stranger.get(address).status_code, stranger.get(address)["X-Error-Code"]) == (401, "GatedRepo")
    caller = api(sam, "read")
    for revision in ("main", "nope"):
        answer = caller.get(f"/api/models/lab/toxic-bert/commits/{revision}")
        assert (answer.status_code, answer["X-Error-Code"]) == (403, "GatedRepo")
    asked = services.ask(repo=gated_repo, answers=ANSWERS, by=Actor(user=sam))
    services.review(access_request=asked, status=AccessRequest.Status.ACCEPTED, by=Actor(user=ada))
    assert len(caller.get(address).json()) == 3
