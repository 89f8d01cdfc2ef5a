"""Storing one object from a stream.  What fails leaves no file behind, in the store or beside it."""

from __future__ import annotations

import errno
import io
import os
import stat
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from accounts.errors import BadRequest
from repos import durable, objects
from repos.durable import StorageFull
from repos.errors import CorruptUpload
from tests.repos.objects.conftest import OTHER_REPO, REPO, sha256_of

DATA = os.urandom(3 * durable.PIECE + 5)
SHA256 = sha256_of(DATA)

Files = Callable[[], list[Path]]


class Recorder(io.BytesIO):
    """A stream that remembers how much was asked of it at once."""

    largest = 0

    def read(self, size: int | None = -1, /) -> bytes:
        self.largest = max(self.largest, size or -1)
        return super().read(size)


def ingest(data: bytes, *, sha256: str = "", size: int = -1, repo: str = REPO) -> None:
    objects.ingest(repo, io.BytesIO(data), sha256=sha256 or sha256_of(data), size=size if size >= 0 else len(data))


def test_the_bytes_come_back(files: Files) -> None:
    ingest(DATA)
    with objects.open(REPO, SHA256) as file:
        assert file.read() == DATA
        assert file.seek(10) == 10
        assert file.read(5) == DATA[10:15]
    assert objects.exists(REPO, SHA256)
    assert objects.size(REPO, SHA256) == len(DATA)
    assert files() == [objects.local_path(REPO, SHA256)]


def test_an_object_of_no_bytes(files: Files) -> None:
    ingest(b"")
    assert objects.size(REPO, sha256_of(b"")) == 0


def test_the_stream_is_read_in_pieces() -> None:
    stream = Recorder(DATA)
    objects.ingest(REPO, stream, sha256=SHA256, size=len(DATA))
    assert stream.largest == durable.PIECE


