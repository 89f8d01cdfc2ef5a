"""Short, printable names for tests whose parameters are long or hostile texts."""

from __future__ import annotations

import pytest


@pytest.hookimpl(tryfirst=True)
def pytest_make_parametrize_id(config: pytest.Config, val: object, argname: str) -> str | None:
    """The start of a text; pytest's own choice for all else, but for numbers that it could not write out."""
    if isinstance(val, str):
        return ascii(val[:24])[1:-1] or "empty"
    return "huge" if isinstance(val, int) and val.bit_length() > 64 else None
