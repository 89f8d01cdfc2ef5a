"""Which tests run on which database: `@pytest.mark.postgresql` ones only where the suite runs on PostgreSQL.

`make test` runs the suite on SQLite and then those marked once more on PostgreSQL.
"""

from __future__ import annotations

import pytest
from django.conf import settings


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not settings.EMBEDDED:
        return
    kept = [item for item in items if item.get_closest_marker("postgresql") is None]
    if len(kept) < len(items):
        config.hook.pytest_deselected(items=[item for item in items if item not in kept])
        items[:] = kept
