"""Redis as the broker, by kombu, without an error of kombu's that ends workers."""

from __future__ import annotations

from typing import Any

from kombu.transport import redis
from redis.exceptions import ConnectionError as RedisConnectionError


class Channel(redis.Channel):
    """A channel that was closed says so when it is used again.

    When Redis goes away while a task runs, kombu closes the channel by which it came, and then gives its messages back
    or acknowledges them through it.  The channel would ask its connection, which is none any more, for the host, and
    Celery ends a worker at the AttributeError; a ConnectionError is what it knows: it logs it and connects anew.
    Nothing is lost, since tasks are nudges, and Redis gives to a worker again what was not acknowledged.
    """

    def _connparams(self, asynchronous: bool = False) -> dict[str, Any]:
        if self.connection.client is None:
            raise RedisConnectionError("The connection to the broker was closed.")
        return super()._connparams(asynchronous)  # type: ignore[misc, no-any-return]


class Transport(redis.Transport):
    Channel = Channel
