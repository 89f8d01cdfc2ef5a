"""git-lfs pointer files, version 1.  Source: git-lfs docs/spec.md."""

from __future__ import annotations

import re

from repos.git.objects import LfsPointer

_POINTER = re.compile(
    rb"version https://git-lfs\.github\.com/spec/v1\noid sha256:([0-9a-f]{64})\nsize (0|[1-9][0-9]{0,18})\n"
)
# A blob of any other size is no pointer: a listing need not open it.
SMALLEST, LARGEST = 126, 144


def parse_pointer(data: bytes) -> LfsPointer | None:
    """Read a pointer file, or None for anything that is not, byte for byte, what git-lfs writes.

    Pointers with extension lines count as plain files: GateHub could not give out what they stand for.
    """
    match = _POINTER.fullmatch(data) if SMALLEST <= len(data) <= LARGEST else None
    if match is None:
        return None
    return LfsPointer(sha256=match[1].decode(), size=int(match[2]), pointer_size=len(data))


def pointer_text(sha256: str, size: int) -> bytes:
    """The pointer file for an object of `size` bytes."""
    text = f"version https://git-lfs.github.com/spec/v1\noid sha256:{sha256}\nsize {size}\n".encode()
    if parse_pointer(text) is None:
        raise ValueError(f"No LFS object has the hash {sha256!r} and the size {size!r}.")
    return text
