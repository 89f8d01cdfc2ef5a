"""What the templates of the admin need."""

from __future__ import annotations

import json
from typing import Any

from django import template

register = template.Library()


@register.filter
def json_of(field: Any) -> str:
    """The value of a JSON column that is only looked at, as indented text.

    Unfold would colour it by style attributes, which our CSP refuses.
    """
    value = getattr(field.form.instance, field.field["name"])
    return "-" if value is None else json.dumps(value, indent=2, ensure_ascii=False)
