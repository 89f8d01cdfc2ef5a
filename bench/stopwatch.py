"""A stopwatch around a WSGI application, for the benchmarks alone.

`X-Server-Seconds` tells the time from the call until the first piece of the body is there: for pages, which Django
renders before it answers, all that the application does; for streams, the time to the first byte.
`X-Server-Busy-Seconds` is how much of it the thread was on a processor, without the database: on a busy machine, the
rest is waiting.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

WSGI = Callable[[dict[str, Any], Any], Any]


def timed(application: WSGI) -> WSGI:
    def with_stopwatch(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        started: list[Any] = []
        began, busy_before = time.perf_counter(), time.thread_time()
        response = application(environ, lambda *args: started.append(args))
        if isinstance(response, list):  # All of it, as servers know.
            pieces, first = iter(()), b"".join(response)
        else:
            pieces = iter(response)
            first = next(pieces, b"")
        seconds, busy = time.perf_counter() - began, time.thread_time() - busy_before
        status, headers, *rest = started[-1]
        told = [("X-Server-Seconds", f"{seconds:.6f}"), ("X-Server-Busy-Seconds", f"{busy:.6f}")]
        start_response(status, [*headers, *told], *rest)
        return [first] if isinstance(response, list) else _Body(itertools.chain([first], pieces), response)

    return with_stopwatch


class _Body:
    """The pieces; closing it closes the application's response, which then ends its database work."""

    def __init__(self, pieces: Iterator[bytes], response: Any) -> None:
        self._pieces = pieces
        self._response = response

    def __iter__(self) -> Iterator[bytes]:
        return self._pieces

    def close(self) -> None:
        self._response.close()
