"""The addresses of static files, against WhiteNoise's."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from django.test import override_settings
from whitenoise.storage import CompressedManifestStaticFilesStorage

from gatehub.static_files import StaticFiles

PATHS = {"css/base.css": "css/base.0123456789ab.css", "img/a b.svg": "img/a b.ba9876543210.svg"}


@pytest.fixture
def collected(tmp_path: Path) -> Path:
    manifest = {"version": "1.1", "hash": "1", "paths": PATHS}
    (tmp_path / "staticfiles.json").write_text(json.dumps(manifest))
    return tmp_path


@pytest.mark.parametrize("name", [*PATHS, "css/base.css#part", "css/base.css?#iefix"])
def test_they_are_those_of_whitenoise(name, collected):
    ours, theirs = StaticFiles(collected, "/static/"), CompressedManifestStaticFilesStorage(collected, "/static/")
    assert [ours.url(name) for _ in range(3)] == [theirs.url(name)] * 3
    assert ours.url(name, force=True) == theirs.url(name, force=True)


def test_each_is_made_once(collected, monkeypatch):
    made = []
    once = CompressedManifestStaticFilesStorage.stored_name
    monkeypatch.setattr(
        CompressedManifestStaticFilesStorage, "stored_name", lambda self, name: made.append(name) or once(self, name)
    )
    storage = StaticFiles(collected, "/static/")
    assert {storage.url("css/base.css") for _ in range(3)} == {"/static/css/base.0123456789ab.css"}
    assert made == ["css/base.css"]


def test_a_file_that_was_not_collected_is_an_error_each_time(collected):
    storage = StaticFiles(collected, "/static/")
    for _ in range(2):
        with pytest.raises(ValueError, match=r"css/none\.css"):
            storage.url("css/none.css")


@override_settings(DEBUG=True)
def test_while_debugging_they_have_no_digests(collected):
    assert StaticFiles(collected, "/static/").url("css/base.css") == "/static/css/base.css"
