"""Downloads from the real server: gunicorn alone, and behind nginx.  olu/m is gated and has a file of 64 MiB."""

from __future__ import annotations

import hashlib
import http.client
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from tests.support.nginx import StartNginx
from tests.support.server import Server, StartServer

MIB = 1024**2
SIZE = 64 * MIB + 7
ADDRESS = "/olu/m/resolve/main/big.bin"
DEEP = "/".join(["模型" * 40] * 10)

SETUP = f"""
from accounts.models import Namespace, User
from accounts.actor import Actor
from repos import services
from tests.support.cast import add_files
olu = User.objects.get(username="olu")
by = Actor(user=olu)
repo = services.create_repo(type_="model", namespace=Namespace.objects.get(name="olu"), name="m", private=False, by=by)
services.change_settings(repo, {{"gated": "manual"}}, by=by)
block = b"".join(i.to_bytes(4, "big") for i in range(2**18))
data = (block * 65)[:{SIZE}]
add_files(repo, {{"a.txt": b"small", "empty": b"", {DEEP!r}: b"deep"}}, {{"big.bin": data}}, by=olu)
"""
DATA = (b"".join(i.to_bytes(4, "big") for i in range(2**18)) * 65)[:SIZE]
SHA256 = hashlib.sha256(DATA).hexdigest()


def prepare(server: Server) -> dict[str, str]:
    """Make olu and the repo; the headers of olu's requests."""
    server.manage("create_user", "olu", "--email", "olu@example.org", "--password", "correct-horse-battery")
    server.manage("shell", "-c", SETUP)
    return {"Authorization": f"Bearer {server.manage('create_token', 'olu', '--name', 't', '--role', 'read')}"}


# Once a server, which is shared: a worker may come back to this file after others.
@pytest.fixture(scope="session")
def olu(server: Server) -> dict[str, str]:
    return prepare(server)


@pytest.fixture
def session(olu: dict[str, str]) -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.headers.update(olu)
        yield session


def check_headers(answer: requests.Response) -> None:
    assert answer.headers["ETag"] == f'"{SHA256}"'
    assert len(answer.headers["X-Repo-Commit"]) == 40
    assert answer.headers.get("Accept-Ranges") == "bytes" or answer.status_code == 206
    assert answer.headers["Cache-Control"] == "private, no-cache"
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert answer.headers["Content-Disposition"] == "inline; filename*=UTF-8''big.bin; filename=\"big.bin\";"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Security-Policy"].startswith("sandbox")
    assert answer.headers["X-Request-Id"]


PARTS = [
    ("0-", 0, SIZE),
    ("0-0", 0, 1),
    ("1000000-1999999", 1_000_000, 2_000_000),
    (f"{10 * MIB}-", 10 * MIB, SIZE),
    ("-7", SIZE - 7, SIZE),
    (f"{SIZE - 1}-{SIZE + 10}", SIZE - 1, SIZE),
]


def check_downloads(url: str, session: requests.Session) -> None:
    """All on one connection: a body that is too long or too short spoils the answer that follows."""
    for _ in range(2):
        head = session.head(url + ADDRESS, timeout=30)
        assert (head.status_code, head.headers["Content-Length"]) == (200, str(SIZE))
        check_headers(head)
        whole = session.get(url + ADDRESS, timeout=60)
        assert whole.status_code == 200
        assert whole.content == DATA
        check_headers(whole)
        for spelled, start, stop in PARTS:
            part = session.get(url + ADDRESS, headers={"Range": f"bytes={spelled}"}, timeout=60)
            assert part.status_code == 206
            assert part.content == DATA[start:stop]
            assert part.headers["Content-Range"] == f"bytes {start}-{stop - 1}/{SIZE}"
            check_headers(part)
        beyond = session.get(url + ADDRESS, headers={"Range": f"bytes={SIZE}-"}, timeout=30)
        assert (beyond.status_code, beyond.headers["Content-Range"]) == (416, f"bytes */{SIZE}")
        known = session.get(url + ADDRESS, headers={"If-None-Match": f'"{SHA256}"'}, timeout=30)
        assert (known.status_code, known.content) == (304, b"")
        assert session.get(url + "/olu/m/resolve/main/a.txt", timeout=30).content == b"small"
        assert session.get(url + "/olu/m/resolve/main/empty", timeout=30).content == b""
        missing = session.head(url + "/olu/m/resolve/main/none", timeout=30)
        assert (missing.status_code, missing.headers["X-Error-Code"]) == (404, "EntryNotFound")
        stranger = requests.get(url + ADDRESS, timeout=30)
        assert (stranger.status_code, stranger.headers["X-Error-Code"]) == (401, "GatedRepo")


