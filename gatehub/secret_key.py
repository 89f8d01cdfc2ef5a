"""The embedded default's own secret key: made once, in the data folder, readable by its owner only."""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path


def of_data_folder(folder: Path) -> str:
    """Read `folder/secret_key`, or make it.  Two processes that start together end up with the same key."""
    file = folder / "secret_key"
    if file.exists():
        return file.read_text()
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = folder / f".secret_key.{os.getpid()}.{secrets.token_hex(4)}"
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
        out.write(secrets.token_urlsafe(64))
        out.flush()
        os.fsync(out.fileno())
    with contextlib.suppress(FileExistsError):
        os.link(draft, file)  # Refuses to replace: the first of two wins.
    draft.unlink()
    return file.read_text()
