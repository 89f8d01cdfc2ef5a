"""Fixtures for all tests.  Those that start programs are plugins in `tests/support/`."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator

import pytest

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


@pytest.fixture(autouse=True, scope="session")
def _no_power_cuts() -> Iterator[None]:
    """Files are written as safely as SQLite's in `tests.settings`: to make a repo takes fifty fsyncs.

    Servers and commands of tests are programs of their own, and wait for the disk.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", os.fstat)  # As for the real one, the file must be there.
        yield
