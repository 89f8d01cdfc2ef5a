"""The `Range` header (RFC 9110 section 14): which bytes of a file a client asks for."""

from __future__ import annotations

import re
from dataclasses import dataclass

from accounts.errors import HubError

_RANGE = re.compile(r"([0-9]{1,30})-([0-9]{1,30})?|-([0-9]{1,30})", re.ASCII)


class RangeNotSatisfiable(HubError):
    """None of the bytes asked for exist."""

    status = 416

    def __init__(self, size: int) -> None:
        super().__init__(
            f"The file has {size} bytes; the range asks for others.", headers={"Content-Range": f"bytes */{size}"}
        )


@dataclass(frozen=True, slots=True)
class ByteRange:
    """Bytes `start` to before `stop` of a file of `size` bytes."""

    start: int
    stop: int
    size: int

    @property
    def length(self) -> int:
        return self.stop - self.start

    @property
    def content_range(self) -> str:
        return f"bytes {self.start}-{self.stop - 1}/{self.size}"


def byte_range(header: str, size: int) -> ByteRange | None:
    """The first range that the file has, or None for the whole file: no range asked for, or none that makes sense.

    Of several ranges the first is sent, which the RFC allows, and no client here asks for more.  Raises
    RangeNotSatisfiable.
    """
    unit, _, listed = header.partition("=")
    if unit.strip().lower() != "bytes":
        return None
    wanted = [_RANGE.fullmatch(part.strip()) for part in listed.split(",") if part.strip()]
    if not wanted or None in wanted:
        return None
    bounds = [_bounds(match, size) for match in wanted if match]
    if any(first > last for first, last in bounds if last is not None and first < size):
        return None
    found = next(((first, last) for first, last in bounds if first < size), None)
    if found is None:
        if size == 0 and any(match and match[3] and int(match[3]) for match in wanted):
            return None  # "The last n bytes" of an empty file are all of it, and a 206 cannot say so.
        raise RangeNotSatisfiable(size)
    first, last = found
    return ByteRange(first, size if last is None else min(last + 1, size), size)


def _bounds(match: re.Match[str], size: int) -> tuple[int, int | None]:
    """First and last byte; a suffix as the bytes that it stands for."""
    if match[3] is not None:
        count = int(match[3])
        return (max(size - count, 0), None) if count else (size, None)
    return int(match[1]), None if match[2] is None else int(match[2])
