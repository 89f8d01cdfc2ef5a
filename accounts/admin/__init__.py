"""The admin of people and groups, organizations, and the audit trail."""

from __future__ import annotations

from accounts.admin import organizations, people, trail

__all__ = ["organizations", "people", "trail"]
