"""Creating, deleting and moving repos as the clients spell it.  ada is the admin of lab, sam is not in it."""

from __future__ import annotations

import pytest

from access.tokens import Scope
from repos.models import Repo

CREATE = "/api/repos/create"


@pytest.mark.parametrize(
    ("body", "type_", "private"),
    [
        ({"name": "base", "organization": "lab", "visibility": "private", "type": "dataset"}, "dataset", True),
        ({"name": "base", "organization": "lab", "visibility": "public"}, "model", False),
        ({"name": "base", "organization": "lab", "private": True, "type": "dataset"}, "dataset", True),
        ({"name": "base", "organization": "lab", "private": False, "type": "model"}, "model", False),
        ({"name": "base", "organization": "lab", "private": None, "type": None}, "model", False),
        ({"name": "lab/base"}, "model", False),
    ],
)
def test_every_spelling_of_the_clients_creates_the_repo(api, ada, lab, body, type_, private):
    answer = api(ada).post(CREATE, body)
    assert answer.status_code == 200, answer.content
    repo = Repo.objects.get()
    assert (repo.type, repo.private, repo.repo_id) == (type_, private, "lab/base")
    assert answer.json()["url"] == f"http://testserver{repo.path}"
    assert answer.json()["name"] == "lab/base"


def test_without_an_organization_it_is_the_callers_own(api, sam):
    assert api(sam).post(CREATE, {"name": "mine", "organization": None}).status_code == 200
    assert api(sam).post(CREATE, {"name": "too", "organization": "sam"}).status_code == 200
    assert sorted(repo.repo_id for repo in Repo.objects.all()) == ["sam/mine", "sam/too"]


def test_one_that_exists_is_a_409_whose_body_holds_the_url(api, ada, lab):
    body = {"name": "Base", "organization": "lab", "type": "dataset"}
    assert api(ada).post(CREATE, body).status_code == 200
    again = api(ada).post(CREATE, {**body, "name": "base"})
    assert again.status_code == 409
    assert again.json()["url"] == "http://testserver/datasets/lab/base"
    assert "already created" in again.json()["error"]


def test_a_model_and_a_dataset_may_share_an_id(api, ada, lab):
    for type_ in ("model", "dataset"):
        assert api(ada).post(CREATE, {"name": "base", "organization": "lab", "type": type_}).status_code == 200


def test_contributors_may_create_and_others_may_not(api, con, rea, sam):
    assert api(con).post(CREATE, {"name": "a", "organization": "lab"}).status_code == 200
    for user in (rea, sam):
        assert api(user).post(CREATE, {"name": "b", "organization": "lab"}).status_code == 403
    assert api(con, "read").post(CREATE, {"name": "b", "organization": "lab"}).status_code == 403
    assert Repo.objects.count() == 1


def test_a_token_for_one_repo_is_refused_and_can_see_that_the_repo_is_there(api, gated_repo, ada):
    # With `exist_ok` clients ask for the repo after a 403: an upload with such a token stands on this.
    scope = Scope("repo.write", repo=gated_repo)
    caller = api(ada, "fine-grained", scopes=[scope])
    assert caller.post(CREATE, {"name": "toxic-bert", "organization": "lab"}).status_code == 403
    assert caller.get("/api/models/lab/toxic-bert").status_code == 200
    assert caller.post("/api/models/lab/toxic-bert/preupload/main", {"files": []}).status_code == 200
    assert caller.post(CREATE, {"name": "other", "organization": "lab"}).status_code == 403
    assert Repo.objects.count() == 1


def test_a_stranger_creates_nothing(stranger):
    assert stranger.post(CREATE, {"name": "a"}).status_code == 401
    assert not Repo.objects.exists()


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"name": ""},
        {"name": "x" * 2000},
        {"name": ".."},
        {"name": "a--b"},
        {"name": "a.git"},
        {"name": "a/b/c"},
        {"name": "a\x00b"},
        {"name": "ünicode"},
        {"name": 7},
        {"name": "a", "type": "notebook"},
        {"name": "a", "visibility": "protected"},
        {"name": "a", "visibility": ["public"]},
        {"name": "a", "private": "yes"},
        {"name": "a", "private": False, "visibility": "private"},
        {"name": "a", "organization": 3},
    ],
)
def test_bad_input_creates_nothing(api, sam, body):
    answer = api(sam).post(CREATE, body)
    assert answer.status_code == 400, answer.content
    assert answer.json()["error"]
    assert answer["X-Error-Message"]
    assert not Repo.objects.exists()


