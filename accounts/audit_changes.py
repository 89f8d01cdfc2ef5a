"""Before and after of an audit event, side by side."""

from __future__ import annotations

import json
from typing import Any, NamedTuple


class Change(NamedTuple):
    """One value; `name` is "" where the event holds a single one, and None a side that had none."""

    name: str
    before: str | None
    after: str | None

    @property
    def differs(self) -> bool:
        return self.before != self.after

    @property
    def label(self) -> str:
        """The name as people read it: `org_members_gated` is "org members gated"."""
        return self.name.replace("_", " ")


def compared(before: Any, after: Any) -> list[Change]:
    """By name, in the order in which they are kept; those that were before come first."""
    if before is None and after is None:
        return []
    if not all(isinstance(side, dict | None) for side in (before, after)):
        return [Change("", _text(before), _text(after))]
    before, after = before or {}, after or {}
    names = [*before, *(name for name in after if name not in before)]
    return [Change(name, _side(before, name), _side(after, name)) for name in names]


def _side(values: dict[str, Any], name: str) -> str | None:
    return _text(values[name], none="none") if name in values else None


def _text(value: Any, none: str | None = None) -> str | None:
    if value is None:
        return none
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=1)
