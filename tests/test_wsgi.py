"""The WSGI application as a server loads it."""

from __future__ import annotations

import subprocess
import sys

from tests.support.server import ROOT

MEASURE = """
import gc
import gatehub.wsgi
gc.collect()
has_views = "gatehub.web.review" in __import__("sys").modules
print(gc.get_freeze_count(), len(gc.get_objects()), has_views, *gc.get_threshold())
"""


def test_the_garbage_collector_leaves_alone_what_was_loaded(tmp_path):
    """It would look through all of it now and then, in the middle of somebody's page."""
    env = {"PYTHONPATH": str(ROOT), "GATEHUB_DATA_DIR": str(tmp_path), "PATH": "/usr/bin:/bin"}
    done = subprocess.run(
        [sys.executable, "-c", MEASURE], cwd=ROOT, env=env, capture_output=True, text=True, check=True
    )
    frozen, others, has_views, *thresholds = done.stdout.split()
    assert int(frozen) > 50_000
    assert int(others) < int(frozen) / 20
    assert has_views == "True"
    assert thresholds == ["10000", "10", "10"]  # A page in between makes some ten thousand objects.
