"""Tests with a real browser: see tests/support/chromium.py for the browser, seed.py for what it meets."""
