"""Commits through the API.  ada owns ada/base; lab/toxic-bert holds a large file that ada/base does not."""

from __future__ import annotations

import json
import re

import pytest

from accounts.actor import Actor
from accounts.models import AuditEvent
from repos import content, services
from repos.models import LfsObject
from tests.support.cast import b64, text_of

PATH = "/api/models/ada/base/commit/main"
HEADER = {"key": "header", "value": {"summary": "change", "description": "why"}}

ALIAS_BOMB = (
    "---\na0: &a0 [lol]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 10)) + "---\n"
).encode()


def file(path, data=b"x", **more):
    return {"key": "file", "value": {"path": path, "content": b64(data), "encoding": "base64", **more}}


def lfs_file(path, oid, **more):
    return {"key": "lfsFile", "value": {"path": path, "algo": "sha256", "oid": oid, **more}}


@pytest.fixture
def base(make_repo, ada):
    return make_repo("ada/base", by=ada, files={"a.txt": b"a", "sub/b.txt": b"b"}, large={"w.bin": b"weights"})


def _files(repo):
    git = content.open_git(repo)
    return {entry.path for entry in git.tree(git.head(), recursive=True) if entry.type == "file"}


def _head(repo):
    return content.open_git(repo).head()


def test_files_are_added_changed_and_deleted_in_one_commit(api, base, ada):
    answer = api(ada).commit(
        PATH,
        [
            HEADER,
            file("c/ü d.txt", "héllo".encode()),
            file("a.txt", b""),
            {"key": "deletedFolder", "value": {"path": "sub/"}},
            {"key": "deletedFile", "value": {"path": "w.bin"}},
        ],
    )
    assert answer.status_code == 200, answer.content
    body = answer.json()
    assert body["commitUrl"] == f"http://testserver/ada/base/commit/{body['commitOid']}"
    assert _files(base) == {".gitattributes", "a.txt", "c/ü d.txt"}
    assert text_of(api(ada).get("/ada/base/resolve/main/c/ü d.txt")) == "héllo".encode()
    [newest, *_] = api(ada).get("/api/models/ada/base/commits/main").json()
    assert (newest["title"], newest["message"]) == ("change", "why")
    event = AuditEvent.objects.filter(verb="repo:commit").first()
    assert (event.actor, event.after) == ("ada", body["commitOid"])


def test_the_json_form_of_the_oldest_client(api, base, ada):
    oid = LfsObject.objects.get(repo=base).sha256
    body = {
        "summary": "old",
        "description": "",
        "files": [{"path": "n.txt", "encoding": "base64", "content": b64(b"n")}],
        "lfsFiles": [{"path": "copy.bin", "algo": "sha256", "oid": oid}],
        "deletedFiles": [{"path": "a.txt"}],
    }
    assert api(ada).post(PATH, body).status_code == 200
    assert _files(base) == {".gitattributes", "copy.bin", "n.txt", "sub/b.txt", "w.bin"}


def test_a_copy_of_a_large_file_needs_no_size(api, base, ada):
    oid = LfsObject.objects.get(repo=base).sha256
    assert api(ada).commit(PATH, [HEADER, lfs_file("copy.bin", oid)]).status_code == 200
    assert text_of(api(ada).get("/ada/base/resolve/main/copy.bin")) == b"weights"


def test_another_repos_object_cannot_be_attached_by_its_hash(api, base, ada, gated_repo):
    oid = LfsObject.objects.get(repo=gated_repo).sha256
    before = _head(base)
    for size in ({"size": 8000}, {}):
        answer = api(ada).commit(PATH, [HEADER, lfs_file("stolen.bin", oid, **size)])
        assert answer.status_code == 400
        assert "was uploaded to this repository" in answer.json()["error"]
    assert _head(base) == before


