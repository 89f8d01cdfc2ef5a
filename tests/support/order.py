"""What takes long begins first: begun last, a test of two minutes is what all other workers wait for."""

from __future__ import annotations

import os
from itertools import islice

import pytest

from tests.support.server import ROOT

LONG = (
    "tests/notifications/live",
    "tests/notifications/test_exactly_once.py",
    "tests/test_up.py",
    "tests/test_schedules.py",
    "tests/access/test_bulk_worker.py",
    "tests/clients/test_datasets.py",
    "tests/clients/test_transformers.py",
)
"""Of these tests, each starts programs of its own, and mostly waits for them."""


@pytest.hookimpl(trylast=True)  # After those that leave some out.
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items[:] = in_order(items, int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1")))


def in_order(items: list[pytest.Item], workers: int) -> list[pytest.Item]:
    """So that the part that each worker gets, one after another and as large as the others, begins with some of them.

    With files side by side, as far as that goes: their tests share what they have started.
    """
    long = [item for item in items if _is_long(item)]
    others = (item for item in items if not _is_long(item))
    ordered: list[pytest.Item] = []
    for left in range(workers, 0, -1):
        size = (len(items) - len(ordered)) // left
        share = min(-(-len(long) // left), size)
        mine, long = long[:share], long[share:]
        ordered += [*mine, *islice(others, size - len(mine))]
    return ordered


def _is_long(item: pytest.Item) -> bool:
    path = item.path.relative_to(ROOT).as_posix()
    return path.startswith(LONG)
