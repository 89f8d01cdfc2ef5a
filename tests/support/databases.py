"""Which tests run on which database: `@pytest.mark.postgresql` ones only where the suite runs on PostgreSQL.

`make test` runs the suite on SQLite and then those marked once more on PostgreSQL.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.conf import settings
from django.db import connection
from django.test import TransactionTestCase

from accounts import lent, triggers


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not settings.EMBEDDED:
        return
    kept = [item for item in items if item.get_closest_marker("postgresql") is None]
    if len(kept) < len(items):
        config.hook.pytest_deselected(items=[item for item in items if item not in kept])
        items[:] = kept


@pytest.fixture(autouse=True)
def _no_sessions_kept() -> Iterator[None]:
    """None outlives its test: the database could not be dropped."""
    yield
    lent.release()


@pytest.fixture(autouse=True, scope="session")
def _flush_the_audit_trail() -> Iterator[None]:
    """Tests with real transactions empty all tables when they end, which the audit trail's triggers refuse."""
    teardown = TransactionTestCase._fixture_teardown  # type: ignore[attr-defined]  # The stubs leave it out.

    def lifted(case: TransactionTestCase) -> None:
        triggers.remove(connection)
        try:
            teardown(case)
        finally:
            triggers.install(connection)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", lifted)
        yield