def test_gunicorn_sends_whole_files_and_parts(server, session):
    check_downloads(server.url, session)


def test_a_file_whose_address_has_seven_thousand_bytes_is_sent(server, session):
    answer = session.get(f"{server.url}/olu/m/resolve/main/{DEEP}", timeout=30)
    assert (answer.status_code, answer.content) == (200, b"deep")


def test_a_head_is_answered_without_a_body_to_be_warned_of(server, session):
    for path in (ADDRESS, "/olu/m/resolve/main/none", "/olu/none/resolve/main/a", "/api/models/olu/m", "/olu/m", "/no"):
        assert int(session.head(server.url + path, timeout=30).headers["Content-Length"]) > 0
    assert "WARNING" not in server.log()


def test_nginx_sends_whole_files_and_parts(start_server: StartServer, start_nginx: StartNginx):
    server = start_server(env={"GATEHUB_DOWNLOAD_MODE": "accel", "GATEHUB_BEHIND_PROXY": "1"})
    headers = prepare(server)
    nginx = start_nginx(server)
    with requests.Session() as session:
        session.headers.update(headers)
        check_downloads(nginx.url, session)
        objects = Path(server.data_dir) / "objects"
        stored = next(path for path in objects.rglob("*") if path.name == SHA256).relative_to(objects)
        assert session.get(f"{nginx.url}/_objects/{stored}", timeout=30).status_code == 404


def _memory(server: Server) -> int:
    """Bytes that the server's processes need at the moment, without what they map of files."""
    group = server.processes["web"].pid
    total = 0
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if int((folder / "stat").read_text().rpartition(")")[2].split()[2]) == group:
                status = (folder / "status").read_text()
                total += next(int(line.split()[1]) for line in status.splitlines() if line.startswith("RssAnon"))
        except (OSError, StopIteration):
            continue
    return total * 1024


def test_memory_stays_flat_with_eight_readers(server, olu):
    def read(number: int) -> str:
        digest = hashlib.sha256()
        headers = {**olu, "Range": f"bytes=0-{SIZE - 2}"} if number % 2 else olu
        with requests.get(server.url + ADDRESS, headers=headers, stream=True, timeout=120) as answer:
            for piece in answer.iter_content(MIB):
                digest.update(piece)
        return digest.hexdigest()

    read(0)
    before = _memory(server)
    with ThreadPoolExecutor(8) as pool:
        digests = list(pool.map(read, range(8)))
    assert set(digests) == {SHA256, hashlib.sha256(DATA[:-1]).hexdigest()}
    assert _memory(server) - before < 32 * MIB


def test_a_reader_that_goes_away_harms_nobody(server, olu, session):
    host = urlsplit(server.url)
    for range_ in ("", f"Range: bytes=0-{SIZE - 5}\r\n"):
        with socket.create_connection((host.hostname, host.port), timeout=10) as connection:
            lines = [f"GET {ADDRESS} HTTP/1.1", f"Host: {host.netloc}", f"Authorization: {olu['Authorization']}"]
            connection.sendall(("\r\n".join(lines) + f"\r\n{range_}\r\n").encode())
            assert connection.recv(1000).startswith(b"HTTP/1.1 20")
    assert session.get(server.url + ADDRESS, timeout=60).content == DATA
    assert "Traceback" not in server.log()


RAW = """
/olu/m/resolve/main/%ff /olu/m/resolve/%2e%2e%2f/a //olu/m/resolve/main/none /api/models/%00/%00
/olu%2Fm/resolve/main/a.txt /olu/m/resolve/main/%E2%82 /api/models/olu/m/tree/%2e%2e /api/models/a?search=%ff
""".split()


@pytest.mark.parametrize("path", RAW)
def test_raw_addresses(path, server, olu):
    """As sent: no client library makes them nice before."""
    host = urlsplit(server.url)
    connection = http.client.HTTPConnection(host.hostname or "", host.port, timeout=10)
    connection.request("GET", path, headers=olu)
    answer: Any = connection.getresponse()
    body = answer.read()
    assert answer.status in (200, 404), body
    assert answer.headers["X-Request-Id"]
    connection.close()
