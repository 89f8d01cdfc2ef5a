"""The admin of access requests, their bulk reviews, and tokens."""

from __future__ import annotations

from access.admin import bulk_reviews, requests, tokens

__all__ = ["bulk_reviews", "requests", "tokens"]
