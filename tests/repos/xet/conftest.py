"""An upload area of Ada's, with a data folder of its own for every test."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.conf import settings as django_settings

from repos.xet.upload import UploadArea
from tests.repos.xet import encoder

REPO = "ab" * 16


@pytest.fixture
def data_dir(settings: LazySettings, tmp_path: Path) -> Path:
    settings.GATEHUB_OBJECTS_DIR = tmp_path / "objects"
    settings.GATEHUB_TMP_DIR = tmp_path / "tmp"
    return tmp_path


def use_data_dir(data_dir: Path) -> None:
    """What the fixture does, for a process that a test started."""
    django_settings.GATEHUB_OBJECTS_DIR = data_dir / "objects"
    django_settings.GATEHUB_TMP_DIR = data_dir / "tmp"


@pytest.fixture
def area(data_dir: Path) -> UploadArea:
    return UploadArea(REPO, "ada", "grant-1")


@pytest.fixture
def files(data_dir: Path) -> Callable[[], list[Path]]:
    """All files below the data folder, now."""
    return lambda: [path for path in data_dir.rglob("*") if not path.is_dir()]


def put(area: UploadArea, xorb_hash: str, chunks: Iterable[tuple[bytes, int]]) -> bool:
    body = encoder.xorb(chunks)
    return area.put_xorb(xorb_hash, io.BytesIO(body), len(body))
