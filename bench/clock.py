"""The product's WSGI application, timed."""

from __future__ import annotations

from bench.stopwatch import timed
from gatehub.wsgi import application as product

application = timed(product)