def test_a_stream_that_returns_less_than_asked_is_read_on() -> None:
    class Trickle(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            return super().read(min(size or 0, 70_001))

    objects.ingest(REPO, Trickle(DATA), sha256=SHA256, size=len(DATA))
    assert objects.exists(REPO, SHA256)


@pytest.mark.parametrize(
    ("data", "sha256", "size"),
    [
        pytest.param(DATA[:-1], SHA256, len(DATA), id="cut off"),
        pytest.param(b"", SHA256, len(DATA), id="nothing came"),
        pytest.param(DATA + b"x", SHA256, len(DATA), id="one byte too many"),
        pytest.param(DATA[:-1] + b"x", SHA256, len(DATA), id="other bytes"),
        pytest.param(b"x", sha256_of(b""), 0, id="something instead of nothing"),
    ],
)
def test_a_body_that_is_not_as_announced_is_refused(files: Files, data: bytes, sha256: str, size: int) -> None:
    with pytest.raises(CorruptUpload, match="Nothing was stored"):
        ingest(data, sha256=sha256, size=size)
    assert files() == []


def test_no_more_is_read_of_an_endless_stream_than_one_byte_too_many() -> None:
    stream = io.BytesIO(DATA)
    with pytest.raises(CorruptUpload):
        objects.ingest(REPO, stream, sha256=SHA256, size=1000)
    assert stream.tell() == 1001


def test_a_connection_that_breaks_leaves_nothing(files: Files) -> None:
    class Broken(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            if self.tell() >= 2 * durable.PIECE:
                raise ConnectionResetError
            return super().read(size)

    with pytest.raises(ConnectionResetError):
        objects.ingest(REPO, Broken(DATA), sha256=SHA256, size=len(DATA))
    assert files() == []


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_said_and_leaves_nothing(files: Files, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    real = os.write

    def full(descriptor: int, data: memoryview) -> int:
        if len(data) < durable.PIECE:
            raise OSError(number, os.strerror(number))
        return real(descriptor, data)

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(StorageFull) as caught:
        ingest(DATA)
    assert caught.value.status == 507
    assert files() == []


def test_what_the_disk_takes_in_bits_is_written_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, data: real(descriptor, data[:100_000]))
    ingest(DATA)
    assert objects.size(REPO, SHA256) == len(DATA)


def test_a_disk_error_is_not_called_a_full_disk(files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(descriptor: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "fsync", broken)
    with pytest.raises(OSError, match="Input/output error"):
        ingest(DATA)
    assert files() == []


def test_bytes_reach_the_disk_before_the_name_and_the_name_before_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    ingest(b"so that the folders exist", repo=REPO)
    steps: list[str] = []
    fsync, replace = os.fsync, Path.replace

    def record_fsync(descriptor: int) -> None:
        steps.append("folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file")
        fsync(descriptor)

    def record_replace(self: Path, target: Path) -> Path:
        steps.append("rename")
        return replace(self, target)

    monkeypatch.setattr(os, "fsync", record_fsync)
    monkeypatch.setattr(Path, "replace", record_replace)
    ingest(DATA)
    assert [step for step in steps if step != "folder"] == ["file", "rename"]
    assert steps[-1] == "folder"


def test_an_object_that_is_there_stays_as_it_is(files: Files) -> None:
    ingest(DATA)
    [path] = files()
    before = path.stat()
    ingest(DATA)
    assert files() == [path]
    assert path.stat() == before


def test_knowing_the_hash_of_an_object_that_is_there_does_not_replace_having_its_bytes() -> None:
    ingest(DATA)
    with pytest.raises(CorruptUpload):
        ingest(b"x" * len(DATA), sha256=SHA256)


def test_a_damaged_object_is_healed_by_the_next_upload(files: Files) -> None:
    ingest(DATA)
    [path] = files()
    os.truncate(path, 10)
    ingest(DATA)
    assert path.read_bytes() == DATA


def test_another_repo_does_not_have_it() -> None:
    ingest(DATA)
    assert not objects.exists(OTHER_REPO, SHA256)
    with pytest.raises(FileNotFoundError):
        objects.open(OTHER_REPO, SHA256)


def test_two_at_once_with_the_same_object(files: Files) -> None:
    together = threading.Barrier(2)

    class Waiting(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            piece = super().read(size)
            if not piece:  # Both are whole before either is published.
                together.wait(timeout=20)
            return piece

    with ThreadPoolExecutor(2) as pool:
        uploads = [pool.submit(objects.ingest, REPO, Waiting(DATA), sha256=SHA256, size=len(DATA)) for _ in range(2)]
    assert [upload.result() for upload in uploads] == [None, None]
    [path] = files()
    assert path.read_bytes() == DATA


def test_only_the_owner_of_the_process_may_read(store: Path) -> None:
    ingest(DATA)
    for path in store.rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path


def test_a_planted_link_is_no_object_and_its_target_is_left_alone(store: Path) -> None:
    secret = store / "secret"
    secret.write_bytes(DATA)
    path = objects.local_path(REPO, SHA256)
    assert path is not None
    path.parent.mkdir(parents=True)
    path.symlink_to(secret)

    assert not objects.exists(REPO, SHA256)
    with pytest.raises(OSError, match="symbolic links"):
        objects.open(REPO, SHA256)
    ingest(DATA)
    assert not path.is_symlink()
    assert path.read_bytes() == DATA
    assert secret.read_bytes() == DATA


@pytest.mark.parametrize(
    "sha256",
    ["", "0" * 63, "0" * 65, "A" * 64, "g" * 64, "../" * 21 + "a", "0" * 63 + "\n", "٣" * 64, "0" * 62 + "\0/"],
)
def test_what_is_no_hash_never_becomes_a_path(files: Files, sha256: str) -> None:
    for act in (objects.exists, objects.size, objects.open, objects.local_path, objects.delete, objects.key):
        with pytest.raises(BadRequest, match="64 lowercase hex"):
            act(REPO, sha256)
    with pytest.raises(BadRequest, match="64 lowercase hex"):
        objects.ingest(REPO, io.BytesIO(b""), sha256=sha256, size=0)
    assert files() == []


@pytest.mark.parametrize("storage_id", ["", "..", "AB" * 16, "ab" * 15 + "./"])
def test_what_is_no_repo_never_becomes_a_path(files: Files, storage_id: str) -> None:
    for act in (objects.exists, objects.delete):
        with pytest.raises(BadRequest, match="32 lowercase hex"):
            act(storage_id, SHA256)
    with pytest.raises(BadRequest, match="32 lowercase hex"):
        objects.delete_all(storage_id)
    with pytest.raises(BadRequest, match="32 lowercase hex"):
        objects.writer(storage_id)
    assert files() == []


def test_temporary_files_on_another_file_system_are_a_mistake_of_the_operator(
    files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cross_device(self: Path, target: Path) -> Path:
        raise OSError(errno.EXDEV, "Invalid cross-device link")

    monkeypatch.setattr(Path, "replace", cross_device)
    with pytest.raises(ImproperlyConfigured, match="GATEHUB_TMP_DIR"):
        ingest(DATA)
    assert files() == []
