"""How the pages of second factors show what django-allauth hands them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from django import template

register = template.Library()


@register.filter
def as_json(value: Any) -> str:
    """For a `data-` attribute; the template escapes it."""
    return json.dumps(value)


@register.filter
def in_groups(secret: str) -> str:
    """Of four letters each, as people copy them."""
    return " ".join(secret[at : at + 4] for at in range(0, len(secret), 4))


@register.filter
def lines(codes: Iterable[str]) -> str:
    return "\n".join(codes)
