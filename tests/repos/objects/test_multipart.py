"""Parts of an LFS upload, joined on completion.  The object is three parts of 100 kB, 100 kB and 1 byte."""

from __future__ import annotations

import io
import os
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from accounts.errors import BadRequest
from repos import multipart, objects
from repos.durable import StorageFull
from repos.errors import CorruptUpload
from tests.repos.objects.conftest import OTHER_REPO, REPO, sha256_of

Files = Callable[[], list[Path]]

PARTS = [os.urandom(100_000), os.urandom(100_000), b"!"]
DATA = b"".join(PARTS)
SHA256 = sha256_of(DATA)
UPLOAD = "upload/of../ada\0"


def put(number: int, data: bytes, *, upload: str = UPLOAD) -> str:
    return multipart.put_part(upload, number, io.BytesIO(data), len(data))


@pytest.fixture
def etags() -> list[tuple[int, str]]:
    """The three parts, uploaded."""
    return [(number, put(number, data)) for number, data in enumerate(PARTS, start=1)]


def complete(parts: list[tuple[int, str]], *, repo: str = REPO, sha256: str = SHA256, size: int = len(DATA)) -> None:
    multipart.complete(UPLOAD, repo, parts, sha256, size)


def test_the_parts_become_one_object(etags: list[tuple[int, str]], files: Files) -> None:
    complete(etags)
    with objects.open(REPO, SHA256) as file:
        assert file.read() == DATA
    assert [path.name for path in files() if path.name != multipart.DONE] == [SHA256]


def test_etags_may_come_back_in_quotes(etags: list[tuple[int, str]]) -> None:
    complete([(number, f'"{etag}"') for number, etag in etags])
    assert objects.exists(REPO, SHA256)


def test_parts_may_come_in_any_order() -> None:
    etags = {number: put(number, PARTS[number - 1]) for number in (3, 1, 2)}
    complete(sorted(etags.items()))
    assert objects.exists(REPO, SHA256)


def test_a_part_that_is_sent_again_takes_the_place_of_the_first(etags: list[tuple[int, str]], files: Files) -> None:
    assert put(2, PARTS[1]) == etags[1][1]
    other = put(2, b"other bytes")
    assert len(files()) == 3
    with pytest.raises(BadRequest, match="Part 2"):
        complete(etags)
    with pytest.raises(CorruptUpload):
        complete([etags[0], (2, other), etags[2]])


def test_completing_again_gives_the_same_answer(etags: list[tuple[int, str]]) -> None:
    complete(etags)
    complete(etags)
    assert objects.exists(REPO, SHA256)


def test_completing_again_does_not_vouch_for_another_size_or_repo(etags: list[tuple[int, str]]) -> None:
    complete(etags)
    with pytest.raises(BadRequest):
        complete(etags, size=len(DATA) + 1)
    with pytest.raises(BadRequest):
        complete(etags, repo=OTHER_REPO)


def test_an_object_that_exists_is_no_reason_to_believe_in_parts_that_never_came() -> None:
    objects.ingest(REPO, io.BytesIO(DATA), sha256=SHA256, size=len(DATA))
    with pytest.raises(BadRequest):
        complete([(1, "00000000-1")])
    with pytest.raises(BadRequest):
        complete([])


@pytest.mark.parametrize(
    "choose",
    [
        pytest.param(lambda parts: [], id="none"),
        pytest.param(lambda parts: parts[1:], id="first missing"),
        pytest.param(lambda parts: [parts[0], parts[2]], id="one missing between"),
        pytest.param(lambda parts: [parts[1], parts[0], parts[2]], id="out of order"),
        pytest.param(lambda parts: [parts[0], parts[0], parts[1]], id="one twice"),
        pytest.param(lambda parts: [parts[0], (2, parts[0][1]), parts[2]], id="etag of another part"),
        pytest.param(lambda parts: [*parts, (4, parts[0][1])], id="one that never came"),
        pytest.param(lambda parts: [(1, "../" + parts[0][1]), *parts[1:]], id="etag that is a path"),
        pytest.param(lambda parts: [(1, "/etc/passwd\0"), *parts[1:]], id="etag with NUL"),
        pytest.param(lambda parts: [(0, parts[0][1]), *parts], id="part 0"),
    ],
)
def test_parts_that_do_not_fit_are_refused(
    etags: list[tuple[int, str]], choose: Callable[[list[tuple[int, str]]], list[tuple[int, str]]]
) -> None:
    with pytest.raises(BadRequest, match=r"[Pp]art"):
        complete(choose(etags))
    assert not objects.exists(REPO, SHA256)
    complete(etags)  # The parts are still there.
    assert objects.exists(REPO, SHA256)


def test_a_part_missing_at_the_end_is_noticed_by_the_size(etags: list[tuple[int, str]]) -> None:
    with pytest.raises(CorruptUpload, match="200000 bytes, announced were 200001"):
        complete(etags[:2])


def test_another_hash_is_refused_and_nothing_stored(etags: list[tuple[int, str]]) -> None:
    with pytest.raises(CorruptUpload):
        complete(etags, sha256=sha256_of(b"other"))
    assert list(objects.iter_objects(REPO)) == []
    assert list(objects.temp_dir().iterdir()) == []


@pytest.mark.parametrize("length", [5, 7])
def test_a_part_of_another_length_than_announced_is_refused(files: Files, length: int) -> None:
    with pytest.raises(CorruptUpload):
        multipart.put_part(UPLOAD, 1, io.BytesIO(b"sixsix"), length)
    assert files() == []


@pytest.mark.parametrize("number", [0, -1, multipart.MAX_PARTS + 1])
def test_part_numbers_have_bounds(files: Files, number: int) -> None:
    with pytest.raises(BadRequest, match="1 to 10000"):
        put(number, b"x")
    assert files() == []


def test_uploads_do_not_mix(etags: list[tuple[int, str]]) -> None:
    with pytest.raises(BadRequest):
        multipart.complete("another upload", REPO, etags, SHA256, len(DATA))


def test_no_room_for_the_whole_is_said_before_it_is_tried(
    etags: list[tuple[int, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, needed: int) -> None:
        raise StorageFull

    monkeypatch.setattr(multipart.durable, "require_room", full)
    with pytest.raises(StorageFull):
        complete(etags)
    assert not objects.exists(REPO, SHA256)


def test_discarding(etags: list[tuple[int, str]], files: Files) -> None:
    multipart.discard(UPLOAD)
    multipart.discard(UPLOAD)
    assert files() == []
    with pytest.raises(BadRequest):
        complete(etags)


def test_sweeping_takes_only_what_has_been_idle(etags: list[tuple[int, str]], store: Path) -> None:
    put(1, b"x", upload="another upload")
    [first, second] = (store / "tmp" / "multipart").iterdir()
    os.utime(first, times=(time.time() - 7200,) * 2)
    assert multipart.sweep(timedelta(hours=1)) == 1
    assert not first.exists()
    assert second.exists()
