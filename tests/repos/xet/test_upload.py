"""From xorbs and shards to objects.  What fails leaves nothing in the store.

Two xorbs: A of the chunks a0, a1, a2 in the three schemes, B of b0.
"""

from __future__ import annotations

import io
import multiprocessing
import os
import resource
import stat
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import LazySettings
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from accounts.errors import BadRequest, TooLarge
from repos import durable, objects
from repos.durable import StorageFull
from repos.errors import CorruptUpload
from repos.xet import upload, xorb
from repos.xet.upload import UploadArea
from tests.repos.xet import encoder
from tests.repos.xet.conftest import REPO, put, use_data_dir
from tests.repos.xet.encoder import GROUPED_LZ4, LZ4, STORED, SegmentTuple, file_records, sha256_of

Files = Callable[[], list[Path]]

A, B, UNKNOWN = "a" * 64, "b" * 64, "c" * 64
A0, A1, A2, B0 = os.urandom(1001), b"text" * 500, os.urandom(7) * 100, os.urandom(20)
CHUNKS = {A: [A0, A1, A2], B: [B0]}


@pytest.fixture
def filled(area: UploadArea) -> UploadArea:
    """Both xorbs are here."""
    assert put(area, A, zip(CHUNKS[A], (STORED, LZ4, GROUPED_LZ4), strict=True))
    assert put(area, B, [(B0, STORED)])
    return area


def segment(xorb_hash: str, first: int, end: int) -> SegmentTuple:
    return xorb_hash, sum(map(len, CHUNKS[xorb_hash][first:end])), first, end


def shard_of(*files: tuple[bytes, list[SegmentTuple]]) -> bytes:
    return encoder.shard([file_records(sha256_of(data), segments) for data, segments in files])


def read(sha256: str) -> bytes:
    with objects.open(REPO, sha256) as file:
        return file.read()


def stored() -> list[str]:
    return sorted(objects.iter_objects(REPO))


# --- Xorbs ----------------------------------------------------------------------------------------------------------


def test_a_xorb_is_inserted_once(area: UploadArea, files: Files) -> None:
    assert put(area, B, [(B0, STORED)]) is True
    assert put(area, B, [(B0, STORED)]) is False
    assert [path.name for path in files()] == [B]


def test_one_that_is_here_is_read_to_its_end_so_that_the_connection_stays_usable(filled: UploadArea) -> None:
    stream = io.BytesIO(encoder.xorb([(B0, STORED)]) + b"the next request")
    length = len(encoder.xorb([(B0, STORED)]))

    class Limited:
        def read(self, size: int, /) -> bytes:
            return stream.read(min(size, length - stream.tell()))

    assert filled.put_xorb(B, Limited(), length) is False
    assert stream.read() == b"the next request"


@pytest.mark.parametrize("change", [-1, 1])
def test_a_xorb_of_another_length_than_announced_is_refused(area: UploadArea, files: Files, change: int) -> None:
    body = encoder.xorb([(B0, STORED)])
    with pytest.raises(CorruptUpload):
        area.put_xorb(B, io.BytesIO(body), len(body) + change)
    assert files() == []


def test_what_is_no_xorb_is_not_kept(area: UploadArea, files: Files) -> None:
    with pytest.raises(BadRequest, match="version"):
        area.put_xorb(B, io.BytesIO(b"\1" * 100), 100)
    assert files() == []


def test_a_xorb_that_is_too_large_is_refused_unread(area: UploadArea) -> None:
    stream = io.BytesIO(b"x")
    with pytest.raises(TooLarge):
        area.put_xorb(B, stream, xorb.MAX_BYTES + 1)
    assert stream.tell() == 0


@pytest.mark.parametrize("xorb_hash", ["", "A" * 64, "../" + "a" * 61, "a" * 63 + "\0", "a" * 65])
def test_what_is_no_hash_never_becomes_a_path(area: UploadArea, files: Files, xorb_hash: str) -> None:
    with pytest.raises(BadRequest, match="xorb hash must be 64"):
        put(area, xorb_hash, [(B0, STORED)])
    assert files() == []


def test_only_the_owner_of_the_process_may_read(filled: UploadArea, data_dir: Path) -> None:
    for path in data_dir.rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path


def test_xorbs_of_other_repos_users_and_grants_are_not_here(filled: UploadArea) -> None:
    shard = shard_of((B0, [segment(B, 0, 1)]))
    for other in (("cd" * 16, "ada", "grant-1"), (REPO, "bob", "grant-1"), (REPO, "ada", "grant-2")):
        with pytest.raises(BadRequest, match="not uploaded under this grant"):
            UploadArea(*other).rebuild(shard, REPO)
    assert stored() == []


