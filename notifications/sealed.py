"""Keeps account mails out of the database's plain text: they wait with links in them that open accounts."""

from __future__ import annotations

import json
from typing import Any

from accounts import sealed
from accounts.sealed import CannotOpen

__all__ = ["CannotOpen", "open_", "seal"]

_PURPOSE = "gatehub.notifications.sealed"


def seal(said: dict[str, Any]) -> str:
    return sealed.seal(json.dumps(said), purpose=_PURPOSE)


def open_(closed: str) -> dict[str, Any]:
    """What was sealed.  Raises CannotOpen."""
    opened = json.loads(sealed.open_(closed, purpose=_PURPOSE))
    assert isinstance(opened, dict)
    return opened
