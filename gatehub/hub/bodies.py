"""Small request bodies: a JSON object, or a form.

Read through Django, which counts the bytes (DATA_UPLOAD_MAX_MEMORY_SIZE); the API framework's parsers do not.
"""

from __future__ import annotations

import json
from typing import Any

from rest_framework.request import Request

from accounts.errors import BadRequest, InvalidFields


def json_object(request: Request) -> dict[str, Any]:
    """The object in the body, empty where there is none.  Raises BadRequest, and TooLarge by way of Django."""
    raw = request._request.body
    if not raw.strip():
        return {}
    try:
        found = json.loads(raw)
        if b"\\u" in raw:  # Half a surrogate pair is valid in JSON, and in nothing that text is later made into.
            json.dumps(found, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise BadRequest(f"The body is not JSON: {type(error).__name__}.") from None
    if not isinstance(found, dict):
        raise BadRequest("The body must be a JSON object.")
    return found


def text(body: dict[str, Any], name: str, *, required: bool = False) -> str:
    """A text of the body; empty where it is missing or null.  Raises InvalidFields."""
    value = body.get(name)
    if value is None:
        value = ""
    if not isinstance(value, str):
        raise InvalidFields({name: "must be a text"})
    if required and not value:
        raise InvalidFields({name: "is required"})
    return value


def form_list(request: Request, name: str) -> list[Any]:
    """All values of one field, from a form or from a JSON object, where it may be one value or a list of them."""
    if "json" in (request.content_type or ""):
        value = json_object(request).get(name)
        values = value if isinstance(value, list) else [] if value is None else [value]
    else:
        values = [*request._request.POST.getlist(name), *request._request.POST.getlist(f"{name}[]")]
    return values
