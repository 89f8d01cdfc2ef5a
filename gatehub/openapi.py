"""What drf-spectacular must be told to describe the API."""

from __future__ import annotations

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema


class AccessTokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """`Authorization: Bearer TOKEN`."""

    target_class = "gatehub.authentication.AccessTokenAuthentication"
    name = "accessToken"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        return {"type": "http", "scheme": "bearer", "description": "A user access token, from /settings/tokens."}


class HubSchema(AutoSchema):
    """Operations are named after their address, which no two share: `GET /api/{type}/{ns}/{name}/refs`."""

    def get_operation_id(self) -> str:
        words = [
            part.strip("{}") for part in self.path.strip("/").split("/") if part not in {"api", "{namespace}", "{name}"}
        ]
        if "{name}" in self.path:
            words.insert(1, "repo")
        return "_".join([str(self.method).lower(), *words]).replace("-", "_")
