"""Runs several programs as one: what dies is started again, and all end together.

honcho starts them, shows what they print, and ends them.  It would end all when one dies; here that is only so when one
dies again and again.
"""

from __future__ import annotations

import multiprocessing
import signal
import time
from multiprocessing.synchronize import Event
from typing import Any

from honcho.manager import Manager
from honcho.process import Process

PAUSE = 1
"""Seconds until what has died is started again."""
LONG_ENOUGH = 30
"""Seconds after which a death has nothing to do with those before."""
MOST_DEATHS_IN_A_ROW = 5


class Supervisor(Manager):  # type: ignore[misc]  # honcho has no types.
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._ending = multiprocessing.Event()
        self._process_ctor = self._make

    def _make(self, *args: Any, **kwargs: Any) -> Restarted:
        return Restarted(*args, ending=self._ending, **kwargs)

    def terminate(self) -> None:
        self._ending.set()
        super().terminate()


class Restarted(Process):  # type: ignore[misc]
    """One program, in all its lives.  `run` is called in a process of its own."""

    def __init__(self, *args: Any, ending: Event, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._ending = ending
        self._deaths = 0
        self._born = 0.0
        self._lives = False

    def run(self, events: Any = None, ignore_signals: bool = False) -> None:
        if ignore_signals:
            # Not SIG_IGN, as honcho has it: the programs that are started later would inherit that.
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, lambda *_: None)
        self._lives = True
        while self._lives:
            self._born = time.monotonic()
            super().run(events, ignore_signals=False)

    def _send_message(self, data: Any, type: str = "line") -> None:  # noqa: A002 - honcho calls it so.
        if type == "stop":
            self._lives = self._is_to_live_again()
            if self._lives:
                said = f"ended with status {data['returncode']}, and is started again\n"
                super()._send_message(said.encode(), "line")
                self._lives = not self._ending.wait(PAUSE)
            if self._lives:
                return
        super()._send_message(data, type)

    def _is_to_live_again(self) -> bool:
        if time.monotonic() - self._born > LONG_ENOUGH:
            self._deaths = 0
        self._deaths += 1
        return not self._ending.is_set() and self._deaths < MOST_DEATHS_IN_A_ROW
