"""The same functions over storages that are not ours: one without files, as S3 is, and Django's own."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.files.base import ContentFile

from repos import objects
from repos.errors import CorruptUpload
from tests.repos.objects.conftest import REPO, sha256_of

DATA = b"weights" * 1000
SHA256 = sha256_of(DATA)

BACKENDS: dict[str, dict[str, Any]] = {
    "no files": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    "Django's files": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "ours, elsewhere": {"BACKEND": "repos.objects.LocalObjectStorage"},
}


@pytest.fixture(params=BACKENDS, autouse=True)
def backend(request: pytest.FixtureRequest, settings: LazySettings, store: Path) -> str:
    configured = dict(BACKENDS[request.param])
    if request.param != "no files":
        configured["OPTIONS"] = {"location": store / "elsewhere"}
    settings.STORAGES = settings.STORAGES | {"lfs": configured}
    return str(request.param)


def ingest(data: bytes = DATA, sha256: str = SHA256) -> None:
    objects.ingest(REPO, io.BytesIO(data), sha256=sha256, size=len(data))


def temporary_files() -> list[Path]:
    return list(objects.temp_dir().iterdir())


def test_in_and_out_again(backend: str) -> None:
    ingest()
    ingest()
    with objects.open(REPO, SHA256) as file:
        file.seek(7)
        assert file.read() == DATA[7:]
    assert objects.size(REPO, SHA256) == len(DATA)
    assert list(objects.iter_objects(REPO)) == [SHA256]
    assert temporary_files() == []
    path = objects.local_path(REPO, SHA256)
    assert (path is None) == (backend == "no files")
    objects.delete_all(REPO)
    assert not objects.exists(REPO, SHA256)
    assert list(objects.iter_objects(REPO)) == []


def test_a_wrong_hash_leaves_nothing() -> None:
    with pytest.raises(CorruptUpload):
        ingest(b"other")
    assert not objects.exists(REPO, SHA256)
    assert temporary_files() == []


def test_a_damaged_object_is_replaced() -> None:
    objects.storage().save(objects.key(REPO, SHA256), ContentFile(b"half"))
    ingest()
    assert list(objects.iter_objects(REPO)) == [SHA256]
    with objects.open(REPO, SHA256) as file:
        assert file.read() == DATA


def test_somebody_who_publishes_at_the_same_time_causes_no_second_copy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Storages that never overwrite make up another name for the second one."""
    ingest()
    store = objects.storage()
    real: Callable[[str], bool] = store.exists
    answers = iter([False])  # As it was just before the other one published.
    monkeypatch.setattr(store, "exists", lambda name: next(answers, None) is not False and real(name))
    ingest()
    [folder] = {objects.key(REPO, SHA256).rsplit("/", 1)[0]}
    assert store.listdir(folder) == ([], [SHA256])
