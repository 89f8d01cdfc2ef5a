"""The database ends all sessions, as it does when it is restarted: whoever asks then gets an answer all the same."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import requests

from tests.support.postgresql import PostgreSQL
from tests.support.server import StartServer

SETUP = """
from accounts.models import Namespace, User
from accounts.actor import Actor
from repos import services
from tests.support.cast import add_files
olu = User.objects.get(username="olu")
namespace = Namespace.objects.get(name="olu")
repo = services.create_repo(type_="model", namespace=namespace, name="m", private=True, by=Actor(user=olu))
add_files(repo, {"a.txt": b"small"}, {"big.bin": b"x" * 1000}, by=olu)
"""
END = """SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
    WHERE datname = '{name}' AND pid <> pg_backend_pid() AND backend_type = 'client backend'"""
ASKED = [
    ("HEAD", "/olu/m/resolve/main/a.txt", {}),
    ("GET", "/olu/m/resolve/main/big.bin", {"Range": "bytes=1-5"}),
    ("GET", "/api/models/olu/m", {}),
    ("GET", "/login", {}),
]


def test_no_request_fails(start_server: StartServer, postgresql: PostgreSQL) -> None:
    server = start_server(database="postgresql")
    server.manage("create_user", "olu", "--email", "olu@example.org", "--password", "correct-horse-battery")
    server.manage("shell", "-c", SETUP)
    token = server.manage("create_token", "olu", "--name", "t", "--role", "read")
    database = server.env["GATEHUB_DATABASE_URL"].rpartition("/")[2]

    def ask(number: int) -> tuple[str, int]:
        method, path, more = ASKED[number % len(ASKED)]
        headers = {"Authorization": f"Bearer {token}", **more}
        return path, requests.request(method, f"{server.url}{path}", headers=headers, timeout=30).status_code

    expected = {path: 206 if "Range" in more else 200 for _, path, more in ASKED}
    with ThreadPoolExecutor(16) as threads:
        for _ in range(4):
            assert Counter(threads.map(ask, range(80))) == dict.fromkeys(expected.items(), 20)
            assert int(postgresql.sql(END.format(name=database))) > 2  # Or nothing was ended.
