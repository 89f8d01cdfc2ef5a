"""The files from which the captures in `data/` were made, byte for byte on every machine."""

from __future__ import annotations

import hashlib
import struct


def floats() -> bytes:
    """20,000 small float32, as weights are: clients store them with grouped bytes (scheme 2)."""
    state, values = 1, []
    for _ in range(20_000):
        state = state * 6364136223846793005 % 2**64 + 1442695040888963407
        values.append((state >> 40) / 2**26)
    return struct.pack(f"<{len(values)}f", *values)


def text() -> bytes:
    """Lines that compress well (scheme 1)."""
    return b"".join(b"line %d of a file that compresses well\n" % number for number in range(4_000))


def noise(name: str, size: int) -> bytes:
    """Bytes that do not compress (scheme 0)."""
    return hashlib.shake_256(name.encode()).digest(size)


SOURCES = {
    "floats.bin": floats(),
    "text.txt": text(),
    "noise.bin": noise("noise.bin", 10_001),
    "one.bin": b"x",
    "again.bin": noise("noise.bin", 10_001),
} | {f"many/{number:02}.bin": noise(str(number), 20 + 37 * number) for number in range(30)}
