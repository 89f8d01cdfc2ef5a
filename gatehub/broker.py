"""The brokers, Redis and folders of files, by kombu, without errors of kombu's that end workers."""

from __future__ import annotations

import contextlib
import logging
import os
import time
import uuid
from pathlib import Path
from typing import Any

from kombu.exceptions import ChannelError
from kombu.transport import filesystem, redis
from kombu.utils.json import dumps
from redis.exceptions import ConnectionError as RedisConnectionError

log = logging.getLogger("gatehub.broker")


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


class FileChannel(filesystem.Channel):
    """Messages and tables are there whole, or not at all.

    kombu opens a file under its name and writes it then.  A worker that looked in between took an empty message, and
    ended at the error of the parser.
    """

    def _put(self, queue: str, payload: Any, **_: Any) -> None:  # type: ignore[override]  # Two names in its stubs.
        name = f"{round(time.monotonic() * 1000)}_{uuid.uuid4()}.{queue}.msg"
        folder = Path(self.data_folder_out)
        try:
            _draft(folder, name, dumps(payload)).rename(folder / name)
        except OSError as error:
            raise ChannelError(f"Cannot add the file {name} to {folder}") from error

    def _get(self, queue: str, timeout: float | None = None) -> Any:
        """The next message.  One that cannot be read, which a power cut may leave, is left out: tasks are nudges."""
        while True:
            try:
                return super()._get(queue)
            except ValueError as error:
                log.warning("A message of the queue %s cannot be read: %r", queue, error)

    def _queue_bind(self, exchange: Any, routing_key: Any, pattern: Any, queue: Any) -> None:
        file = Path(self._exchange_file(exchange))  # type: ignore[attr-defined]  # Not among its stubs.
        if not file.exists():
            self.control_folder.mkdir(exist_ok=True)
            draft = _draft(file.parent, file.name, "[]")
            with contextlib.suppress(FileExistsError):  # Another process was quicker.
                os.link(draft, file)
            draft.unlink()
        super()._queue_bind(exchange, routing_key, pattern, queue)


def _draft(folder: Path, name: str, text: str) -> Path:
    """A file with that text, hidden from whoever looks for names of kombu's."""
    draft = folder / f".{uuid.uuid4()}.{name}"
    draft.write_text(text, encoding="utf-8")
    return draft


class FileTransport(filesystem.Transport):
    Channel = FileChannel
