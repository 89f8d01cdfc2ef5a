"""Creating and deleting branches and tags of lab/m; squashing.  wes may write there, rea may read, sam is nobody."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.models import AuditEvent, Organization, User
from repos import content
from repos.models import Repo
from tests.support.cast import MakeRepo, add_files

REPO = "/api/models/lab/m"


@pytest.fixture
def repo(ada: User, lab: Organization, make_repo: MakeRepo) -> Repo:
    return make_repo("lab/m", by=ada, files={"a.txt": b"a"})


def branches(repo: Repo) -> list[str]:
    return [ref.name for ref in content.open_git(repo).branches()]


def tags(repo: Repo) -> dict[str, str]:
    return {ref.name: ref.target for ref in content.open_git(repo).tags()}


def said(answer: Any) -> tuple[int, str | None]:
    return answer.status_code, answer.get("X-Error-Code")


@pytest.mark.parametrize("name", ["dev", "dev%2Fx", "dev/x", "release-1.0", "%C3%BCber", "refs%2Fheads%2Fdev"])
def test_a_branch_comes_and_goes(name, api, wes, repo):
    caller = api(wes)
    assert said(caller.post(f"{REPO}/branch/{name}", {})) == (200, None)
    assert len(branches(repo)) == 2
    assert said(caller.post(f"{REPO}/branch/{name}", {})) == (409, None)
    assert said(caller.delete(f"{REPO}/branch/{name}")) == (200, None)
    assert branches(repo) == ["main"]
    assert said(caller.delete(f"{REPO}/branch/{name}")) == (404, "RevisionNotFound")


def test_a_branch_starts_where_it_is_told(api, wes, repo):
    git = content.open_git(repo)
    first = git.commits(git.head())[-1].oid
    assert api(wes).post(f"{REPO}/branch/old", {"startingPoint": first}).status_code == 200
    assert git.head("old") == first
    assert said(api(wes).post(f"{REPO}/branch/new", {"startingPoint": "nope"})) == (404, "RevisionNotFound")
    assert api(wes).post(f"{REPO}/branch/null", {"startingPoint": None}).status_code == 200
    assert api(wes).post(f"{REPO}/branch/bare", b"").status_code == 200
    assert git.head("bare") == git.head("null") == git.head()


def test_main_stays(api, ada, repo):
    answer = api(ada).delete(f"{REPO}/branch/main")
    assert said(answer) == (403, None)
    assert api(ada).delete(f"{REPO}/branch/refs%2Fheads%2Fmain").status_code == 403
    assert branches(repo) == ["main"]


UNUSABLE = [
    *"--help HEAD a..b a%20b a~1 a%5Eb a:b a%00b a%0Ab a/ a//b a.lock @%7B1%7D %2E%2E%2Fx refs%2Fpr%2F1".split(),
    "f" * 40,
    "x" * 2000,
]


@pytest.mark.parametrize("name", UNUSABLE)
def test_names_that_git_cannot_have_are_refused(name, api, wes, repo):
    caller = api(wes)
    answer = caller.post(f"{REPO}/branch/{name}", {})
    assert answer.status_code == 400, answer.content
    assert caller.delete(f"{REPO}/branch/{name}").status_code in (400, 404)
    assert branches(repo) == ["main"]
    assert "\n" not in answer["X-Error-Message"]


@pytest.mark.parametrize("body", [[], "x", {"startingPoint": 1}, b"{", b"\xff"])
def test_a_body_that_makes_no_sense_changes_nothing(body, api, wes, repo):
    assert api(wes).post(f"{REPO}/branch/dev", body).status_code == 400
    assert branches(repo) == ["main"]


@pytest.mark.parametrize("message", ["", "First release\nof many"])
def test_a_tag_comes_and_goes(message, api, wes, repo):
    caller = api(wes)
    head = content.open_git(repo).head()
    for tag in ("v1", "v1/final"):
        if "/" in tag:
            caller.delete(f"{REPO}/tag/v1")
        assert said(caller.post(f"{REPO}/tag/main", {"tag": tag, "message": message})) == (200, None)
        assert tags(repo) == {tag: head}
        assert said(caller.post(f"{REPO}/tag/main", {"tag": tag})) == (409, None)
    assert said(caller.delete(f"{REPO}/tag/v1%2Ffinal")) == (200, None)
    assert tags(repo) == {}
    assert said(caller.delete(f"{REPO}/tag/v1%2Ffinal")) == (404, "RevisionNotFound")


def test_a_tag_stands_at_its_revision(api, wes, repo):
    git = content.open_git(repo)
    first = git.commits(git.head())[-1].oid
    caller = api(wes)
    assert caller.post(f"{REPO}/branch/dev%2Fx", {"startingPoint": first}).status_code == 200
    for tag, revision in (("a", "dev%2Fx"), ("b", first), ("c", first[:8])):
        assert caller.post(f"{REPO}/tag/{revision}", {"tag": tag}).status_code == 200
    assert set(tags(repo).values()) == {first}
    assert said(caller.post(f"{REPO}/tag/nope", {"tag": "d"})) == (404, "RevisionNotFound")


@pytest.mark.parametrize(
    "body", [{}, {"tag": ""}, {"tag": None}, {"tag": 1}, {"tag": "--help"}, {"tag": "a\0"}, {"tag": "v1", "message": 1}]
)
def test_a_tag_needs_a_name_that_it_can_have(body, api, wes, repo):
    assert api(wes).post(f"{REPO}/tag/main", body).status_code == 400
    assert tags(repo) == {}


def test_squashing_leaves_one_commit_with_the_same_files(api, wes, ada, repo):
    add_files(repo, {"b.txt": b"b"}, by=ada)
    answer = api(wes).post(f"{REPO}/super-squash/main", {"message": "All in one"})
    git = content.open_git(repo)
    assert answer.json() == {"commitOid": git.head()}
    assert [info.title for info in git.commits(git.head())] == ["All in one"]
    assert [entry.path for entry in git.tree(git.head())] == [".gitattributes", "a.txt", "b.txt"]
    repo.refresh_from_db()
    assert repo.head_sha == git.head()
    assert said(api(wes).post(f"{REPO}/super-squash/nope", {})) == (404, "RevisionNotFound")


def test_squashing_a_branch_with_a_slash_leaves_main(api, wes, repo):
    git = content.open_git(repo)
    before = git.head()
    api(wes).post(f"{REPO}/branch/dev%2Fx", {})
    assert api(wes).post(f"{REPO}/super-squash/dev%2Fx", {}).status_code == 200
    assert git.head() == before
    assert len(git.commits(git.head("dev/x"))) == 1


CHANGES = [
    ("POST", "branch/new", {}),
    ("DELETE", "branch/dev", None),
    ("POST", "tag/main", {"tag": "v2"}),
    ("DELETE", "tag/v1", None),
    ("POST", "super-squash/main", {}),
]


@pytest.mark.parametrize(("method", "route", "body"), CHANGES)
def test_only_those_who_may_write_change_refs(method, route, body, stranger, api, ada, wes, rea, sam, repo):
    writer = api(ada)
    writer.post(f"{REPO}/branch/dev", {})
    writer.post(f"{REPO}/tag/main", {"tag": "v1"})
    git = content.open_git(repo)
    before = [(ref.ref, ref.target) for ref in (*git.branches(), *git.tags())]
    trail = AuditEvent.objects.count()
    assert said(stranger.send(method, f"{REPO}/{route}", body)) == (401, None)
    for caller in (api(rea), api(sam), api(ada, "read")):
        assert said(caller.send(method, f"{REPO}/{route}", body)) == (403, None)
    assert [(ref.ref, ref.target) for ref in (*git.branches(), *git.tags())] == before
    assert AuditEvent.objects.exclude(verb__startswith="token:").count() == trail - 1
    assert api(wes).send(method, f"{REPO}/{route}", body).status_code == 200
    assert [(ref.ref, ref.target) for ref in (*git.branches(), *git.tags())] != before


@pytest.mark.parametrize(("method", "route", "body"), CHANGES)
def test_a_hidden_repo_is_like_a_missing_one(method, route, body, api, ada, lab, sam, make_repo):
    make_repo("lab/secret", by=ada, private=True)
    caller = api(sam)
    hidden = caller.send(method, f"/api/models/lab/secret/{route}", body)
    missing = caller.send(method, f"/api/models/lab/absent/{route}", body)
    assert said(hidden) == (404, "RepoNotFound")
    assert hidden.content == missing.content


def test_a_browser_needs_the_csrf_token(browser, ada, repo):
    signed_in = browser(ada, enforce_csrf_checks=True)
    answer = signed_in.post(f"{REPO}/branch/dev", "{}", content_type="application/json")
    assert answer.status_code == 403
    assert branches(repo) == ["main"]
