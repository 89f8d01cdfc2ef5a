"""Calls that need a harmless answer, and what is not offered.  lab/secret is private, lab/toxic-bert is gated."""

from __future__ import annotations

import pytest

from accounts.models import Organization, User
from repos.models import Repo
from tests.support.cast import Api, MakeRepo

METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]


@pytest.fixture
def secret(ada: User, lab: Organization, make_repo: MakeRepo) -> Repo:
    return make_repo("lab/secret", by=ada, private=True)


@pytest.mark.parametrize("caller", [Api(), Api("some-foreign-token")])
def test_agent_harnesses_are_an_empty_registry_for_everybody(caller, db):
    answer = caller.get("/api/agent-harnesses")
    assert (answer.status_code, answer.json()) == (200, {"standardEnvVars": [], "harnesses": {}})


@pytest.mark.parametrize("path", ["/api/telemetry/gradio", "/api/telemetry/gradio/initiated", "/v1/telemetry"])
def test_telemetry_is_taken_and_dropped(path, stranger, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert stranger.head(path).status_code == 200
        assert stranger.get(path).status_code == 200
        assert stranger.post(path, {"anything": 1}).status_code == 200


def test_there_is_no_list_of_tags(stranger):
    assert stranger.get("/api/models-tags-by-type").json() == {}
    assert stranger.get("/api/datasets-tags-by-type").json() == {}


@pytest.mark.parametrize("tail", ["", "?p=0", "/1", "/1/comment", "/1/status", "/1/merge"])
@pytest.mark.parametrize("method", METHODS)
def test_discussions_are_never_answered_with_200(method, tail, api, ada, gated_repo):
    """A 200 would make transformers hand the user's token to a service on the internet."""
    answer = api(ada).send(method, f"/api/models/lab/toxic-bert/discussions{tail}", {})
    assert answer.status_code == 404
    assert "not offered" in answer.json()["error"]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    "path",
    [
        "/api/spaces/lab/app",
        "/api/spaces/lab/app/runtime",
        "/api/spaces/app",
        "/spaces/lab/app",
        "/spaces/lab/app/resolve/main/app.py",
    ],
)
def test_a_space_is_a_repo_that_is_not_there(method, path, api, ada):
    answer = api(ada).send(method, path, {})
    assert (answer.status_code, answer["X-Error-Code"]) == (404, "RepoNotFound")
    assert answer["X-Error-Message"] == "Spaces are not offered on this server."


@pytest.mark.parametrize(
    "path",
    [
        "/api/spaces",
        "/api/collections",
        "/api/collections/lab/x-1",
        "/api/buckets/lab/x",
        "/api/jobs/ada",
        "/api/settings/webhooks",
        "/api/resolve-cache/models/lab/x/main/a",
        "/api/models/lab/toxic-bert/like",
        "/api/models/lab/toxic-bert/duplicate",
        "/api/models/lab/toxic-bert/xet-read-token/main",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_what_is_not_offered_says_so(method, path, api, ada, gated_repo):
    answer = api(ada).send(method, path, {})
    assert answer.status_code == 404
    assert "this server" in answer["X-Error-Message"]
    assert "X-Error-Code" not in answer


@pytest.mark.parametrize("path", ["/api/", "/api/nothing", "/api/nothing/at/all", "/api/models/", "/api/a%0Ab"])
def test_an_unknown_address_of_the_api_is_a_short_json_error(path, stranger):
    answer = stranger.get(path, headers={"Accept": "text/html"})
    assert (answer.status_code, answer["Content-Type"]) == (404, "application/json")
    assert set(answer.json()) == {"error"}


@pytest.mark.parametrize("route", ["", "/nothing", "/nothing/at/all", "/like", "/discussions", "/xet-read-token/main"])
@pytest.mark.parametrize("method", METHODS)
def test_no_address_tells_a_hidden_repo_from_a_missing_one(method, route, api, sam, secret):
    for caller in (Api(), api(sam)):
        hidden = caller.send(method, f"/api/models/lab/secret{route}", {})
        missing = caller.send(method, f"/api/models/lab/absent{route}", {})
        assert hidden.status_code == missing.status_code
        assert hidden.content == missing.content
        assert {**hidden.headers, "X-Request-Id": ""} == {**missing.headers, "X-Request-Id": ""}


@pytest.mark.parametrize(
    "path",
    [
        "/api/models/gpt2",
        "/api/datasets/squad",
        "/api/models/gpt2/revision/main",
        "/api/models/gpt2/tree/main/sub",
        "/api/models/gpt2/auth-check",
        "/gpt2/resolve/main/config.json",
        "/datasets/squad/resolve/main/a.txt",
    ],
)
def test_an_id_without_a_namespace_is_a_repo_that_is_not_there(path, stranger, api, sam):
    answer = stranger.get(path)
    assert (answer.status_code, answer["X-Error-Code"]) == (401, "RepoNotFound")
    answer = api(sam).get(path)
    assert (answer.status_code, answer["X-Error-Code"]) == (404, "RepoNotFound")
