"""The WSGI application, for gunicorn (embedded) and granian (production)."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gatehub.settings")

application = get_wsgi_application()
