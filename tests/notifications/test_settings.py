"""What the operator sets for notifications, read as `manage.py` reads it."""

from __future__ import annotations

import json

import pytest

from tests.support.server import CommandFailed, Server

SCHEDULE = """
import json
from django.conf import settings
when = settings.CELERY_BEAT_SCHEDULE["send digests"]["schedule"]
print(json.dumps([sorted(when.hour), sorted(when.minute), str(settings.CELERY_TIMEZONE), settings.MAILS_PER_HOUR]))
"""


def read(folder, **variables):
    server = Server(folder, processes=(), env=variables)
    return json.loads(server.manage("shell", "-v0", "--no-imports", "-c", SCHEDULE))


def test_digests_go_out_at_eight_unless_the_operator_says_otherwise(tmp_path):
    assert read(tmp_path) == [[8], [0], "UTC", 60]
    said = {"GATEHUB_DIGEST_HOUR": "6", "GATEHUB_TIME_ZONE": "Asia/Tokyo", "GATEHUB_MAILS_PER_HOUR": "25"}
    assert read(tmp_path, **said) == [[6], [0], "Asia/Tokyo", 25]


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("GATEHUB_DIGEST_HOUR", "24"),
        ("GATEHUB_DIGEST_HOUR", "noon"),
        ("GATEHUB_MAILS_PER_HOUR", "9"),
        ("GATEHUB_MAIL_LEASE_SECONDS", "0"),
        ("GATEHUB_MAIL_LOG_DAYS", "6"),
    ],
)
def test_what_makes_no_sense_stops_the_start_and_is_named(tmp_path, variable, value):
    with pytest.raises(CommandFailed, match=variable):
        read(tmp_path, **{variable: value})
