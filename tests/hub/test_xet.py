"""The Xet write service, spoken by hand.  ada owns ada/base and ada/other; the real clients are in tests/clients."""

from __future__ import annotations

import hashlib
import struct
from urllib.parse import urlsplit

import pytest
from django.test import Client

from access.models import AccessToken
from repos import objects
from repos.models import LfsObject
from repos.xet.shard import TAG

DATA = b"0123456789abcdef" * 1000
XORB = "ab" * 32


def _xorb(data=DATA):
    def chunk(piece):
        return bytes([0]) + len(piece).to_bytes(3, "little") + bytes([0]) + len(piece).to_bytes(3, "little") + piece

    return chunk(data[:10_000]) + chunk(data[10_000:])


def _stored(hexadecimal):
    """A hash as shards hold it: each group of eight bytes reversed."""
    raw = bytes.fromhex(hexadecimal)
    return b"".join(raw[start : start + 8][::-1] for start in range(0, 32, 8))


def _shard(xorb=XORB, data=DATA, sha256=None):
    sha256 = sha256 or hashlib.sha256(data).hexdigest()
    header = TAG + struct.pack("<QQ", 2, 0)
    file = _stored("cd" * 32) + struct.pack("<II8x", 1 << 30, 1)
    segment = _stored(xorb) + struct.pack("<IIII", 0, len(data), 0, 2)
    metadata = _stored(sha256) + b"\0" * 16
    return header + file + segment + metadata + b"\xff" * 32 + b"\0" * 16


@pytest.fixture
def base(make_repo, ada):
    return make_repo("ada/base", by=ada)


class Cas:
    """A client with one grant."""

    def __init__(self, caller, repo_id="ada/base"):
        answer = caller.get(f"/api/models/{repo_id}/xet-write-token/main")
        assert answer.status_code == 200, answer.content
        self.grant = answer.json()
        assert answer["X-Xet-Cas-Url"] == self.grant["casUrl"]
        assert answer["X-Xet-Access-Token"] == self.grant["accessToken"]
        assert answer["X-Xet-Token-Expiration"] == str(self.grant["exp"])
        self.path = urlsplit(self.grant["casUrl"]).path
        self.token = self.grant["accessToken"]

    def send(self, route, data=b"", *, token=None, method="POST"):
        headers = {"Authorization": f"Bearer {self.token if token is None else token}"}
        url = f"{self.path}/{route}"
        return Client().generic(method, url, data, content_type="application/octet-stream", headers=headers)


@pytest.mark.parametrize(
    ("xorbs", "shards"),
    [
        ("v1/xorbs/default", "v2/shards"),
        ("v1/xorbs/default", "v1/shards"),
        ("v1/xorbs/default", "shards"),
        ("xorb/default", f"shard/default/{XORB}"),
    ],
    ids=["hf_xet 1.8", "1.8 after a 404", "1.5", "1.1"],
)
def test_a_file_is_rebuilt_and_can_be_committed(api, base, ada, xorbs, shards):
    cas = Cas(api(ada))
    first = cas.send(f"{xorbs}/{XORB}", _xorb())
    assert (first.status_code, first.json()) == (200, {"was_inserted": True})
    assert cas.send(f"{xorbs}/{XORB}", _xorb()).json() == {"was_inserted": False}
    done = cas.send(shards, _shard())
    assert done.status_code == 200, done.content
    assert b'"result": 1' in done.content or b'"result":1' in done.content
    held = LfsObject.objects.get(repo=base)
    assert held.sha256 == hashlib.sha256(DATA).hexdigest()
    with objects.open(base.storage_id, held.sha256) as stored:
        assert stored.read() == DATA


def test_every_grant_has_an_address_of_its_own(api, base, ada):
    assert Cas(api(ada)).path != Cas(api(ada)).path


def test_nothing_is_known_from_before(api, base, ada):
    cas = Cas(api(ada))
    assert cas.send(f"v1/chunks/default/{XORB}", method="GET").status_code == 404
    assert cas.send(f"chunk/default/{XORB}", method="GET").status_code == 404
    assert cas.send(f"v1/xorb-grants/default/{XORB}", b"{}").status_code == 404


def test_a_later_token_of_the_same_repo_works_under_the_first_address(api, base, ada):
    first, second = Cas(api(ada)), Cas(api(ada))
    assert first.send(f"v1/xorbs/default/{XORB}", _xorb(), token=second.token).status_code == 200
    assert first.send("v1/shards", _shard(), token=first.token).status_code == 200


def test_what_another_uploaded_cannot_be_named(api, base, ada, make_repo, olu):
    make_repo("ada/other", by=ada)
    make_repo("olu/mine", by=olu)
    first = Cas(api(ada))
    first.send(f"v1/xorbs/default/{XORB}", _xorb())
    for token in (Cas(api(ada), "ada/other").token, Cas(api(olu), "olu/mine").token):
        answer = first.send("v1/shards", _shard(), token=token)
        assert answer.status_code == 400
        assert "xorb" in answer.json()["error"]
    assert Cas(api(ada)).send("v1/shards", _shard()).status_code == 400
    assert not LfsObject.objects.exists()


@pytest.mark.parametrize("token", ["", "xw-none", "gate_" + "a" * 46])
def test_without_a_good_token_nothing_is_taken(api, base, ada, token):
    cas = Cas(api(ada))
    assert cas.send(f"v1/xorbs/default/{XORB}", _xorb(), token=token).status_code in {401, 403}
    assert Client().post(f"{cas.path}/v1/shards", b"", content_type="application/octet-stream").status_code == 401


def test_a_revoked_token_ends_the_grant_at_once(api, base, ada):
    cas = Cas(api(ada))
    AccessToken.objects.all().delete()
    assert cas.send(f"v1/xorbs/default/{XORB}", _xorb()).status_code == 403


def test_an_expired_grant_is_refused(api, base, ada, settings):
    cas = Cas(api(ada))
    settings.UPLOAD_URL_SECONDS = -1
    assert cas.send(f"v1/xorbs/default/{XORB}", _xorb()).status_code == 403


def test_a_hash_or_size_that_does_not_match_stores_nothing(api, base, ada):
    cas = Cas(api(ada))
    cas.send(f"v1/xorbs/default/{XORB}", _xorb())
    for shard in (_shard(sha256="ee" * 32), _shard(data=DATA + b"x"), _shard(xorb="11" * 32), b"", b"x" * 100):
        assert cas.send("v1/shards", shard).status_code == 400
    assert not LfsObject.objects.exists()
    assert list(objects.iter_objects(base.storage_id)) == []


@pytest.mark.parametrize("body", [b"\0", b"\xff" * 100, b"\x00\xff\xff\xff\x00\xff\xff\xff" + b"x" * 10])
def test_what_is_no_xorb_is_refused(api, base, ada, body):
    assert Cas(api(ada)).send(f"v1/xorbs/default/{XORB}", body).status_code == 400


def test_a_bad_hash_in_the_address_is_refused(api, base, ada):
    for name in ("xyz", "..", "a" * 63, "A" * 64):
        assert Cas(api(ada)).send(f"v1/xorbs/default/{name}", _xorb()).status_code in {400, 404}


def test_who_may_not_write_gets_no_grant(api, stranger, base, ada, sam):
    path = "/api/models/ada/base/xet-write-token/main"
    assert stranger.get(path).status_code == 401
    assert api(sam).get(path).status_code == 403
    assert api(ada, "read").get(path).status_code == 403
    assert api(ada).get(f"{path}?create_pr=1").status_code == 403
