"""How often something was done of late, counted in the cache that all processes share.  See ADR 17."""

from __future__ import annotations

from django.core.cache import cache


def count(what: str, *, per_seconds: int) -> int:
    """Counts this time, too; from one on within each span, which begins with the first."""
    cache.add(what, 0, per_seconds)
    try:
        return int(cache.incr(what))
    except ValueError:  # Its span ended just now.
        return 1