def test_a_pointer_smuggled_in_as_text_opens_nothing(api, base, ada, gated_repo):
    held = LfsObject.objects.get(repo=gated_repo)
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{held.sha256}\nsize {held.size}\n".encode()
    api(ada).commit(PATH, [HEADER, file("stolen.bin", pointer)])
    answer = api(ada).get("/ada/base/resolve/main/stolen.bin")
    assert answer.status_code == 404


@pytest.mark.parametrize(
    "lines",
    [
        [],
        [file("a.txt")],
        [HEADER, HEADER],
        [HEADER, {"key": "copyFile", "value": {"path": "x"}}],
        [HEADER, {"key": "file"}],
        [HEADER, {"value": {}}],
        [HEADER, {"key": ["file"], "value": {}}],
        [HEADER, {"key": "file", "value": {"path": "x", "content": "not base64!", "encoding": "base64"}}],
        [HEADER, {"key": "file", "value": {"path": "x", "content": "eA", "encoding": "base64"}}],
        [HEADER, {"key": "file", "value": {"path": "x", "content": "x", "encoding": "rot13"}}],
        [HEADER, {"key": "file", "value": {"path": 7, "content": ""}}],
        [HEADER, lfs_file("x.bin", "zz" * 32)],
        [HEADER, lfs_file("x.bin", "../../etc/passwd")],
        [HEADER, lfs_file("x.bin", "aa" * 32, size=-1)],
        [HEADER, lfs_file("x.bin", "aa" * 32, size="1")],
        [{"key": "header", "value": {"summary": 7}}],
        [{"key": "header", "value": []}],
        [HEADER, file("a.txt/inside")],
        [HEADER, file("sub")],
    ],
)
def test_bad_input_is_a_400_and_changes_nothing(api, base, ada, lines):
    before = _head(base)
    answer = api(ada).commit(PATH, lines)
    assert answer.status_code == 400, answer.content
    assert answer.json()["error"]
    assert _head(base) == before


@pytest.mark.parametrize(
    "path",
    ["../x", "a/../../x", "/etc/passwd", "a//b", "a\x00b", "a\nb", "a\\b", ".git/config", "sub/.GIT/x", ".", "", "a/",
     "x" * 5000, "a/" * 300 + "b", "\x1b[2J"],
)  # fmt: skip
def test_a_path_that_no_file_can_have_is_refused(api, base, ada, path):
    before = _head(base)
    for line in (file(path), {"key": "deletedFile", "value": {"path": path}}, lfs_file(path, "aa" * 32)):
        assert api(ada).commit(PATH, [HEADER, line]).status_code == 400
    assert _head(base) == before


def test_a_refused_card_is_told_with_all_its_lines(api, base, ada):
    card = b"---\nextra_gated_fields:\n  Age: number\n  Name: text\n  Use: [text]\n---\n"
    answer = api(ada).commit(PATH, [HEADER, file("README.md", card)])
    assert answer.status_code == 400
    assert re.findall(r"line (\d)", answer.headers["X-Error-Message"]) == ["3", "5"]


@pytest.mark.parametrize(
    "card",
    [
        b"---\na: [\n---\n",
        b"---\nextra_gated_fields:\n  Company: texxt\n---\n",
        ALIAS_BOMB,
    ],
    ids=["broken YAML", "unknown type", "alias bomb"],
)
def test_a_card_that_cannot_be_read_is_refused_with_line_and_reason(api, base, ada, card):
    before = _head(base)
    answer = api(ada).commit(PATH, [HEADER, file("README.md", card)])
    assert answer.status_code == 400
    assert "line" in answer.json()["error"]
    assert _head(base) == before
    checked = api(ada).post("/api/validate-yaml", {"content": card.decode(), "repoType": "model"})
    assert checked.status_code == 400
    assert "line" in checked.json()["errors"][0]["message"]


def test_deleting_what_is_not_there_is_told_in_the_words_that_clients_know(api, base, ada):
    answer = api(ada).commit(PATH, [HEADER, {"key": "deletedFile", "value": {"path": "none.txt"}}])
    assert (answer.status_code, answer["X-Error-Code"]) == (404, "EntryNotFound")
    assert "A file with this name doesn't exist" in answer.json()["error"]


