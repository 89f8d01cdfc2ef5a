"""The gate before downloads.  lab/toxic-bert is gated; ada is lab's admin; sam and strangers are outside."""

from __future__ import annotations

from typing import Any

import pytest

from access import policy, services
from access.models import AccessRequest, TokenScope
from access.tokens import Scope
from accounts.actor import Actor
from accounts.models import Namespace, User
from repos.models import Repo
from tests.support.cast import ANSWERS, GATE_CARD, Api, MakeRepo, add_files, make_token, text_of

FILE = "/lab/toxic-bert/resolve/main/model.safetensors"
Status = AccessRequest.Status


def ask(repo: Repo, user: User) -> AccessRequest:
    request = services.ask(repo=repo, answers=ANSWERS, by=Actor(user=user))
    assert request is not None
    return request


def refusal(answer: Any) -> tuple[int, str | None, str]:
    return answer.status_code, answer.get("X-Error-Code"), answer["X-Error-Message"]


def same(answer: Any) -> tuple[Any, ...]:
    """What two refusals must have in common."""
    headers = {name: value for name, value in answer.headers.items() if name != "X-Request-Id"}
    return answer.status_code, headers, answer.content


def test_a_stranger_is_told_to_sign_in(stranger, gated_repo):
    status, code, text = refusal(stranger.head(FILE))
    assert (status, code) == (401, "GatedRepo")
    assert text == (
        "Access to model lab/toxic-bert is restricted. You must have access to it and be authenticated to access it. "
        "Please log in. Visit http://testserver/lab/toxic-bert to ask for access."
    )
    assert stranger.head(FILE)["WWW-Authenticate"].startswith("Bearer")
    assert stranger.get(FILE).json()["error"] == text


def test_the_way_of_a_request(api, sam, ada, gated_repo):
    caller, by = api(sam, "read"), Actor(user=ada)
    assert "not in the authorized list. Visit http://testserver/lab/toxic-bert to ask" in refusal(caller.head(FILE))[2]
    request = ask(gated_repo, sam)
    assert refusal(caller.head(FILE))[:2] == (403, "GatedRepo")
    assert "is awaiting a review from the repo authors" in refusal(caller.head(FILE))[2]
    services.review(access_request=request, status=Status.ACCEPTED, by=by)
    assert text_of(caller.get(FILE)) == b"weights " * 1000
    services.review(access_request=request, status=Status.REJECTED, reason="Left us", by=by)
    assert "has been rejected by the repo's authors" in refusal(caller.head(FILE))[2]


def test_the_gate_comes_before_revision_and_path(stranger, api, sam, gated_repo):
    paths = [
        *"main main/ main/model.safetensors main/none main/sub/ nope/config.json nope/README.md main~1/a".split(),
        *"--help/README.md %00/README.md main/../README.md refs/pr/1/README.md main/README.md%00".split(),
        *"main//README.md main/README.md/ main/readme.md main/sub/README.md".split(),
        "0" * 40 + "/README.md",
    ]
    for caller in (stranger, api(sam)):
        expected = same(caller.get(FILE))
        assert expected[1]["X-Error-Code"] == "GatedRepo"
        for path in paths:
            assert same(caller.get(f"/lab/toxic-bert/resolve/{path}")) == expected, path


@pytest.mark.parametrize("name", sorted(policy.OPEN_FILES))
def test_four_files_are_open(name, stranger, api, sam, ada, gated_repo):
    add_files(gated_repo, {name: GATE_CARD.encode(), f"sub/{name}": b"closed"}, by=ada)
    for caller in (stranger, api(sam, "read"), api(sam, "fine-grained")):
        answer = caller.get(f"/lab/toxic-bert/resolve/main/{name}")
        assert (answer.status_code, text_of(answer)) == (200, GATE_CARD.encode())
        assert caller.head(f"/lab/toxic-bert/resolve/main/{name}")["ETag"] == answer["ETag"]
        assert refusal(caller.get(f"/lab/toxic-bert/resolve/main/sub/{name}"))[1] == "GatedRepo"


def test_an_open_file_that_is_not_there(stranger, gated_repo):
    answer = stranger.head("/lab/toxic-bert/resolve/main/LICENSE")
    assert refusal(answer)[:2] == (404, "EntryNotFound")
    assert answer["X-Repo-Commit"]


def test_an_open_name_at_a_branch_with_a_slash(stranger, api, ada, gated_repo):
    api(ada).post("/api/models/lab/toxic-bert/branch/dev%2Fx", {})
    for revision in ("dev%2Fx", "dev/x"):
        assert stranger.get(f"/lab/toxic-bert/resolve/{revision}/README.md").status_code == 200
        assert refusal(stranger.get(f"/lab/toxic-bert/resolve/{revision}/config.json"))[1] == "GatedRepo"


