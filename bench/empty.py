"""The peer of pages: a Django view that does nothing, with no middleware in front of it, timed."""

from __future__ import annotations

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, HttpResponse
from django.urls import path

from bench.stopwatch import timed

settings.configure(ROOT_URLCONF="bench.empty", ALLOWED_HOSTS=["127.0.0.1"], MIDDLEWARE=[])


def empty(request: HttpRequest) -> HttpResponse:
    return HttpResponse("")


urlpatterns = [path("", empty)]
application = timed(get_wsgi_application())
