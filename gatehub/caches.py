"""Where pages keep what took them time.  A Redis that is gone or hangs costs that time again, and no page."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any, Final

from django.core.cache import BaseCache, caches
from django.core.cache.backends.redis import RedisCache
from django.utils.connection import ConnectionProxy
from redis.exceptions import RedisError

log = logging.getLogger("gatehub.caches")

_REST: Final = 5.0
"""Seconds for which a Redis that failed is not asked again: a page asks for several things, and would wait for each."""


class ForgivingRedisCache(RedisCache):
    """As if nothing were kept while Redis fails.  Not for limits, which nobody may lift by stopping it."""

    _resting_until = 0.0

    def get(self, key: Any, default: Any = None, version: int | None = None) -> Any:
        return self._try(lambda: super(ForgivingRedisCache, self).get(key, default, version), default)

    def set(self, key: Any, value: Any, *args: Any, **kwargs: Any) -> None:
        self._try(lambda: super(ForgivingRedisCache, self).set(key, value, *args, **kwargs), None)

    def _try(self, ask: Callable[[], Any], otherwise: Any) -> Any:
        if time.monotonic() < ForgivingRedisCache._resting_until:
            return otherwise
        try:
            return ask()
        except RedisError as error:
            ForgivingRedisCache._resting_until = time.monotonic() + _REST
            log.warning("Nothing is kept for %d seconds: %s", _REST, error)
            return otherwise


kept: BaseCache = ConnectionProxy(caches, "kept")  # type: ignore[assignment]  # As Django makes its own `cache`.