def test_names_are_not_glued_together(filled: UploadArea) -> None:
    with pytest.raises(BadRequest):
        UploadArea(REPO + "ada", "", "grant-1").rebuild(shard_of((B0, [segment(B, 0, 1)])), REPO)


# --- Files ----------------------------------------------------------------------------------------------------------


def test_files_are_put_together_from_ranges_of_chunks(filled: UploadArea) -> None:
    first = A0 + A1 + A2 + B0
    second = B0 + A1 + A1 + A2 + A0
    result = filled.rebuild(
        shard_of(
            (first, [segment(A, 0, 3), segment(B, 0, 1)]),
            (second, [segment(B, 0, 1), segment(A, 1, 2), segment(A, 1, 3), segment(A, 0, 1)]),
            (b"", []),
        ),
        REPO,
    )
    assert result == [(sha256_of(data), len(data)) for data in (first, second, b"")]
    assert [read(sha256) for sha256, _ in result] == [first, second, b""]


def test_a_file_named_twice_is_stored_once(filled: UploadArea) -> None:
    file = (A0 + A1, [segment(A, 0, 2)])
    assert filled.rebuild(shard_of(file, file), REPO) == [(sha256_of(file[0]), len(file[0]))]


def test_a_shard_of_no_files_stores_nothing(filled: UploadArea) -> None:
    assert filled.rebuild(encoder.shard([]), REPO) == []
    assert stored() == []


def test_a_later_shard_may_name_the_same_xorbs(filled: UploadArea) -> None:
    filled.rebuild(shard_of((A0, [segment(A, 0, 1)])), REPO)
    filled.rebuild(shard_of((A1, [segment(A, 1, 2)])), REPO)
    filled.rebuild(shard_of((A1, [segment(A, 1, 2)])), REPO)
    assert stored() == sorted([sha256_of(A0), sha256_of(A1)])


def test_no_verification_records_are_needed(filled: UploadArea) -> None:
    records = file_records(sha256_of(B0), [segment(B, 0, 1)], verification=False)
    assert filled.rebuild(encoder.shard([records]), REPO) == [(sha256_of(B0), len(B0))]


GOOD = file_records(sha256_of(A0), [segment(A, 0, 1)])


@pytest.mark.parametrize(
    ("bad", "cause"),
    [
        pytest.param(file_records(sha256_of(B0), [(UNKNOWN, 20, 0, 1)]), f"xorb {UNKNOWN}", id="unknown xorb"),
        pytest.param(file_records(sha256_of(B0), [(B, 20, 0, 2)]), "chunks 0 to 2 are not in", id="beyond the end"),
        pytest.param(file_records(sha256_of(B0), [(B, 0, 1, 1)]), "chunks 1 to 1 are not in", id="no chunk"),
        pytest.param(file_records(sha256_of(B0), [(B, 0, 1, 0)]), "chunks 1 to 0 are not in", id="backwards"),
        pytest.param(file_records(sha256_of(B0), [(B, 20, 2**32 - 1, 1)]), "are not in", id="far away"),
        pytest.param(file_records(sha256_of(B0), [(B, 21, 0, 1)]), "says 21 bytes, its chunks have 20", id="size"),
        pytest.param(file_records(None, [segment(B, 0, 1)]), "File 1 of the shard has no sha256", id="no hash"),
        pytest.param(file_records(sha256_of(A0), [segment(B, 0, 1)]), "with different sizes", id="two files, one hash"),
        pytest.param(file_records(sha256_of(B0), []), "Nothing was stored", id="bytes are missing"),
        pytest.param(file_records(sha256_of(A2), [segment(B, 0, 1)]), "Nothing was stored", id="other bytes"),
    ],
)
@pytest.mark.parametrize("bad_first", [False, True])
def test_a_bad_file_stops_the_whole_shard(
    filled: UploadArea, files: Files, bad: bytes, cause: str, bad_first: bool
) -> None:
    if bad_first and "File 1" in cause:
        cause = cause.replace("1", "0")
    before = sorted(files())
    with pytest.raises(BadRequest, match=cause):
        filled.rebuild(encoder.shard([bad, GOOD] if bad_first else [GOOD, bad]), REPO)
    assert stored() == []
    assert sorted(files()) == before


def test_a_xorb_whose_chunk_does_not_unpack(area: UploadArea) -> None:
    body = encoder.header(10, LZ4, 20) + b"not a lz4."
    assert area.put_xorb(B, io.BytesIO(body), len(body))
    with pytest.raises(BadRequest, match="LZ4"):
        area.rebuild(shard_of((B0, [segment(B, 0, 1)])), REPO)
    assert stored() == []


