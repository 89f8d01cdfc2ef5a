"""All addresses: GateHub's own, the Hub protocol's, the pages'.  Repo ids come last, since they match anything."""

from __future__ import annotations

from django.conf import settings
from django.contrib import admin
from django.urls import include, path
from drf_spectacular.views import SpectacularJSONAPIView

from gatehub import health, mail_webhooks, staff_mail
from gatehub.web import reference
from gatehub.web.urls import dataset_card

_ADMIN = settings.ADMIN_PATH

urlpatterns = [
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path(f"{_ADMIN}/notifications/delivery/<int:key>/mail/", staff_mail.mail, name="delivery_mail"),
    path(f"{_ADMIN}/notifications/delivery/<int:key>/mail/html", staff_mail.mail_html, name="delivery_mail_html"),
    path(f"{_ADMIN}/", admin.site.urls),
    path("webhooks/anymail/<slug:service>/tracking/", mail_webhooks.tracking, name="mail_webhook"),
    path("api/openapi.json", SpectacularJSONAPIView.as_view(), name="openapi"),
    path("api/docs", reference.api_reference, name="api_reference"),
    dataset_card,
    path("", include("gatehub.hub.urls")),
    path("", include("gatehub.web.urls")),
]

handler400 = "gatehub.errors.bad_request"
handler403 = "gatehub.errors.permission_denied"
handler404 = "gatehub.errors.not_found"
handler500 = "gatehub.errors.server_error"
handler429 = "gatehub.errors.too_many_requests"