@pytest.mark.parametrize(
    "raw",
    [
        b"[]",
        b"nope",
        b"\xff\xfe",
        b"[" * 100_000,
        b'"text"',
        b"7",
        b'{"name": "\\ud800"}',
        b'{"name": "a", "organization": "\\ud800"}',
    ],
)
def test_a_body_that_is_no_json_object_creates_nothing(api, sam, raw):
    assert api(sam).post(CREATE, raw).status_code == 400
    assert not Repo.objects.exists()


def test_spaces_are_refused_with_a_reason(api, sam):
    answer = api(sam).post(CREATE, {"name": "app", "type": "space", "sdk": "gradio"})
    assert 400 <= answer.status_code < 500
    assert "Spaces are not offered" in answer.json()["error"]


def test_an_unknown_organization_is_named(api, sam):
    answer = api(sam).post(CREATE, {"name": "a", "organization": "nowhere"})
    assert answer.status_code == 404
    assert "nowhere" in answer.json()["error"]


def test_delete_takes_a_json_body(api, gated_repo, ada, wes, rea, sam):
    body = {"name": "toxic-bert", "organization": "lab"}
    for user in (rea, sam):
        assert api(user).delete("/api/repos/delete", body).status_code == 403
    assert api(ada, "read").delete("/api/repos/delete", body).status_code == 403
    assert Repo.objects.exists()
    assert api(wes).delete("/api/repos/delete", body).status_code == 200
    assert not Repo.objects.exists()
    gone = api(wes).delete("/api/repos/delete", body)
    assert (gone.status_code, gone["X-Error-Code"]) == (404, "RepoNotFound")


def test_a_moved_repo_answers_under_its_old_id(api, gated_repo, ada):
    body = {"fromRepo": "lab/toxic-bert", "toRepo": "ada/kind-bert", "type": None}
    assert api(ada).post("/api/repos/move", body).status_code == 200
    for path in ("/api/models/lab/toxic-bert", "/api/models/lab/toxic-bert/tree/main?recursive=true"):
        moved = api(ada).get(path)
        assert moved.status_code == 307
        assert moved["Location"] == path.replace("lab/toxic-bert", "ada/kind-bert")
    resolve = api(ada).head("/lab/toxic-bert/resolve/main/config.json")
    assert (resolve.status_code, resolve["Location"]) == (307, "/ada/kind-bert/resolve/main/config.json")
    assert api(ada).get("/api/models/ada/kind-bert").json()["id"] == "ada/kind-bert"


def test_the_old_id_of_a_hidden_repo_tells_nothing(api, make_repo, ada, sam, lab):
    make_repo("lab/secret", by=ada, private=True)
    body = {"fromRepo": "lab/secret", "toRepo": "lab/hidden"}
    assert api(ada).post("/api/repos/move", body).status_code == 200
    assert api(sam).get("/api/models/lab/secret").status_code == 404
    assert api(sam).get("/api/models/lab/secret").content == api(sam).get("/api/models/lab/none").content


def test_a_new_repo_at_an_old_id_takes_precedence(api, gated_repo, ada):
    api(ada).post("/api/repos/move", {"fromRepo": "lab/toxic-bert", "toRepo": "lab/moved"})
    assert api(ada).post(CREATE, {"name": "toxic-bert", "organization": "lab"}).status_code == 200
    assert api(ada).get("/api/models/lab/toxic-bert").json()["gated"] is False


@pytest.mark.parametrize(
    ("target", "status"), [("sam/theirs", 403), ("nowhere/x", 404), ("lab/..", 400), ("flat", 400), ("lab/taken", 409)]
)
def test_a_move_that_may_not_be_changes_nothing(api, gated_repo, make_repo, ada, sam, target, status):
    make_repo("lab/taken", by=ada)
    answer = api(ada).post("/api/repos/move", {"fromRepo": "lab/toxic-bert", "toRepo": target})
    assert answer.status_code == status, answer.content
    gated_repo.refresh_from_db()
    assert gated_repo.repo_id == "lab/toxic-bert"


def test_a_stranger_to_the_repo_cannot_move_it(api, gated_repo, sam):
    body = {"fromRepo": "lab/toxic-bert", "toRepo": "sam/mine"}
    assert api(sam).post("/api/repos/move", body).status_code == 403
