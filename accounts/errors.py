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
    not to the header.  `user_message`, where given, says both on pages: `message` is in the words of the API then.
    `{url}` in any of them stands for the address of `help_path` on the host that the caller used.  `extra` joins the
    JSON body.
    """

    status = 400
    code: str | None = None
    default_message = "The request cannot be carried out."
    default_user_message = ""

    def __init__(
        self,
        message: str = "",
        *,
        next_step: str = "",
        user_message: str = "",
        help_path: str = "",
        extra: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.message = message or self.default_message
        self.next_step = next_step
        self.user_message = user_message or self.default_user_message
        self.help_path = help_path
        self.extra = dict(extra or {})
        self.headers = dict(headers or {})
        super().__init__(self.message)

    @property
    def text(self) -> str:
        """Cause and next step in one text, as the API says them."""
        return f"{self.message} {self.next_step}".strip()

    @property
    def text_for_people(self) -> str:
        """Cause and next step in one text, as pages say them."""
        return self.user_message or self.text


class BadRequest(HubError):
    """The request says something that makes no sense.  Nothing was changed."""

    status = 400
    default_message = "The request is not valid."


class InvalidFields(BadRequest):
    """Named fields are missing or wrong; `fields` maps each to what is wrong with it."""

    def __init__(self, fields: Mapping[str, str], message: str = "", *, user_message: str = "") -> None:
        self.fields = dict(fields)
        listed = "; ".join(f"{name}: {problem}" for name, problem in self.fields.items())
        told = message or " ".join(_sentence(name, problem) for name, problem in self.fields.items())
        super().__init__(
            message or f"Invalid input: {listed}", user_message=user_message or told, extra={"fields": self.fields}
        )


def _sentence(name: str, problem: str) -> str:
    """What is wrong with a field, by itself.  Some problems are sentences, others go on after the name."""
    return problem if problem[:1].isupper() else f"{name} {problem}."


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
