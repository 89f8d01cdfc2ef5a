"""What real clients sent is understood: `data/`, made from the files of `sources.py`."""

from __future__ import annotations

import hashlib
from collections import Counter
from pathlib import Path

import pytest

from repos import objects
from repos.xet import shard, xorb
from repos.xet.upload import UploadArea
from tests.repos.xet.conftest import REPO
from tests.repos.xet.sources import SOURCES

CAPTURES = sorted(Path(__file__).parent.glob("data/hf_xet-*"))


@pytest.fixture(params=CAPTURES, ids=lambda path: path.name)
def capture(request: pytest.FixtureRequest) -> Path:
    path: Path = request.param
    return path


def test_there_are_captures() -> None:
    assert [path.name for path in CAPTURES] == ["hf_xet-1.1.5", "hf_xet-1.8.0"]


def test_every_file_is_rebuilt_byte_for_byte(area: UploadArea, capture: Path) -> None:
    for path in capture.glob("*.xorb"):
        with path.open("rb") as body:
            assert area.put_xorb(path.stem, body, path.stat().st_size)
    stored = area.rebuild((capture / "upload.shard").read_bytes(), REPO)

    contents = {hashlib.sha256(data).hexdigest(): data for data in SOURCES.values()}
    assert dict(stored) == {sha256: len(data) for sha256, data in contents.items()}
    for sha256, data in contents.items():
        with objects.open(REPO, sha256) as file:
            assert file.read() == data


def test_the_captures_have_chunks_of_every_scheme(capture: Path) -> None:
    [path] = capture.glob("*.xorb")
    where, data = xorb.index(path), path.read_bytes()
    schemes = Counter(data[start + 4] for start in where.starts[:-1])
    assert set(schemes) == {xorb.STORED, xorb.LZ4, xorb.GROUPED_LZ4}


def test_only_the_old_client_sends_a_footer() -> None:
    sizes = {path.name: shard.HEADER.unpack_from((path / "upload.shard").read_bytes())[2] for path in CAPTURES}
    assert sizes == {"hf_xet-1.1.5": 200, "hf_xet-1.8.0": 0}
