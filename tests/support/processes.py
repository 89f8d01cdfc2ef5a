"""Programs that tests start: each in a session of its own, so that it dies with all its children."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path


class StartFailed(AssertionError):
    """A program ended or did not answer in time; the message ends with its log."""


class Process:
    """One program with its children.  Output of all its lives is appended to `log_file`."""

    def __init__(self, command: Sequence[str], *, log_file: Path, env: Mapping[str, str], cwd: Path) -> None:
        self.command = list(command)
        self.log_file = log_file
        self.env = dict(env)
        self.cwd = cwd
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The process id, which is the id of its process group and session, too."""
        assert self._process is not None, f"{self.command[0]} was never started"
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self, ready: Callable[[], bool], *, timeout: float = 60) -> None:
        """Start it and wait until `ready()`.  Raises StartFailed, after stopping what did not get ready."""
        with self.log_file.open("ab") as log:
            self._process = subprocess.Popen(
                self.command,
                cwd=self.cwd,
                env=self.env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        deadline = time.monotonic() + timeout
        while not ready():
            if not self.running or time.monotonic() > deadline:
                what = "did not get ready" if self.running else f"ended with {self._process.returncode}"
                self.kill()
                raise StartFailed(f"{' '.join(self.command)} {what}\n--- log ---\n{self.log()}")
            time.sleep(0.05)

    def stop(self, *, how: signal.Signals = signal.SIGTERM, timeout: float = 20) -> int:
        """Ask it to end, as an operator would, and kill what is left.  Returns the exit status (-9 when killed)."""
        if self._process is None:
            return 0
        if self.running:
            os.killpg(self.pid, how)
            with contextlib.suppress(subprocess.TimeoutExpired):
                return_code = self._process.wait(timeout)
                self._kill_group()
                return return_code
        self.kill()
        return self._process.returncode

    def kill(self) -> None:
        """SIGKILL for it and all its children: nothing is flushed, nothing is cleaned up."""
        self._kill_group()
        if self._process is not None:
            self._process.wait()

    def log(self) -> str:
        return self.log_file.read_text(errors="replace") if self.log_file.exists() else ""

    def _kill_group(self) -> None:
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)


def free_port() -> int:
    """A port nobody listens on, below the range from which outgoing connections are numbered.

    Unlike a port chosen by the kernel, it is still free when a stopped server wants it back.
    """
    for _ in range(100):
        port = random.randrange(20000, 32000)  # noqa: S311 - no secret
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with contextlib.suppress(OSError):
                probe.bind(("127.0.0.1", port))
                return port
    raise StartFailed("no free port between 20000 and 32000")
