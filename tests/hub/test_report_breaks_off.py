"""A report that the real server cannot complete.  ada/model has 1,200 requests; the last person's name is bytes."""

from __future__ import annotations

import pytest
import requests

FILL = """
from datetime import timedelta
from django.db import connection
from django.utils import timezone
from access.models import AccessRequest
from accounts.models import User
from repos.models import Repo
repo = Repo.objects.get()
people = User.objects.bulk_create(User(username=f"person-{number}") for number in range(1200))
now = timezone.now()
AccessRequest.objects.bulk_create(
    AccessRequest(repo=repo, user=person, requested_at=now + timedelta(seconds=place))
    for place, person in enumerate(people)
)
with connection.cursor() as cursor:
    cursor.execute("UPDATE accounts_user SET username = x'ff' WHERE id = %s", [people[-1].pk])
"""


@pytest.fixture
def broken(start_server):
    server = start_server(database="sqlite")
    server.manage("create_user", "ada", "--email", "ada@example.org", "--password", "correct-horse-battery")
    headers = {"Authorization": f"Bearer {server.manage('create_token', 'ada', '--name', 'ci', '--role', 'write')}"}
    made = requests.post(f"{server.url}/api/repos/create", json={"name": "model"}, headers=headers, timeout=60)
    assert made.status_code == 200, made.text
    server.manage("shell", "-v0", "-c", FILL)
    return f"{server.url}/ada/model/user-access-report", headers


def test_the_connection_breaks_off(broken):
    url, headers = broken
    for format_ in ("json", "csv", "jsonl"):
        got: list[bytes] = []
        with requests.get(url, {"format": format_}, headers=headers, stream=True, timeout=60) as answer:
            assert answer.status_code == 200
            with pytest.raises(requests.exceptions.ChunkedEncodingError):
                got.extend(answer.iter_content(None))
        text = b"".join(got)
        assert b"person-499" in text
        assert b"person-1199" not in text
        assert text.endswith(b"This report is incomplete: the server failed while it wrote it. Download it again.")
    without = requests.get(url, {"status": "accepted"}, headers=headers, timeout=60)
    assert without.json() == []  # Without that request it is whole.
