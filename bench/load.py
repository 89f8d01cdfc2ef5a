"""Many connections that ask for one thing again and again, each as soon as it has its answer."""

from __future__ import annotations

import asyncio
import re
import statistics
import time
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class Load:
    """Answers per second, and how long they took, in milliseconds."""

    rate: float
    median: float
    p99: float


def load(url: str, headers: Mapping[str, str], *, method: str, connections: int, seconds: float) -> Load:
    """Raises RuntimeError for an answer that is not 200."""
    return asyncio.run(_load(url, headers, method, connections, seconds))


async def _load(url: str, headers: Mapping[str, str], method: str, connections: int, seconds: float) -> Load:
    parts = urlsplit(url)
    lines = [f"{method} {parts.path} HTTP/1.1", f"Host: {parts.netloc}", *(f"{n}: {v}" for n, v in headers.items())]
    asked = ("\r\n".join(lines) + "\r\n\r\n").encode()
    loop = asyncio.get_running_loop()
    ends = loop.time() + seconds
    callers = [_Caller(asked, method, ends) for _ in range(connections)]
    for caller in callers:
        await loop.create_connection(lambda caller=caller: caller, parts.hostname, parts.port)  # type: ignore[misc]
    began = loop.time()
    await asyncio.gather(*(caller.done for caller in callers))
    took = sorted(time_ for caller in callers for time_ in caller.took)
    rate = len(took) / (loop.time() - began)
    return Load(rate, statistics.median(took) * 1000, took[int(len(took) * 0.99)] * 1000)


class _Caller(asyncio.Protocol):
    """One connection that is kept."""

    def __init__(self, asked: bytes, method: str, ends: float) -> None:
        self.took: list[float] = []
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._asked = asked
        self._has_body = method != "HEAD"
        self._ends = ends
        self._got = b""
        self._began = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._ask()

    def _ask(self) -> None:
        self._got, self._began = b"", time.perf_counter()
        self._transport.write(self._asked)

    def data_received(self, data: bytes) -> None:
        self._got += data
        head, end, body = self._got.partition(b"\r\n\r\n")
        if not end or (self._has_body and not _is_whole(head.lower(), body)):
            return
        self.took.append(time.perf_counter() - self._began)
        if not head.startswith(b"HTTP/1.1 200"):
            self._fail(RuntimeError(head.decode(errors="replace")))
        elif time.monotonic() > self._ends:
            self._transport.close()
            self.done.set_result(None)
        else:
            self._ask()

    def connection_lost(self, error: Exception | None) -> None:
        self._fail(error or ConnectionError("The server has closed the connection."))

    def _fail(self, error: Exception) -> None:
        if not self.done.done():
            self.done.set_exception(error)
            self._transport.close()


def _is_whole(head: bytes, body: bytes) -> bool:
    length = re.search(rb"\r\ncontent-length: (\d+)", head)
    return len(body) >= int(length[1]) if length else body.endswith(b"0\r\n\r\n")