def test_a_file_larger_than_the_limit_is_refused_before_it_is_written(
    filled: UploadArea, settings: LazySettings, files: Files
) -> None:
    settings.LFS_MAX_OBJECT_BYTES = 10 * len(A1)
    data = A1 * 10
    filled.rebuild(shard_of((data, [segment(A, 1, 2)] * 10)), REPO)
    before = files()
    with pytest.raises(TooLarge, match=f"allowed are {len(data)}"):
        filled.rebuild(shard_of((A1 * 11, [segment(A, 1, 2)] * 11)), REPO)
    assert files() == before


def test_what_cannot_fit_on_the_disk_is_refused_before_it_is_written(
    filled: UploadArea, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(durable.shutil, "disk_usage", lambda path: type("Usage", (), {"free": 19}))
    with pytest.raises(StorageFull, match="another 20 bytes"):
        filled.rebuild(shard_of((B0, [segment(B, 0, 1)])), REPO)


def test_headers_are_read_once_however_many_segments_there_are(
    filled: UploadArea, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Path] = []
    real = xorb.index
    monkeypatch.setattr(xorb, "index", lambda path: asked.append(path) or real(path))
    filled.rebuild(shard_of((B0 * 300 + A0, [segment(B, 0, 1)] * 300 + [segment(A, 0, 1)])), REPO)
    assert [path.name for path in asked] == [B, A]


def test_more_files_than_there_may_be_open_at_once(filled: UploadArea) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    files = [(B0 * count, [segment(B, 0, 1)] * count) for count in range(300)]
    resource.setrlimit(resource.RLIMIT_NOFILE, (100, hard))
    try:
        assert len(filled.rebuild(shard_of(*files), REPO)) == 300
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def _rebuild_in_a_process(data_dir: Path, shard: bytes) -> list[tuple[str, int]]:
    use_data_dir(data_dir)
    return UploadArea(REPO, "ada", "grant-1").rebuild(shard, REPO)


def test_several_shards_of_a_grant_at_once_in_two_processes(filled: UploadArea, data_dir: Path) -> None:
    shards = [
        shard_of((B0 * n + A0, [segment(B, 0, 1)] * n + [segment(A, 0, 1)]), (A1, [segment(A, 1, 2)])) for n in range(8)
    ]
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as pool:
        runs = [pool.submit(_rebuild_in_a_process, data_dir, shard) for shard in shards]
        for run in runs:
            for sha256, size in run.result():
                assert len(read(sha256)) == size
    assert len(stored()) == 9


def test_the_same_xorb_from_two_connections_at_once(area: UploadArea, files: Files) -> None:
    with ThreadPoolExecutor(4) as pool:
        assert any(pool.map(lambda _: put(area, A, [(A0, STORED)]), range(4)))
    assert [path.name for path in files()] == [A]


@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=50)
@given(st.data())
def test_whatever_can_be_said_of_chunks_is_rebuilt(filled: UploadArea, data: st.DataObject) -> None:
    ranges = st.sampled_from([(A, 0, 1), (A, 0, 2), (A, 0, 3), (A, 1, 2), (A, 1, 3), (A, 2, 3), (B, 0, 1)])
    wanted = data.draw(st.lists(ranges, max_size=12))
    whole = b"".join(b"".join(CHUNKS[name][first:end]) for name, first, end in wanted)
    result = filled.rebuild(shard_of((whole, [segment(*each) for each in wanted])), REPO)
    assert result == [(sha256_of(whole), len(whole))]
    assert read(sha256_of(whole)) == whole


# --- Leftovers ------------------------------------------------------------------------------------------------------


def test_discarding(filled: UploadArea, files: Files) -> None:
    filled.rebuild(shard_of((B0, [segment(B, 0, 1)])), REPO)
    filled.discard()
    filled.discard()
    assert [path.name for path in files()] == [sha256_of(B0)]


def test_sweeping_takes_areas_in_which_nothing_happens(filled: UploadArea, data_dir: Path) -> None:
    put(UploadArea(REPO, "ada", "grant-2"), B, [(B0, STORED)])
    for path in (data_dir / "tmp" / "xet").iterdir():
        os.utime(path, times=(time.time() - 7200,) * 2)
    filled.rebuild(shard_of((B0, [segment(B, 0, 1)])), REPO)  # In use again.
    assert upload.sweep(timedelta(hours=1)) == 1
    assert put(filled, B, [(B0, STORED)]) is False
    assert put(UploadArea(REPO, "ada", "grant-2"), B, [(B0, STORED)]) is True