def test_a_private_repo_has_no_open_files(stranger, api, sam, ada, lab, make_repo):
    make_repo("lab/secret", by=ada, private=True, gated="manual", files={"README.md": b"# Secret"})
    assert refusal(stranger.get("/lab/secret/resolve/main/README.md"))[:2] == (401, "RepoNotFound")
    assert refusal(api(sam).get("/lab/secret/resolve/main/README.md"))[:2] == (404, "RepoNotFound")


def test_a_disabled_repo_has_no_open_files(stranger, gated_repo):
    Repo.objects.update(disabled=True)
    answer = stranger.get("/lab/toxic-bert/resolve/main/README.md")
    assert refusal(answer) == (403, None, "Access to this resource is disabled.")


def test_members_pass_the_gate_unless_they_are_gated_too(api, ada, rea, gated_repo):
    caller = api(rea, "read")
    assert caller.head(FILE).status_code == 200
    Repo.objects.update(org_members_gated=True)
    assert refusal(caller.head(FILE))[:2] == (403, "GatedRepo")
    assert api(ada, "read").head(FILE).status_code == 200


def test_a_fine_grained_token_is_told_that_it_is_the_problem(ada, gated_repo):
    namespace = Namespace.objects.get(name="lab")
    narrow = Api(make_token(ada, "fine-grained"))
    assert refusal(narrow.head(FILE))[:2] == (403, "GatedRepo")
    assert "your token is the problem" in refusal(narrow.head(FILE))[2]
    scope = Scope(TokenScope.Permission.CONTENT_READ, namespace=namespace)
    assert Api(make_token(ada, "fine-grained", scopes=[scope])).head(FILE).status_code == 200
    assert Api(make_token(ada, "fine-grained", can_read_gated=True)).head(FILE).status_code == 200


def test_a_bad_token_makes_no_stranger(gated_repo):
    for path in (FILE, "/lab/toxic-bert/resolve/main/README.md", "/lab/absent/resolve/main/a"):
        answer = Api("gate_bad").get(path)
        assert refusal(answer) == (401, None, "Invalid credentials in Authorization header")


def test_who_is_shut_out_learns_nothing_from_conditions_or_ranges(stranger, api, ada, gated_repo):
    etag = api(ada).head(FILE)["ETag"]
    expected = same(stranger.get(FILE))
    for headers in ({"If-None-Match": etag}, {"If-Match": etag}, {"Range": "bytes=0-1"}, {"Range": "bytes=99999999-"}):
        assert same(stranger.get(FILE, headers=headers)) == expected


def test_a_browser_gets_a_page(browser, gated_repo):
    answer = browser().get(FILE)
    assert (answer.status_code, answer["X-Error-Code"]) == (401, "GatedRepo")
    assert answer["Content-Type"].startswith("text/html")


@pytest.mark.parametrize("type_", ["model", "dataset"])
def test_auth_check(type_, stranger, api, ada, lab, wes, rea, sam, make_repo: MakeRepo):
    repo = make_repo("lab/m", by=ada, type_=type_, gated="manual", files={"README.md": GATE_CARD.encode()})
    address = f"/api/{type_}s/lab/m/auth-check"
    assert refusal(stranger.get(address))[:2] == (401, "GatedRepo")
    assert refusal(api(sam).get(address))[:2] == (403, "GatedRepo")
    assert f"Access to {type_} lab/m" in refusal(api(sam).get(address))[2]
    ask(repo, sam)
    assert "awaiting a review" in refusal(api(sam).get(address))[2]
    for person in (ada, wes, rea):
        answer = api(person, "read").get(address)
        assert (answer.status_code, answer.content) == (200, b"OK")


def test_auth_check_for_writing(stranger, api, ada, wes, rea, sam, gated_repo):
    address = "/api/models/lab/toxic-bert/auth-check/write"
    assert api(wes).get(address).content == b"OK"
    assert refusal(stranger.get(address))[:2] == (401, None)
    for caller in (api(rea), api(sam), api(ada, "read")):
        assert refusal(caller.get(address))[:2] == (403, None)
    assert "role read may not write" in refusal(api(ada, "read").get(address))[2]


@pytest.mark.parametrize("tail", ["", "/write"])
def test_auth_check_hides_what_is_hidden(tail, stranger, api, sam, ada, lab, make_repo):
    make_repo("lab/secret", by=ada, private=True)
    for caller, status in ((stranger, 401), (api(sam), 404)):
        hidden = caller.get(f"/api/models/lab/secret/auth-check{tail}")
        assert refusal(hidden)[:2] == (status, "RepoNotFound")
        assert same(hidden) == same(caller.get(f"/api/models/lab/absent/auth-check{tail}"))
