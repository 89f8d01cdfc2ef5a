"""The order in which tests are given to the workers."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from tests.support import order
from tests.support.server import ROOT


def item(path: str) -> Any:
    return SimpleNamespace(path=ROOT / path)


@pytest.mark.parametrize("workers", [1, 2, 3, 8])
@pytest.mark.parametrize(("others", "long"), [(7, 3), (90, 10), (0, 3), (2, 0), (0, 0), (19, 1), (1, 30)])
def test_none_is_left_out_and_none_is_there_twice(workers: int, others: int, long: int) -> None:
    items = [item("tests/web/test_a.py") for _ in range(others)] + [item("tests/test_up.py") for _ in range(long)]
    ordered = order.in_order(items, workers)
    assert sorted(map(id, ordered)) == sorted(map(id, items))


def test_each_worker_begins_with_long_ones_and_the_rest_stays_in_order() -> None:
    others = [item(f"tests/web/test_{number}.py") for number in range(8)]
    items = [*others[:4], *(item("tests/test_up.py") for _ in range(4)), *others[4:]]
    ordered = order.in_order(items, 2)
    assert [order._is_long(one) for one in ordered] == [True, True, *[False] * 4] * 2
    assert [one for one in ordered if not order._is_long(one)] == others


def test_the_long_ones_are_there() -> None:
    for path in order.LONG:
        assert (ROOT / path).exists(), path
