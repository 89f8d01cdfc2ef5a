"""LFS uploads and downloads.  ada owns ada/base; lab/toxic-bert holds a large file that ada/base does not."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from django.test import Client
from django.utils import timezone

from access.models import AccessToken
from accounts import services as accounts
from accounts.actor import SYSTEM
from gatehub.hub.grants import extra_seconds
from repos import content, objects, services
from repos.models import LfsObject
from tests.support.cast import Api, text_of

BATCH = "/ada/base.git/info/lfs/objects/batch"
DATA = b" ".join(str(number).encode() for number in range(7600))[:40_000]
SIZE = len(DATA)
OID = hashlib.sha256(DATA).hexdigest()


@pytest.fixture
def base(make_repo, ada):
    return make_repo("ada/base", by=ada)


def _batch(caller, operation="upload", *, oid=OID, size=SIZE, path=BATCH, **more):
    body = {"operation": operation, "transfers": ["basic", "multipart"], "objects": [{"oid": oid, "size": size}]}
    return caller.post(path, body | more, content_type="application/vnd.git-lfs+json")


def _href(answer, action="upload"):
    return urlsplit(answer.json()["objects"][0]["actions"][action]["href"]).path


def _put(path, data=DATA):
    return Client().generic("PUT", path, data, content_type="application/octet-stream")


def _nothing_stored(repo):
    assert not LfsObject.objects.filter(repo=repo).exists()
    assert list(objects.iter_objects(repo.storage_id)) == []


def test_a_basic_upload_from_batch_to_download(api, base, ada):
    answer = _batch(api(ada))
    assert answer.status_code == 200, answer.content
    assert answer["Content-Type"] == "application/vnd.git-lfs+json"
    assert answer.json()["transfer"] == "basic"
    assert _put(_href(answer)).status_code == 200
    assert LfsObject.objects.get(repo=base).size == len(DATA)
    verified = api(ada).post(_href(answer, "verify"), {"oid": OID, "size": len(DATA)})
    assert verified.status_code == 200
    again = _batch(api(ada)).json()["objects"][0]
    assert "actions" not in again
    downloaded = api(ada).get(_href(_batch(api(ada), "download"), "download"))
    assert text_of(downloaded) == DATA


def test_the_address_is_the_callers_host(api, base, ada):
    answer = api(ada).post(
        BATCH, {"operation": "upload", "objects": [{"oid": OID, "size": 1}]}, headers={"Host": "localhost:81"}
    )
    assert answer.json()["objects"][0]["actions"]["upload"]["href"].startswith("http://localhost:81/lfs/put/")


@pytest.mark.parametrize("data", [DATA[:-1], DATA + b"x", DATA[:-1] + b"!"], ids=["short", "long", "other"])
def test_bytes_that_are_not_what_was_announced_are_not_stored(api, base, ada, data):
    put = _put(_href(_batch(api(ada))), data)
    assert put.status_code == 400
    assert "Nothing was stored" in put.json()["error"]
    _nothing_stored(base)


def test_an_expired_address_stores_nothing(api, base, ada, settings):
    path = _href(_batch(api(ada)))
    settings.UPLOAD_URL_SECONDS = -1
    put = _put(path)
    assert put.status_code == 403
    assert "expired" in put.json()["error"]
    _nothing_stored(base)


def test_a_forged_address_stores_nothing(api, base, ada):
    path = _href(_batch(api(ada)))
    for forged in (path[:-1] + ("A" if path[-1] != "A" else "B"), "/lfs/put/x", path.replace(":", ".", 1)):
        assert _put(forged).status_code == 403
    _nothing_stored(base)


def test_an_address_holds_for_its_own_object_only(api, base, ada):
    other = b"other"
    path = _href(_batch(api(ada), oid=hashlib.sha256(other).hexdigest(), size=len(other)))
    assert _put(path, DATA).status_code == 400
    _nothing_stored(base)


def test_what_ends_the_right_to_write_ends_the_address(api, base, ada, make_user, lab, make_repo):
    kim = make_user("kim")
    accounts.set_role(organization=lab, user=kim, role="write", by=SYSTEM)
    repo = make_repo("lab/shared", by=ada)
    caller = api(kim)
    path = _href(_batch(caller, path="/lab/shared.git/info/lfs/objects/batch"))
    accounts.set_role(organization=lab, user=kim, role="read", by=SYSTEM)
    assert _put(path).status_code == 403
    accounts.set_role(organization=lab, user=kim, role="write", by=SYSTEM)
    AccessToken.objects.filter(user=kim).update(expires_at=timezone.now() - timedelta(seconds=1))
    assert _put(path).status_code == 403
    AccessToken.objects.filter(user=kim).update(expires_at=None)
    kim.is_active = False
    kim.save()
    assert _put(path).status_code == 403
    _nothing_stored(repo)


def test_another_repos_object_is_not_there_already(api, base, ada, gated_repo):
    held = LfsObject.objects.get(repo=gated_repo)
    told = _batch(api(ada), oid=held.sha256, size=held.size).json()["objects"][0]
    assert "upload" in told["actions"]
    missing = _batch(api(ada), "download", oid=held.sha256, size=held.size).json()["objects"][0]
    assert missing["error"]["code"] == 404
    assert api(ada).get(f"/ada/base.git/info/lfs/objects/{held.sha256}").status_code == 404


def test_who_may_not_read_downloads_nothing(api, stranger, gated_repo, sam):
    held = LfsObject.objects.get(repo=gated_repo)
    path = "/lab/toxic-bert.git/info/lfs/objects/batch"
    for caller, status in ((stranger, 401), (api(sam), 403)):
        answer = _batch(caller, "download", oid=held.sha256, size=held.size, path=path)
        assert (answer.status_code, answer["X-Error-Code"]) == (status, "GatedRepo")
        assert answer.json()["message"]
        assert caller.get(f"/lab/toxic-bert.git/info/lfs/objects/{held.sha256}").status_code == status
    assert stranger.get(f"/lab/toxic-bert.git/info/lfs/objects/{held.sha256}")["WWW-Authenticate"].startswith("Basic")


def test_who_may_not_write_gets_no_address(api, stranger, base, ada, sam):
    assert _batch(api(sam)).status_code == 403
    assert _batch(api(ada, "read")).status_code == 403
    assert _batch(stranger).status_code == 401


def test_basic_authentication_with_the_token_as_password(base, ada, api):
    import base64

    token = api(ada).token
    for user in ("access_token", "USER", "ada"):
        header = "Basic " + base64.b64encode(f"{user}:{token}".encode()).decode()
        answer = Api().post(BATCH, {"operation": "upload", "objects": []}, headers={"Authorization": header})
        assert answer.status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        {"operation": "delete", "objects": []},
        {"objects": []},
        {"operation": "upload"},
        {"operation": "upload", "objects": {}},
        {"operation": "upload", "objects": ["x"]},
        {"operation": "upload", "objects": [{"oid": "x", "size": 1}]},
        {"operation": "upload", "objects": [{"oid": "../" * 20, "size": 1}]},
        {"operation": "upload", "objects": [{"oid": OID}]},
        {"operation": "upload", "objects": [{"oid": OID, "size": -1}]},
        {"operation": "upload", "objects": [{"oid": OID, "size": True}]},
        {"operation": "upload", "objects": [], "hash_algo": "md5"},
        {"operation": "upload", "objects": [{"oid": OID, "size": 2**40}], "transfers": "basic"},
        {"operation": "upload", "objects": [{"oid": OID, "size": 1}] * 1001},
    ],
)
def test_a_bad_batch_is_a_400(api, base, ada, body):
    answer = api(ada).post(BATCH, body)
    assert answer.status_code == 400, answer.content
    assert answer.json()["message"]


def test_a_file_over_the_limit_is_refused_in_the_batch(api, base, ada, settings):
    settings.LFS_MAX_OBJECT_BYTES = 10
    told = _batch(api(ada)).json()["objects"][0]
    assert told["error"]["code"] == 422


class TestMultipart:
    @pytest.fixture(autouse=True)
    def small_parts(self, settings):
        settings.LFS_MULTIPART_FROM_BYTES = 1000
        settings.LFS_PART_BYTES = 16_000

    def _start(self, caller):
        upload = _batch(caller).json()["objects"][0]["actions"]["upload"]
        header = dict(upload["header"])
        chunk = int(header.pop("chunk_size"))
        paths = [urlsplit(header[key]).path for key in sorted(header)]
        return urlsplit(upload["href"]).path, chunk, paths

    def _put_all(self, chunk, paths):
        etags = []
        for number, path in enumerate(paths):
            answer = _put(path, DATA[number * chunk : (number + 1) * chunk])
            assert answer.status_code == 200, answer.content
            etags.append(answer["ETag"])
        return [{"partNumber": number, "etag": etag} for number, etag in enumerate(etags, start=1)]

    def _complete(self, path, parts):
        return Api().post(path, {"oid": OID, "parts": parts}, content_type="application/vnd.git-lfs+json")

    def test_parts_become_the_object(self, api, base, ada):
        done, chunk, paths = self._start(api(ada))
        assert (chunk, len(paths)) == (16_000, 3)
        assert self._complete(done, self._put_all(chunk, paths)).status_code == 200
        with objects.open(base.storage_id, OID) as stored:
            assert stored.read() == DATA

    def test_missing_swapped_and_foreign_parts_store_nothing(self, api, base, ada):
        done, chunk, paths = self._start(api(ada))
        parts = self._put_all(chunk, paths)
        swapped = [parts[1] | {"partNumber": 1}, parts[0] | {"partNumber": 2}, parts[2]]
        foreign = [*parts[:2], {"partNumber": 3, "etag": '"0"'}]
        for wrong in (parts[:2], swapped, foreign, [], [{}], "x"):
            assert self._complete(done, wrong).status_code == 400
        _nothing_stored(base)

    def test_a_part_that_does_not_exist_or_is_too_large_is_refused(self, api, base, ada):
        _, chunk, paths = self._start(api(ada))
        assert _put(paths[0], b"x" * (chunk + 1)).status_code == 413
        assert _put(paths[0].replace("/part/1/", "/part/9/"), b"x").status_code == 400

    def test_clients_that_do_not_offer_it_get_basic(self, api, base, ada):
        assert _batch(api(ada), transfers=["basic"]).json()["transfer"] == "basic"
        assert _batch(api(ada), transfers=["basic", "multipart", "xet"]).json()["transfer"] == "multipart"


def test_locks_are_not_offered(api, base, ada):
    answer = api(ada).post("/ada/base.git/info/lfs/locks/verify", {})
    assert answer.status_code == 404
    assert answer.json()["message"]


def test_a_commit_may_name_what_was_just_uploaded(api, base, ada):
    _put(_href(_batch(api(ada))))
    lines = [
        {"key": "header", "value": {"summary": "s"}},
        {"key": "lfsFile", "value": {"path": "w.bin", "algo": "sha256", "oid": OID, "size": len(DATA)}},
    ]
    assert api(ada).commit("/api/models/ada/base/commit/main", lines).status_code == 200
    wrong = [lines[0], {"key": "lfsFile", "value": {"path": "v.bin", "algo": "sha256", "oid": OID, "size": 1}}]
    assert api(ada).commit("/api/models/ada/base/commit/main", wrong).status_code == 400
    assert content.open_git(base).entry(content.open_git(base).head(), "w.bin").size == len(DATA)


def test_the_addresses_of_a_large_batch_live_longer(api, base, ada, settings):
    mib = 1024**2
    extra = 400
    path = _href(_batch(api(ada), size=extra * mib))
    settings.UPLOAD_URL_SECONDS = -extra // 2
    assert _put(path).status_code == 400  # Not expired: the size is what is wrong.
    settings.UPLOAD_URL_SECONDS = -extra - 1
    assert "expired" in _put(path).json()["error"]


def test_no_address_lives_longer_than_leftovers_are_kept(settings):
    assert extra_seconds(10**18) == settings.UPLOAD_LEFTOVERS_HOURS * 3600


def test_an_address_made_in_a_session_ends_with_the_password(browser, base, ada):
    client = browser(ada)
    client.get("/login")
    body = {"operation": "upload", "objects": [{"oid": OID, "size": len(DATA)}]}
    path = _href(client.post(BATCH, body, content_type="application/json"))
    ada.set_password("another-horse-battery")
    ada.save()
    assert _put(path).status_code == 403
    _nothing_stored(base)


@pytest.mark.parametrize("field", ["repo", "person"])
def test_an_address_ends_with_its_repo_and_its_person(api, base, ada, field):
    path = _href(_batch(api(ada)))
    if field == "repo":
        services.delete_repo(base, by=SYSTEM)
    else:
        type(ada).objects.filter(pk=ada.pk).update(is_active=False)
    assert _put(path).status_code == 403


def test_a_download_address_is_no_credential(api, stranger, gated_repo, ada):
    held = LfsObject.objects.get(repo=gated_repo)
    answer = _batch(
        api(ada), "download", oid=held.sha256, size=held.size, path=f"{gated_repo.path}.git/info/lfs/objects/batch"
    )
    download = answer.json()["objects"][0]["actions"]["download"]
    assert download["header"] == {}
    assert stranger.get(urlsplit(download["href"]).path).status_code == 401
