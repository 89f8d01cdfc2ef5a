"""Tests: a folder per app, `clients/` for the real Hub clients, `support/` for the servers that they talk to."""
