"""A proxy on loopback that cuts connections, for clients that must take up a broken download again."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest


class CuttingProxy:
    """Passes bytes on to a server; the first `cuts` answers with more than `after` bytes end there, abruptly.

    `ranges` collects the Range headers that clients sent.
    """

    def __init__(self, target: str, *, after: int, cuts: int = 1) -> None:
        parts = urlsplit(target)
        self._target = (parts.hostname or "127.0.0.1", parts.port or 80)
        self._after, self._cuts = after, cuts
        self._lock = threading.Lock()
        self.ranges: list[str] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def has_cut(self) -> bool:
        return self._cuts <= 0

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                caller, _ = self._listener.accept()
            except OSError:  # Closed: the test is over.
                return
            threading.Thread(target=self._serve, args=[caller], daemon=True).start()

    def _serve(self, caller: socket.socket) -> None:
        with caller, socket.create_connection(self._target) as server:
            threading.Thread(target=self._requests, args=[caller, server], daemon=True).start()
            passed = 0
            with contextlib.suppress(OSError):
                while piece := server.recv(65536):
                    passed += len(piece)
                    caller.sendall(piece)
                    if passed > self._after and self._may_cut():
                        # SO_LINGER 0: a reset, as when a network breaks, and no orderly end.
                        caller.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
                        return

    def _may_cut(self) -> bool:
        with self._lock:
            self._cuts -= 1
            return self._cuts >= 0

    def _requests(self, caller: socket.socket, server: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while piece := caller.recv(65536):
                for line in piece.split(b"\r\n"):
                    if line.lower().startswith(b"range:"):
                        self.ranges.append(line.decode("latin-1"))
                server.sendall(piece)
            server.shutdown(socket.SHUT_WR)


@pytest.fixture
def cutting_proxy() -> Iterator[object]:
    """`cutting_proxy(server.url, after=5_000_000)` makes one, closed when the test is over."""
    made: list[CuttingProxy] = []

    def make(target: str, *, after: int, cuts: int = 1) -> CuttingProxy:
        made.append(CuttingProxy(target, after=after, cuts=cuts))
        return made[-1]

    yield make
    for proxy in made:
        proxy.close()
