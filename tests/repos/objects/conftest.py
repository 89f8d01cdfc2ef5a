"""A store of its own for every test, on disk."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest
from django.conf import LazySettings

REPO = "ab" * 16
OTHER_REPO = "cd" * 16


def sha256_of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@pytest.fixture(autouse=True)
def store(settings: LazySettings, tmp_path: Path) -> Path:
    """The data folder: `objects`, and `tmp` for what is not whole."""
    settings.GATEHUB_OBJECTS_DIR = tmp_path / "objects"
    settings.GATEHUB_TMP_DIR = tmp_path / "tmp"
    return tmp_path


@pytest.fixture
def files(store: Path) -> Callable[[], list[Path]]:
    """All files below the data folder, now."""
    return lambda: [path for path in store.rglob("*") if not path.is_dir()]