def test_a_stale_parent_is_a_412_and_a_fresh_one_lands(api, base, ada):
    head = _head(base)
    fresh = {"key": "header", "value": {"summary": "s", "parentCommit": head}}
    assert api(ada).commit(PATH, [fresh, file("n.txt")]).status_code == 200
    stale = api(ada).commit(PATH, [fresh, file("m.txt")])
    assert stale.status_code == 412
    assert "m.txt" not in _files(base)


def test_limits_of_file_line_and_body(api, base, ada, settings):
    settings.REGULAR_FILE_MAX_BYTES = 1000
    before = _head(base)
    assert api(ada).commit(PATH, [HEADER, file("big.txt", b"x" * 1001)]).status_code == 413
    assert api(ada).send("POST", PATH, b"x" * 200_000, content_type="application/x-ndjson").status_code == 413
    settings.COMMIT_MAX_BYTES = 100
    assert api(ada).commit(PATH, [HEADER, file("a" * 200)]).status_code == 413
    assert _head(base) == before


@pytest.mark.parametrize("revision", ["nope", "--help", "refs%2Fpr%2F1", "main~1", "v1"])
def test_only_branches_take_commits(api, base, ada, revision):
    answer = api(ada).commit(f"/api/models/ada/base/commit/{revision}", [HEADER, file("n.txt")])
    assert answer.status_code in {400, 403, 404}
    assert "n.txt" not in _files(base)


def test_pull_requests_are_refused_with_a_reason(api, base, ada):
    answer = api(ada).commit(f"{PATH}?create_pr=1", [HEADER, file("n.txt")])
    assert answer.status_code == 403
    assert "Pull requests are not offered" in answer.json()["error"]


def test_a_reader_and_a_stranger_commit_nothing(api, stranger, base, ada, sam):
    before = _head(base)
    assert api(sam).commit(PATH, [HEADER, file("n.txt")]).status_code == 403
    assert api(ada, "read").commit(PATH, [HEADER, file("n.txt")]).status_code == 403
    assert stranger.commit(PATH, [HEADER, file("n.txt")]).status_code == 401
    assert _head(base) == before


def test_a_commit_to_another_branch_leaves_main_and_its_card_alone(api, base, ada):
    before = _head(base)
    assert api(ada).post("/api/models/ada/base/branch/dev%2Fx", {}).status_code == 200
    assert api(ada).commit("/api/models/ada/base/commit/dev%2Fx", [HEADER, file("n.txt")]).status_code == 200
    base.refresh_from_db()
    assert base.head_sha == before


def test_a_line_that_is_not_json_is_named(api, base, ada):
    body = json.dumps(HEADER).encode() + b"\n{nope\n"
    answer = api(ada).send("POST", PATH, body, content_type="application/x-ndjson")
    assert answer.status_code == 400
    assert "Line 2" in answer.json()["error"]


def test_the_card_must_be_text(api, base, ada):
    oid = LfsObject.objects.get(repo=base).sha256
    answer = api(ada).commit(PATH, [HEADER, lfs_file("README.md", oid)])
    assert answer.status_code == 400
    assert "README.md must be a text file" in answer.json()["error"]
    assert "README.md" not in _files(base)


def test_a_repo_that_is_deleted_meanwhile_is_not_found(api, base, ada, monkeypatch):
    commit = content.commit

    def delete_first(repo, *args, **kwargs):
        services.delete_repo(repo, by=Actor(user=ada))
        return commit(repo, *args, **kwargs)

    monkeypatch.setattr(content, "commit", delete_first)
    answer = api(ada).commit(PATH, [HEADER, file("n.txt")])
    assert (answer.status_code, answer["X-Error-Code"]) == (404, "RepoNotFound")
