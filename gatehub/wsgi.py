"""The WSGI application, for gunicorn (embedded) and granian (production)."""

import gc
import os

from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gatehub.settings")

django_application = get_wsgi_application()

from gatehub.hub.quick import QuickFiles  # noqa: E402 - What it imports needs Django to be set up.

application = QuickFiles(django_application)

# What is loaded now stays, and the collector need not look through it again: at times that made a page 90 ms slower.
_ = get_resolver().url_patterns  # All views, which Django would load with the first request.
gc.collect()
gc.freeze()
# A page makes some ten thousand objects that go with it.  Looking for cycles among each 700 took a tenth of its time.
gc.set_threshold(10_000)
