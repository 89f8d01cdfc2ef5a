"""What pages keep: a Redis that fails costs time, and no page."""

from __future__ import annotations

import time

import pytest

from gatehub.caches import ForgivingRedisCache


@pytest.fixture
def awake(monkeypatch):
    monkeypatch.setattr(ForgivingRedisCache, "_resting_until", 0.0)


def test_it_keeps_what_it_is_given(redis, awake):
    cache = ForgivingRedisCache(redis.url, {})
    cache.set("test_caches", "text", 60)
    assert cache.get("test_caches") == "text"


def test_where_nothing_listens_nothing_is_kept_and_nothing_fails(awake):
    cache = ForgivingRedisCache("redis://127.0.0.1:1/0", {})
    cache.set("key", "text", 60)
    assert cache.get("key", "otherwise") == "otherwise"


def test_once_it_failed_it_is_not_asked_again_for_a_while(awake, monkeypatch):
    cache = ForgivingRedisCache("redis://127.0.0.1:1/0", {})
    cache.get("key")
    asked = []
    monkeypatch.setattr(ForgivingRedisCache.__mro__[1], "get", lambda *args: asked.append(args))
    assert cache.get("key", "otherwise") == "otherwise"
    assert asked == []
    monkeypatch.setattr(ForgivingRedisCache, "_resting_until", time.monotonic() - 1)
    cache.get("key")
    assert len(asked) == 1
