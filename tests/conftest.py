"""Fixtures for all tests.  Those that start programs are plugins in `tests/support/`."""

from __future__ import annotations

pytest_plugins = [
    "tests.support.cast",
    "tests.support.authenticator",
    "tests.support.proxy",
    "tests.support.databases",
    "tests.support.postgresql",
    "tests.support.redis",
    "tests.support.smtp",
    "tests.support.server",
    "tests.support.nginx",
    "tests.support.chromium",
    "tests.support.hub",  # Last: it imports the server, whose module must be registered first.
]
