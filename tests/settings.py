"""The product's settings for tests: a data folder of its own, none of the operator's variables, quick hashes.

GATEHUB_TEST_DATABASE_URL, which `python -m tests.support.postgresql` sets, chooses the database; SQLite otherwise.
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile

_kept = {"GATEHUB_CLIENTS_DIR"}
for _name in [name for name in os.environ if name.startswith("GATEHUB_")]:
    if _name not in _kept and not _name.startswith("GATEHUB_TEST_"):
        del os.environ[_name]

_data_dir = tempfile.mkdtemp(prefix="gatehub-test-")
atexit.register(shutil.rmtree, _data_dir, ignore_errors=True)
os.environ["GATEHUB_DATA_DIR"] = _data_dir
os.environ["GATEHUB_SECRET_KEY"] = "for-tests-only-" * 4
if "GATEHUB_TEST_DATABASE_URL" in os.environ:
    os.environ["GATEHUB_DATABASE_URL"] = os.environ["GATEHUB_TEST_DATABASE_URL"]

from gatehub.settings import *  # noqa: E402, F403
from gatehub.settings import DATA_DIR, DATABASES, EMBEDDED, STORAGES  # noqa: E402

(DATA_DIR / "static").mkdir(exist_ok=True)  # WhiteNoise warns where there is none.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # The real ones are slow on purpose.
STORAGES = STORAGES | {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
if EMBEDDED:
    # A file, since SQLite's memory knows neither WAL nor waiting for a lock, of which two-thread tests are about.
    DATABASES["default"]["TEST"] = {"NAME": str(DATA_DIR / "test.sqlite3")}
    DATABASES["default"]["OPTIONS"]["init_command"] += "PRAGMA synchronous=OFF;"  # No power cut in tests.
