"""Fixtures for all tests.  Those that start programs are plugins in `tests/support/`."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from pathlib import Path

import pygit2
import pytest
from pygit2.enums import ConfigLevel

# What the tests have loaded stays to the end; a seventh of their time went into looking through it for cycles.
gc.set_threshold(20_000)


def pytest_collection_finish() -> None:
    gc.collect()
    gc.freeze()


pytest_plugins = [
    "tests.support.cast",
    "tests.support.authenticator",
    "tests.support.proxy",
    "tests.support.databases",
    "tests.support.postgresql",
    "tests.support.redis",
    "tests.support.smtp",
    "tests.support.server",
    "tests.support.identity_provider",
    "tests.support.nginx",
    "tests.support.chromium",
    "tests.support.order",
    "tests.support.hub",  # Last: it imports the server, whose module must be registered first.
]


LIBGIT2_SYNCS = "fsyncObjectFiles = true"


@pytest.fixture(autouse=True, scope="session")
def _no_power_cuts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Files are written as safely as SQLite's in `tests.settings`: to make a repo takes fifty fsyncs.

    libgit2's own go by its configuration, so they do in repos that tests make within their process; those in
    `tests/repos/git`, about what is safe on disk, have the product's.  Servers and commands of tests are programs of
    their own, and wait for the disk.
    """
    paths = pygit2.settings.search_path
    safe = paths[ConfigLevel.SYSTEM]
    config = Path(safe, "gitconfig").read_text()
    assert LIBGIT2_SYNCS in config
    quick = tmp_path_factory.mktemp("libgit2")
    (quick / "gitconfig").write_text(config.replace(LIBGIT2_SYNCS, "fsyncObjectFiles = false"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", os.fstat)  # As for the real one, the file must be there.
        paths[ConfigLevel.SYSTEM] = str(quick)
        yield
    paths[ConfigLevel.SYSTEM] = safe
