"""The API reference: every operation of the API, each with a line to copy that does what it says."""

from __future__ import annotations

import shlex

import pytest
from bs4 import BeautifulSoup
from django.test import Client

from access import services
from accounts.actor import Actor
from gatehub import openapi
from gatehub.web import reference
from repos import content
from tests.support.cast import make_token

ORIGIN = "http://testserver"
OPERATIONS = [operation for group in reference.groups() for operation in group.operations]
CARD = b"---\nextra_gated_fields:\n  Company: text\n  I agree: checkbox\n---\n# Model\n"
BY_REQUESTER = ("ask-access", "cancel")


@pytest.fixture
def jo(make_user):
    return make_user("jo", "Jo March")


@pytest.fixture
def repos(make_repo, ada, lab, jo):
    """lab/model, a model and a dataset: what the lines speak of."""
    files = {"config.json": b"{}\n", "README.md": CARD}
    return [make_repo("lab/model", by=ada, type_=type_, files=files, gated="manual") for type_ in ("model", "dataset")]


def prepared(operation, repos, ada, jo):
    """What the operation needs to find."""
    if "user-access" in operation.path:
        for repo in repos:
            services.ask(repo=repo, answers={"Company": "Example Ltd", "I agree": "on"}, by=Actor(user=jo))
    if operation.method == "DELETE" and "/branch/" in operation.path:
        content.create_branch(repos[0], "v1", start=None, by=Actor(user=ada))
    if operation.method == "DELETE" and "/tag/" in operation.path:
        content.create_tag(repos[0], "v1", revision="main", message=None, by=Actor(user=ada))


def called(line: str, token: str):
    """What curl would send for a line to copy: the answer."""
    words = shlex.split(line.replace("\\\n", " ").replace("$HF_TOKEN", token))
    given, headers, url = {}, {}, words.pop()
    words = iter(word for word in words[1:] if word != "--location")
    for option, value in zip(words, words, strict=True):
        if option == "--header":
            headers.update([value.split(": ", 1)])
        else:
            given[option] = value
    data = given.pop("--data-binary", "")
    method = given.pop("--request", "POST" if data else "GET")
    assert not given
    assert url.startswith(ORIGIN)
    return Client().generic(
        method, url.removeprefix(ORIGIN), data, headers.pop("Content-Type", "application/json"), headers=headers
    )


@pytest.mark.parametrize("operation", OPERATIONS, ids=[operation.key for operation in OPERATIONS])
def test_each_line_does_what_it_says(operation, repos, ada, jo):
    prepared(operation, repos, ada, jo)
    answer = called(operation.line(ORIGIN), make_token(jo if operation.path.endswith(BY_REQUESTER) else ada))
    if operation.key == "post_oauth_token":  # Nobody has begun: CODE stands for what the operation before answers.
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")
    else:
        assert str(answer.status_code) in [told.split()[0] for told in operation.answers]


def test_every_operation_has_a_group_and_a_title():
    told = [key for titles in openapi.OPERATIONS.values() for key in titles]
    assert [operation.key for operation in OPERATIONS] == told
    assert all(not operation.title.startswith("/") for operation in OPERATIONS)


def test_the_document_tells_the_same(client):
    document = client.get("/api/openapi.json").json()
    operations = [one for methods in document["paths"].values() for one in methods.values()]
    assert [one["operationId"] for one in operations] == [operation.key for operation in OPERATIONS]
    assert all(one["responses"]["default"] == {"$ref": "#/components/responses/Refusal"} for one in operations)
    assert [tag["name"] for tag in document["tags"]] == list(openapi.OPERATIONS)
    parameters = [parameter for one in operations for parameter in one.get("parameters", [])]
    assert all(parameter["description"] for parameter in parameters if parameter["in"] == "path")


def test_every_operation_is_on_the_page_and_in_its_index(client):
    page = BeautifulSoup(client.get("/api/docs").content, "html.parser")
    index = [link["href"] for link in page.select(".reference-index a")]
    assert {f"#{operation.key}" for operation in OPERATIONS} < set(index)
    assert all(page.find(id=target.removeprefix("#")) for target in index)
    handle = page.find(id="post_repo_type_repo_user_access_request_handle")
    assert "POST" in handle.find(class_="address").text
    assert [dt.text.strip() for dt in handle.select("dt")][:3] == ["repo_type", "namespace", "name"]
    status = handle.select("dl")[1].find("div")
    assert (status.find("dt").text.strip(), status.find(class_="kind").text) == ("status", "text, required")
    assert f"{ORIGIN}/api/models/lab/model/user-access-request/handle" in handle.find(class_="copy").text


def test_choices_are_told():
    settings = next(one for one in OPERATIONS if one.key == "put_repo_type_repo_settings")
    kinds = {value.name: value.kind for value in settings.body}
    assert kinds["gated"] == 'false or "auto" or "manual"'
    assert kinds["visibility"] == '"public" or "private"'
    report = next(one for one in OPERATIONS if one.key == "get_user_access_report_repo")
    by_name = {value.name: value for value in report.in_query}
    assert by_name["status"].kind == 'list of "accepted" or "pending" or "rejected"'
    assert "by default <code>json</code>" in by_name["format"].text


def test_the_page_asks_the_database_nothing(client, django_assert_num_queries, db):
    reference.groups()
    with django_assert_num_queries(0):
        assert client.get("/api/docs").status_code == 200
