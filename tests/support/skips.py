"""What a test does without a program that it needs: it is skipped, except where nothing may be skipped."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import NoReturn

import pytest

REQUIRE_ALL = "GATEHUB_TEST_REQUIRE_ALL"


def missing(reason: str) -> NoReturn:
    """Skip the running test, or fail it where `GATEHUB_TEST_REQUIRE_ALL=1` (CI) allows no skip."""
    if os.environ.get(REQUIRE_ALL) == "1":
        pytest.fail(f"{reason} ({REQUIRE_ALL}=1 allows no skip)", pytrace=False)
    pytest.skip(reason)


def program(name: str, *others: str, folder: Path | None = None) -> str:
    """Find a program on the PATH, in the folders where Debian keeps servers, or in `folder`; else see `missing`.

    `others` are names of programs that will do as well.
    """
    path = str(folder) if folder else f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
    for known in (name, *others):
        found = shutil.which(known, path=path)
        if found is not None:
            return found
    missing(f"{name} is not installed")
