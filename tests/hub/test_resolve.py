"""Downloads of olu/m, which is open: headers, conditions, ranges, bytes.  The gate has a file of its own."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from accounts.actor import Actor
from accounts.models import User
from repos import content, objects
from repos import services as repo_services
from repos.git import AddPointer
from repos.models import LfsObject, Repo
from tests.support.cast import Api, MakeRepo, add_files, text_of

BIG = bytes(range(256)) * 4096  # 1 MiB
SMALL = b"0123456789" * 20
FILE = "/olu/m/resolve/main"


@pytest.fixture
def repo(olu: User, make_repo: MakeRepo) -> Repo:
    files = {"a.txt": SMALL, "sub/deep/b.json": b"{}", "empty": b"", 'ü n#?%;".txt': b"odd"}
    return make_repo("olu/m", by=olu, files=files, large={"big.bin": BIG})


def entry_of(repo: Repo, path: str) -> Any:
    git = content.open_git(repo)
    return git.entry(git.head(), path)


@pytest.mark.parametrize(
    ("path", "data"), [("a.txt", SMALL), ("big.bin", BIG), ("empty", b""), ("sub/deep/b.json", b"{}")]
)
def test_head_and_get_say_the_same(path, data, stranger, repo):
    entry = entry_of(repo, path)
    head, get = stranger.head(f"{FILE}/{path}"), stranger.get(f"{FILE}/{path}")
    assert text_of(get) == data
    assert text_of(head) == b""
    for answer in (head, get):
        assert answer.status_code == 200
        assert answer["X-Repo-Commit"] == content.open_git(repo).head()
        assert answer["ETag"] == f'"{entry.etag}"'
        assert answer["Content-Length"] == str(len(data))
        assert answer["Accept-Ranges"] == "bytes"
        assert answer["X-Request-Id"]
        assert not {"Location", "Link", "X-Xet-Hash"} & set(answer.headers)
        assert "Content-Encoding" not in answer
    assert {**head.headers, "X-Request-Id": ""} == {**get.headers, "X-Request-Id": ""}


def test_the_etag_is_the_hash_of_what_is_served(stranger, repo):
    assert stranger.head(f"{FILE}/big.bin")["ETag"] == f'"{hashlib.sha256(BIG).hexdigest()}"'
    blob = hashlib.sha1(b"blob %d\0" % len(SMALL) + SMALL).hexdigest()  # noqa: S324 - git's own.
    assert stranger.head(f"{FILE}/a.txt")["ETag"] == f'"{blob}"'


def test_a_head_reads_no_bytes(stranger, repo, monkeypatch):
    monkeypatch.setattr(objects, "open", None)
    monkeypatch.setattr("repos.git.GitRepo.iter_blob", None)
    assert stranger.head(f"{FILE}/big.bin").status_code == 200
    assert stranger.head(f"{FILE}/a.txt").status_code == 200


@pytest.mark.parametrize(
    "revision", ["dev%2Fx", "dev/x", "refs%2Fheads%2Fdev%2Fx", "refs/heads/dev/x", "v%2F1", "SHA", "SHORT"]
)
def test_any_spelling_of_a_revision(revision, stranger, olu, repo):
    by = Actor(user=olu)
    sha = content.open_git(repo).head()
    content.create_branch(repo, "dev/x", start="main", by=by)
    content.create_tag(repo, "v/1", revision="main", message="", by=by)
    add_files(repo, {"a.txt": b"newer"}, by=olu)
    revision = revision.replace("SHA", sha).replace("SHORT", sha[:9])
    answer = stranger.get(f"/olu/m/resolve/{revision}/a.txt")
    assert (text_of(answer), answer["X-Repo-Commit"]) == (SMALL, sha)


def test_a_name_with_odd_characters(stranger, repo):
    answer = stranger.get(f"{FILE}/%C3%BC%20n%23%3F%25%3B%22.txt")
    assert text_of(answer) == b"odd"
    assert answer["Content-Disposition"] == (
        "inline; filename*=UTF-8''%C3%BC%20n%23%3F%25%3B%22.txt; filename=\"_ n#?%;_.txt\";"
    )


def test_a_name_cannot_add_a_header(stranger, olu, repo):
    """git takes any bytes in a name, as a push can bring them."""
    git = content.open_git(repo)
    with git._handles.take() as handle:
        builder = handle.TreeBuilder(handle[git.head()].tree)
        builder.insert("x\r\nSet-Cookie: a=b", handle.create_blob(b"evil"), 0o100644)
        tree = builder.write()
        signature = content.author_of(Actor(user=olu)).signature()
        handle.create_commit("refs/heads/main", signature, signature, "evil", tree, [git.head()])
    answer = stranger.get(f"{FILE}/x%0D%0ASet-Cookie%3A%20a%3Db")
    assert text_of(answer) == b"evil"
    assert answer["Content-Disposition"].endswith('filename="x__Set-Cookie: a=b";')
    assert "Set-Cookie" not in answer


def test_a_file_to_be_saved(stranger, repo):
    assert stranger.get(f"{FILE}/a.txt?download=true")["Content-Disposition"].startswith("attachment; ")
    assert stranger.get(f"{FILE}/a.txt")["Content-Disposition"].startswith("inline; ")


@pytest.mark.parametrize(
    "path", ["none.txt", "sub", "sub/deep", "", "a.txt/x", "a.txt/", "..", "../m/a.txt", "%2e%2e/a.txt"]
)
def test_a_missing_file_names_the_commit(path, stranger, repo):
    """Clients remember then that it is not there, and spare the next look."""
    for answer in (stranger.get(f"{FILE}/{path}"), stranger.head(f"{FILE}/{path}")):
        assert (answer.status_code, answer["X-Error-Code"]) == (404, "EntryNotFound")
        assert answer["X-Repo-Commit"] == content.open_git(repo).head()
        assert answer["X-Error-Message"]


@pytest.mark.parametrize(
    "revision", ["nope", "refs%2Fpr%2F1", "0" * 40, "--help", "main~1", "-", "x" * 2000, "%00", "HEAD"]
)
def test_a_missing_revision_says_so(revision, stranger, repo):
    answer = stranger.get(f"/olu/m/resolve/{revision}/a.txt")
    assert (answer.status_code, answer["X-Error-Code"]) == (404, "RevisionNotFound")
    assert len(answer["X-Error-Message"]) < 900


def test_a_hidden_repo_is_like_a_missing_one(stranger, api, ada, lab, sam, make_repo):
    make_repo("lab/secret", by=ada, private=True, files={"README.md": b"# Secret"})
    for caller, status in ((stranger, 401), (api(sam), 404)):
        for path in ("resolve/main/README.md", "resolve/nope/README.md", "resolve/main/x"):
            hidden, missing = caller.get(f"/lab/secret/{path}"), caller.get(f"/lab/absent/{path}")
            assert (hidden.status_code, hidden["X-Error-Code"]) == (status, "RepoNotFound")
            assert hidden.content == missing.content


def test_a_moved_repo_redirects_to_a_relative_address(stranger, repo):
    repo_services.move_repo(repo, namespace=repo.namespace, name="new", by=Actor(user=None))
    answer = stranger.head(f"{FILE}/a.txt?download=true")
    assert (answer.status_code, answer["Location"]) == (307, "/olu/new/resolve/main/a.txt?download=true")


def test_a_dataset_has_its_own_addresses(stranger, olu, make_repo):
    make_repo("olu/d", by=olu, type_="dataset", files={"a.txt": b"data"})
    assert text_of(stranger.get("/datasets/olu/d/resolve/main/a.txt")) == b"data"
    assert stranger.get("/olu/d/resolve/main/a.txt")["X-Error-Code"] == "RepoNotFound"


# Ranges


@pytest.mark.parametrize(("path", "data"), [("a.txt", SMALL), ("big.bin", BIG)])
@pytest.mark.parametrize("spelled", ["0-", "0-0", "10-19", "100-", "-1", "-100", "0-99999999", "5-6, 10-20"])
def test_a_part_of_a_file(spelled, path, data, stranger, repo):
    first, _, last = spelled.partition(",")[0].partition("-")
    start = int(first) if first else len(data) - int(last)
    stop = min(int(last) + 1, len(data)) if first and last else len(data)
    answer = stranger.get(f"{FILE}/{path}", headers={"Range": f"bytes={spelled}"})
    assert answer.status_code == 206
    assert text_of(answer) == data[start:stop]
    assert answer["Content-Range"] == f"bytes {start}-{stop - 1}/{len(data)}"
    assert answer["Content-Length"] == str(stop - start)
    assert answer["ETag"] == f'"{entry_of(repo, path).etag}"'
    assert answer["X-Repo-Commit"]


@pytest.mark.parametrize("path", ["a.txt", "big.bin", "empty"])
def test_a_part_that_is_not_there(path, stranger, repo):
    size = entry_of(repo, path).size
    answer = stranger.get(f"{FILE}/{path}", headers={"Range": f"bytes={size}-"})
    assert (answer.status_code, answer["Content-Range"]) == (416, f"bytes */{size}")


def test_a_range_that_makes_no_sense_gives_the_whole_file(stranger, repo):
    answer = stranger.get(f"{FILE}/a.txt", headers={"Range": "bytes=9-3"})
    assert (answer.status_code, text_of(answer)) == (200, SMALL)


def test_a_range_means_nothing_to_a_head(stranger, repo):
    answer = stranger.head(f"{FILE}/a.txt", headers={"Range": "bytes=0-1"})
    assert (answer.status_code, answer["Content-Length"]) == (200, str(len(SMALL)))


@pytest.mark.parametrize(
    ("only_if", "status"),
    [('"ETAG"', 206), ('W/"ETAG"', 200), ('"other"', 200), ("ETAG", 200), ("Sat, 31 Jan 2026 10:20:30 GMT", 200)],
)
def test_if_range(only_if, status, stranger, repo):
    only_if = only_if.replace("ETAG", entry_of(repo, "big.bin").etag)
    answer = stranger.get(f"{FILE}/big.bin", headers={"Range": "bytes=5-9", "If-Range": only_if})
    assert answer.status_code == status
    assert text_of(answer) == (BIG[5:10] if status == 206 else BIG)


# Conditions


@pytest.mark.parametrize("method", ["get", "head"])
@pytest.mark.parametrize("known", ['"ETAG"', 'W/"ETAG"', '"x", "ETAG"', "*"])
def test_what_is_known_already_is_not_sent_again(known, method, stranger, repo):
    etag = entry_of(repo, "a.txt").etag
    answer = getattr(stranger, method)(f"{FILE}/a.txt", headers={"If-None-Match": known.replace("ETAG", etag)})
    assert (answer.status_code, text_of(answer)) == (304, b"")
    assert (answer["ETag"], answer["X-Repo-Commit"]) == (f'"{etag}"', content.open_git(repo).head())


@pytest.mark.parametrize("path", ["a.txt", "big.bin"])
def test_what_is_known_stays_in_its_sandbox(path, stranger, repo):
    """A browser takes the headers of a 304 for those of what it has."""
    whole = stranger.head(f"{FILE}/{path}")
    known = stranger.get(f"{FILE}/{path}", headers={"If-None-Match": whole["ETag"]})
    assert known.status_code == 304
    for name in ("Content-Security-Policy", "X-Content-Type-Options", "Cache-Control", "ETag", "X-Repo-Commit"):
        assert known[name] == whole[name]
    assert "sandbox" in known["Content-Security-Policy"]


def test_what_has_changed_is_sent(stranger, repo):
    assert stranger.get(f"{FILE}/a.txt", headers={"If-None-Match": '"x"'}).status_code == 200
    assert stranger.get(f"{FILE}/a.txt", headers={"If-Match": '"x"'}).status_code == 412


# What browsers may do with it


@pytest.mark.parametrize(
    ("path", "content_type"),
    [
        ("page.html", "text/plain; charset=utf-8"),
        ("script.js", "text/plain; charset=utf-8"),
        ("style.css", "text/plain; charset=utf-8"),
        ("data.xml", "text/plain; charset=utf-8"),
        ("LICENSE", "text/plain; charset=utf-8"),
        (".gitignore", "text/plain; charset=utf-8"),
        ("page.xhtml", "application/octet-stream"),
        ("doc.pdf", "application/octet-stream"),
        ("app.swf", "application/octet-stream"),
        ("noextension", "application/octet-stream"),
        ("model.safetensors", "application/octet-stream"),
        ("pic.PNG", "image/png"),
        ("pic.jpg", "image/jpeg"),
        ("pic.svg", "image/svg+xml"),
    ],
)
def test_nothing_that_is_uploaded_acts_on_our_pages(path, content_type, stranger, olu, make_repo):
    make_repo("olu/m", by=olu, files={path: b"<script>alert(1)</script>"})
    for answer in (stranger.get(f"{FILE}/{path}"), stranger.head(f"{FILE}/{path}")):
        assert answer["Content-Type"] == content_type
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert answer["Content-Security-Policy"].startswith("sandbox; default-src 'none'")
        assert "script" not in answer["Content-Security-Policy"]
        assert answer["Cache-Control"] == "private, no-cache"


def test_a_browser_downloads_with_its_session(browser, olu, make_repo):
    make_repo("olu/m", by=olu, private=True, files={"a.txt": b"mine"})
    assert text_of(browser(olu).get(f"{FILE}/a.txt")) == b"mine"
    assert browser().get(f"{FILE}/a.txt").status_code == 404


# The repo's own objects only


def test_a_pointer_to_an_object_of_another_repo_opens_nothing(stranger, olu, ada, gated_repo, make_repo):
    repo = make_repo("olu/m", by=olu)
    foreign = LfsObject.objects.get(repo=gated_repo)
    git = content.open_git(repo)
    pointer = AddPointer("stolen.bin", foreign.sha256, foreign.size)
    git.commit("main", [pointer], title="Steal", author=content.author_of(Actor(user=olu)), expected_head=git.head())
    for caller in (stranger.get, stranger.head):
        answer = caller(f"{FILE}/stolen.bin")
        assert (answer.status_code, answer["X-Error-Code"]) == (404, "EntryNotFound")


def test_bytes_that_are_lost_are_said_to_be(stranger, repo, caplog):
    objects.delete(repo.storage_id, entry_of(repo, "big.bin").lfs.sha256)
    answer = stranger.get(f"{FILE}/big.bin")
    assert (answer.status_code, answer["X-Error-Code"]) == (404, "EntryNotFound")
    assert "missing on the server" in answer.json()["error"]
    assert "not in the store" in caplog.text


def test_a_disabled_repo_gives_nothing(stranger, api, olu, repo):
    Repo.objects.update(disabled=True)
    for caller in (stranger, api(olu)):
        for path in ("a.txt", "README.md"):
            answer = caller.get(f"{FILE}/{path}")
            assert (answer.status_code, answer["X-Error-Message"]) == (403, "Access to this resource is disabled.")


# Cost


@pytest.mark.parametrize(("path", "queries"), [("a.txt", 2), ("big.bin", 3)])
def test_an_admission_costs_few_queries(path, queries, api, olu, repo, django_assert_num_queries):
    caller = api(olu, "read")
    caller.head(f"{FILE}/{path}")
    with django_assert_num_queries(queries):  # The token with its user, the repo with the decision, the object.
        assert caller.head(f"{FILE}/{path}").status_code == 200


def test_nginx_is_told_where_the_bytes_are(stranger, repo, settings):
    settings.DOWNLOAD_MODE = "accel"
    answer = stranger.get(f"{FILE}/big.bin", headers={"Range": "bytes=5-9"})
    sha256 = hashlib.sha256(BIG).hexdigest()
    assert answer["X-Accel-Redirect"] == f"/_objects/{objects.key(repo.storage_id, sha256)}"
    assert (answer.status_code, text_of(answer)) == (200, b"")
    assert answer["ETag"] == f'"{sha256}"'
    assert stranger.head(f"{FILE}/big.bin")["Content-Length"] == str(len(BIG))
    assert text_of(stranger.get(f"{FILE}/a.txt")) == SMALL
    objects.delete(repo.storage_id, sha256)
    assert Api().get(f"{FILE}/big.bin").status_code == 404


@pytest.mark.parametrize("mode", ["direct", "accel"])
def test_a_store_without_files_is_read_through(mode, stranger, olu, make_repo, settings):
    settings.DOWNLOAD_MODE = mode
    settings.STORAGES = settings.STORAGES | {"lfs": {"BACKEND": "django.core.files.storage.InMemoryStorage"}}
    make_repo("olu/m", by=olu, large={"big.bin": BIG})
    assert text_of(stranger.get(f"{FILE}/big.bin")) == BIG
    assert text_of(stranger.get(f"{FILE}/big.bin", headers={"Range": "bytes=1000-1999"})) == BIG[1000:2000]
    assert text_of(stranger.get(f"{FILE}/big.bin", headers={"Range": "bytes=1000-"})) == BIG[1000:]
