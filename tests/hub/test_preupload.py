"""Before an upload: which way each file goes, what has not changed, what is left out; is the card sound?"""

from __future__ import annotations

import hashlib

import pytest

from accounts.actor import SYSTEM
from accounts.services import set_role
from gatehub.hub.preupload import MAX_FILES
from repos.models import Repo
from tests.support.cast import GATE_CARD, MakeRepo, add_files, b64

URL = "/api/models/lab/base/preupload/main"
WEIGHTS = b"weights " * 100
ALIAS_BOMB = "---\na0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [{f'*a{n - 1}, ' * 9}]\n" for n in range(1, 12)) + "---\n"


@pytest.fixture
def base(ada, lab, make_repo: MakeRepo) -> Repo:
    return make_repo("lab/base", by=ada, files={"config.json": b"{}\n"}, large={"model.safetensors": WEIGHTS})


def _ask(caller, path: str, size: int = 100, sample: bytes = b"text", *, url: str = URL, **more):
    answer = caller.post(url, {"files": [{"path": path, "size": size, "sample": b64(sample)}], **more})
    assert answer.status_code == 200, answer.content
    [file] = answer.json()["files"]
    assert file["path"] == path
    return file


@pytest.mark.parametrize(
    ("path", "size", "sample", "mode"),
    [
        ("notes.txt", 100, b"text", "regular"),
        ("sub/model.safetensors", 100, b"text", "lfs"),  # .gitattributes of the repo
        ("model.safetensors", 0, b"", "regular"),
        ("data/train-0000.parquet", 10, b"PAR1", "lfs"),
        ("huge.txt", 10 * 1024**2 + 1, b"text", "lfs"),
        ("large.txt", 10 * 1024**2, b"text", "regular"),
        ("blob", 100_001, b"\x00\x01", "lfs"),
        ("blob", 100_001, b"\xff\xfe", "lfs"),
        ("blob", 100_000, b"\x00\x01", "regular"),
        ("café.txt", 200_000, "é".encode() * 255 + b"\xc3", "regular"),  # A sample ends where it ends.
        ("README.md", 100, b"text", "regular"),
        ("sub/.gitignore", 200_000, b"\x00", "regular"),
    ],
)
def test_which_way_a_file_goes(api, base, ada, path, size, sample, mode):
    assert _ask(api(ada), path, size, sample)["uploadMode"] == mode


def test_the_attributes_of_that_branch_and_folder_count(api, base, ada):
    caller = api(ada)
    add_files(base, {"raw/.gitattributes": b"*.bin -filter\n*.dat filter=lfs\n"}, by=ada)
    assert _ask(caller, "a.bin")["uploadMode"] == "lfs"
    assert _ask(caller, "raw/a.bin")["uploadMode"] == "regular"
    assert _ask(caller, "raw/deep/a.dat")["uploadMode"] == "lfs"
    assert _ask(caller, "a.dat")["uploadMode"] == "regular"
    assert caller.post("/api/models/lab/base/branch/dev%2Fx", {}).status_code == 200
    add_files(base, {".gitattributes": b""}, by=ada)
    assert _ask(caller, "a.bin")["uploadMode"] == "regular"
    assert _ask(caller, "a.bin", url="/api/models/lab/base/preupload/dev%2Fx")["uploadMode"] == "lfs"


def test_the_present_content_is_named_so_that_it_need_not_be_sent(api, base, ada):
    caller = api(ada)
    blob = hashlib.sha1(b"blob 3\x00{}\n", usedforsecurity=False).hexdigest()
    assert _ask(caller, "config.json")["oid"] == blob
    assert _ask(caller, "model.safetensors")["oid"] == hashlib.sha256(WEIGHTS).hexdigest()
    assert _ask(caller, "new.txt")["oid"] is None


def test_who_may_write_and_not_read_learns_no_hash_of_a_large_file(api, ada, wes, lab, make_repo):
    make_repo("lab/base", by=ada, gated="manual", org_members_gated=True, large={"model.safetensors": WEIGHTS})
    assert _ask(api(wes), "model.safetensors")["oid"] is None
    assert _ask(api(ada), "model.safetensors")["oid"] == hashlib.sha256(WEIGHTS).hexdigest()


