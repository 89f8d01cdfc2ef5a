"""What the templates of the admin need."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from django import template
from django.urls import reverse

from accounts.models import AuditEvent
from gatehub.staff import navigation
from gatehub.web import history_words

register = template.Library()


@register.filter
def json_of(field: Any) -> str:
    """The value of a JSON column that is only looked at, as indented text.

    Unfold would colour it by style attributes, which our CSP refuses.
    """
    value = getattr(field.form.instance, field.field["name"])
    return "-" if value is None else json.dumps(value, indent=2, ensure_ascii=False)


@register.filter
def name_of(opts: Any) -> str:
    """What the sidebar calls a model."""
    return navigation.name_of(opts)


@register.filter
def named_as_in_the_sidebar(parts: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The parts of a heading, without the app, whose name nobody else knows; lists by the names of the sidebar."""
    names = {reverse(f"admin:{label.replace('.', '_')}_changelist"): name for label, name in navigation.NAMES.items()}
    kept = parts[1:] if len(parts) > 1 else parts
    return [part | {"title": names.get(str(part.get("link", "")), part["title"])} for part in kept]


@register.filter
def what_was_done(event: AuditEvent) -> str:
    """As the history of a repo says it, and to what."""
    said = history_words.sentence(event)
    who, on, rest = event.target.partition(" on ")
    if on and said.endswith(who):
        return f"{said} on {rest}"
    return said if event.target in said else f"{said}: {event.target}"
