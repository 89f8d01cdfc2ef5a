"""Addresses of the Hub protocol.  Each module lists its own; the order matters only for the catch-alls at the end."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver

urlpatterns: list[URLPattern | URLResolver] = []
