"""A full xorb, and the file that is made of it, pass through little memory: measured in a process of their own."""

from __future__ import annotations

import hashlib
import multiprocessing
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from repos import objects
from repos.xet import xorb
from repos.xet.upload import UploadArea
from tests.repos.xet import encoder
from tests.repos.xet.conftest import REPO, use_data_dir
from tests.repos.xet.encoder import GROUPED_LZ4, STORED, file_records

XORB = "a" * 64
RAW = hashlib.shake_256(b"weights").digest(xorb.MAX_CHUNK_BYTES)
KINDS = [encoder.chunk(RAW, STORED), encoder.chunk(RAW, GROUPED_LZ4)]
CHUNKS = (64 << 20) // len(KINDS[1])
LENGTH = sum(len(KINDS[number % 2]) for number in range(CHUNKS))


class Body:
    """The xorb as it comes over the wire, made on the way."""

    def __init__(self) -> None:
        self._parts = (KINDS[number % 2] for number in range(CHUNKS))
        self._rest = b""

    def read(self, size: int, /) -> bytes:
        self._rest = self._rest or next(self._parts, b"")
        piece, self._rest = self._rest[:size], self._rest[size:]
        return piece


def peak() -> int:
    """The most memory that this process has held since the last reset, in bytes."""
    [line] = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM:")]
    return int(line.split()[1]) * 1024


def growth(step: Callable[[], object]) -> int:
    Path("/proc/self/clear_refs").write_text("5")
    before = peak()
    step()
    return peak() - before


def upload_and_rebuild(data_dir: Path) -> tuple[int, int]:
    """How much memory the xorb takes, and the file of four times its chunks."""
    use_data_dir(data_dir)
    area = UploadArea(REPO, "ada", "grant-1")
    for_xorb = growth(lambda: area.put_xorb(XORB, Body(), LENGTH))
    digest = hashlib.sha256()
    for _ in range(4 * CHUNKS):
        digest.update(RAW)
    segments = [(XORB, CHUNKS * len(RAW), 0, CHUNKS)] * 4
    shard = encoder.shard([file_records(digest.hexdigest(), segments)])
    for_file = growth(lambda: area.rebuild(shard, REPO))
    assert objects.size(REPO, digest.hexdigest()) == 4 * CHUNKS * len(RAW)
    objects.delete_all(REPO)  # pytest keeps the folders of the last runs.
    area.discard()
    return for_xorb, for_file


def test_a_full_xorb_is_never_held_whole(data_dir: Path) -> None:
    assert 60 << 20 < LENGTH <= 64 << 20
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        for_xorb, for_file = pool.submit(upload_and_rebuild, data_dir).result()
    assert for_xorb < 8 << 20
    assert for_file < 8 << 20
