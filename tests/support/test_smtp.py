"""The mail server of the tests, stopped while clients come, leaves nothing open that a later test would be told of."""

from __future__ import annotations

import gc
import socket
import sys
import threading
import time
from contextlib import suppress

import pytest

from tests.support.smtp import MailServer


def test_a_stop_closes_what_was_only_let_in(monkeypatch: pytest.MonkeyPatch) -> None:
    left_open: list[str] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda found: left_open.append(str(found.exc_value)))
    for _ in range(20):
        _stopped_while_clients_come()
    gc.collect()
    assert left_open == []


def _stopped_while_clients_come() -> None:
    server = MailServer()
    server.start()
    enough = threading.Event()
    clients = [threading.Thread(target=_comes_again_and_again, args=[server.port, enough]) for _ in range(4)]
    for client in clients:
        client.start()
    try:
        server_was_met = time.monotonic() + 10
        while server.attempts < 8:
            assert time.monotonic() < server_was_met, "no client came"
            time.sleep(0.001)
    finally:
        server.stop()
        enough.set()
        for client in clients:
            client.join()


def _comes_again_and_again(port: int, enough: threading.Event) -> None:
    while not enough.is_set():
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1) as client:
            client.recv(10)
        time.sleep(0.001)
