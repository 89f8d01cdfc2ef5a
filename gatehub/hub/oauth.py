"""The OAuth device flow of `hf auth login`, for clients from 1.20 on (RFC 8628, hub-protocol section 2.4)."""

from __future__ import annotations

from typing import Any

from django.urls import path
from django.urls.resolvers import URLPattern
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import SimpleRateThrottle

from access import device
from gatehub.authentication import client_address
from gatehub.hub import bodies
from gatehub.hub.base import HubView

DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"


class OAuthView(HubView):
    """An address of the flow: no Authorization, form-encoded or JSON bodies, answers that nobody keeps."""

    authentication_classes = ()

    def parameters(self, request: Request) -> dict[str, str]:
        if "json" in (request.content_type or ""):
            body = bodies.json_object(request)
            return {name: value for name, value in body.items() if isinstance(value, str)}
        return dict(request._request.POST.items())  # type: ignore[arg-type]

    def answer(self, body: dict[str, Any], status: int = 200) -> Response:
        return Response(body, status=status, headers={"Cache-Control": "no-store"})

    def refusal(self, error: str, description: str) -> Response:
        return self.answer({"error": error, "error_description": description}, status=400)


class StartThrottle(SimpleRateThrottle):
    """Each start is a row that lives for half an hour: nobody may make them without end."""

    rate = "60/min"

    def get_cache_key(self, request: Request, view: Any) -> str:
        return f"oauth-device-{client_address(request._request)}"


class DeviceView(OAuthView):
    """`POST /oauth/device`: a pair of codes."""

    throttle_classes = (StartThrottle,)

    @extend_schema(request=OpenApiTypes.OBJECT, responses=OpenApiTypes.OBJECT)
    def post(self, request: Request) -> Response:
        given = self.parameters(request)
        codes = device.start(
            client_id=given.get("client_id", ""), client_name=request.headers.get("User-Agent", "").partition(";")[0]
        )
        page = self.absolute("/device")
        return self.answer(
            {
                "device_code": codes.device_code,
                "user_code": codes.user_code,
                "verification_uri": page,
                "verification_uri_complete": f"{page}?code={codes.user_code}",
                "expires_in": int(device.LIFETIME.total_seconds()),
                "interval": device.INTERVAL,
            }
        )


class TokenView(OAuthView):
    """`POST /oauth/token`: the device's poll.  A long-lived token, so neither expiry nor refresh is told."""

    @extend_schema(request=OpenApiTypes.OBJECT, responses=OpenApiTypes.OBJECT)
    def post(self, request: Request) -> Response:
        given = self.parameters(request)
        if given.get("grant_type") != DEVICE_CODE:
            return self.refusal("unsupported_grant_type", "Only the device code grant is offered here.")
        if not given.get("device_code"):
            return self.refusal("invalid_request", "device_code is missing.")
        try:
            address = client_address(request._request)
            token = device.fetch(given["device_code"], client_id=given.get("client_id", ""), address=address)
        except device.DeviceError as error:  # OAuth has an error shape of its own.
            return self.refusal(error.error, error.message)
        return self.answer({"access_token": token, "token_type": "bearer", "scope": ""})


urlpatterns: list[URLPattern] = [
    path("oauth/device", DeviceView.as_view(), name="oauth_device"),
    path("oauth/token", TokenView.as_view(), name="oauth_token"),
]
