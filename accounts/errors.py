"""The one error hierarchy.  Every refusal that reaches a person or a client is a HubError.

`gatehub.errors` turns them into HTTP, once for all entrances: JSON with `X-Error-Code`, `X-Error-Message` and
`X-Request-Id` for machines, a page for people.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class HubError(Exception):
    """A refusal with a cause and, where there is one, a next step.

    `status` is the HTTP status; `code` goes out as `X-Error-Code`, spelled as Hub clients expect it, or is None.
    `message` is one line of plain text.  `next_step`, where given, is added for people and to the JSON body, but
    not to the header.  `{url}` in either stands for the address of `help_path` on the host that the caller used.
    `extra` joins the JSON body.
    """

    status = 400
    code: str | None = None
    default_message = "The request cannot be carried out."

    def __init__(
        self,
        message: str = "",
        *,
        next_step: str = "",
        help_path: str = "",
        extra: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.message = message or self.default_message
        self.next_step = next_step
        self.help_path = help_path
        self.extra = dict(extra or {})
        self.headers = dict(headers or {})
        super().__init__(self.message)


class BadRequest(HubError):
    """The request says something that makes no sense.  Nothing was changed."""

    status = 400
    default_message = "The request is not valid."


class InvalidFields(BadRequest):
    """Named fields are missing or wrong; `fields` maps each to what is wrong with it."""

    def __init__(self, fields: Mapping[str, str], message: str = "") -> None:
        self.fields = dict(fields)
        listed = "; ".join(f"{name}: {problem}" for name, problem in self.fields.items())
        super().__init__(message or f"Invalid input: {listed}", extra={"fields": self.fields})


class NotAllowed(HubError):
    """Known, and not entitled."""

    status = 403
    default_message = "You do not have the rights that this needs."


class NotFound(HubError):
    """What was named does not exist, or is not for the one who asks."""

    status = 404
    default_message = "Not found."


class Conflict(HubError):
    """The state of things does not allow it (any more)."""

    status = 409
    default_message = "This conflicts with the present state."


class TooLarge(HubError):
    """More bytes than the limit; the message names the limit."""

    status = 413
    default_message = "The request is larger than allowed."