def test_a_gitignore_on_its_way_up_or_in_the_repo_leaves_files_out(api, base, ada):
    caller = api(ada)
    assert _ask(caller, "logs/a.log", gitIgnore="logs/\n")["shouldIgnore"] is True
    assert _ask(caller, "a.log", gitIgnore="logs/\n")["shouldIgnore"] is False
    add_files(base, {".gitignore": b"*.log\n"}, by=ada)
    assert _ask(caller, "a.log")["shouldIgnore"] is True


def test_no_files_are_no_mistake(api, base, ada):
    assert api(ada).post(URL, {"files": []}).json()["files"] == []


@pytest.mark.parametrize(
    "files",
    [
        None,
        {},
        ["a"],
        [{"size": 1}],
        [{"path": "a", "size": "1"}],
        [{"path": "a", "size": -1}],
        [{"path": "a", "size": True}],
        [{"path": "a", "size": 1, "sample": "???"}],
        [{"path": "../a", "size": 1}],
        [{"path": "a\x00b", "size": 1}],
        [{"path": "/a", "size": 1}],
        [{"path": ".git/config", "size": 1}],
        [{"path": "a", "size": 1}] * (MAX_FILES + 1),
    ],
    ids=lambda files: repr(files)[:40],
)
def test_bad_input_is_a_400(api, base, ada, files):
    answer = api(ada).post(URL, {"files": files})
    assert answer.status_code == 400
    assert answer.json()["error"]


def test_half_a_character_in_json_is_a_400(api, base, ada):
    answer = api(ada).send("POST", URL, b'{"files": [{"path": "\\ud800", "size": 1}]}')
    assert answer.status_code == 400


@pytest.mark.parametrize(
    ("url", "status", "text"),
    [
        (f"{URL}?create_pr=1", 403, "Pull requests"),
        ("/api/models/lab/base/preupload/refs%2Fpr%2F1", 403, "Pull requests"),
        ("/api/models/lab/base/preupload/nowhere", 404, "no branch"),
        ("/api/models/lab/base/preupload/--help", 404, "no branch"),
    ],
)
def test_only_branches_are_written_to(api, base, ada, url, status, text):
    answer = api(ada).post(url, {"files": []})
    assert answer.status_code == status
    assert text in answer.json()["error"]


def test_who_may_not_write_is_refused(api, stranger, base, sam, rea):
    assert stranger.post(URL, {"files": []}).status_code == 401
    assert api(sam).post(URL, {"files": []}).status_code == 403
    assert api(rea).post(URL, {"files": []}).status_code == 403
    set_role(organization=base.namespace.organization, user=rea, role="write", by=SYSTEM)
    assert api(rea).post(URL, {"files": []}).status_code == 200
    assert api(rea, "read").post(URL, {"files": []}).status_code == 403


def test_a_sound_card_has_no_errors(api, stranger, ada):
    for caller in (api(ada), stranger):
        answer = caller.post("/api/validate-yaml", {"content": GATE_CARD, "repoType": "model"})
        assert (answer.status_code, answer.json()) == (200, {"errors": [], "warnings": []})


def test_a_card_that_lacks_something_has_warnings(stranger):
    answer = stranger.post("/api/validate-yaml", {"content": "# No metadata"})
    assert answer.status_code == 200
    assert answer.json()["warnings"][0]["message"]


def test_all_errors_of_a_card_are_told(stranger):
    broken = "---\nextra_gated_fields:\n  Age: number\n  Name: text\n  Use: [text]\n---\n"
    answer = stranger.post("/api/validate-yaml", {"content": broken, "repoType": "model"})
    told = [error["message"].partition(":")[0] for error in answer.json()["errors"]]
    assert (answer.status_code, told) == (400, ["line 3", "line 5"])


@pytest.mark.parametrize(
    ("card", "text"),
    [
        ("---\nlicense: [mit\n---\n", "line 3"),
        (ALIAS_BOMB, "line"),
        ("---\nextra_gated_fields:\n  Age: number\n---\n", "line 3"),
    ],
)
def test_a_broken_card_is_a_400_with_line_and_reason(stranger, card, text):
    answer = stranger.post("/api/validate-yaml", {"content": card, "repoType": "model"})
    assert answer.status_code == 400
    body = answer.json()
    assert text in body["errors"][0]["message"]
    assert body["warnings"] == []


@pytest.mark.parametrize("body", [{"content": 5}, [], "x", {"content": "x", "repoType": []}])
def test_the_answer_about_a_card_is_a_json_object_in_every_case(stranger, body):
    answer = stranger.post("/api/validate-yaml", body)
    assert answer.status_code == 400
    assert isinstance(answer.json(), dict)
