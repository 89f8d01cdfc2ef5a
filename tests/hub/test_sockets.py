"""What only a real connection shows: bodies that break off, refusals with unread bodies, two commits at once."""

from __future__ import annotations

import hashlib
import json
import socket
import threading
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from tests.support.hub import Hub, Person

DATA = b"0123456789" * 100_000
OID = hashlib.sha256(DATA).hexdigest()


@pytest.fixture
def repo_id(hub, owner):
    name = f"{owner.name}/{hub.unique('base')}"
    hub.publish(name, owner, {"config.json": b"{}"}, gated=False)
    return name


def _upload_path(hub: Hub, repo_id: str, owner: Person) -> str:
    body = {"operation": "upload", "objects": [{"oid": OID, "size": len(DATA)}]}
    answer = hub.call("POST", f"/{repo_id}.git/info/lfs/objects/batch", owner, json=body)
    return urlsplit(answer.json()["objects"][0]["actions"]["upload"]["href"]).path


def _connect(hub: Hub) -> socket.socket:
    parts = urlsplit(hub.url)
    return socket.create_connection((parts.hostname, parts.port), timeout=20)


def _files_below(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def _new_files_that_stay(folder: Path, before: list[Path]) -> list[Path]:
    """Files that came since `before` and are still there after a while.  Other tests' uploads may wait there, too."""
    new: list[Path] = []
    for _ in range(100):
        new = [path for path in _files_below(folder) if path not in before]
        if not new:
            break
        time.sleep(0.1)
    return new


def test_an_upload_that_breaks_off_leaves_nothing(hub, repo_id, owner):
    path = _upload_path(hub, repo_id, owner)
    before = set(_files_below(hub.server.data_dir / "objects"))
    waiting = _files_below(hub.server.data_dir / "tmp")
    with _connect(hub) as connection:
        head = f"PUT {path} HTTP/1.1\r\nHost: {urlsplit(hub.url).netloc}\r\nContent-Length: {len(DATA)}\r\n\r\n"
        connection.sendall(head.encode() + DATA[: len(DATA) // 2])
    assert _new_files_that_stay(hub.server.data_dir / "tmp", waiting) == []
    assert set(_files_below(hub.server.data_dir / "objects")) == before
    assert requests.put(f"{hub.url}{path}", data=DATA, timeout=30).status_code == 200


def test_a_commit_that_breaks_off_changes_nothing(hub, repo_id, owner):
    before = hub.call("GET", f"/api/models/{repo_id}", owner).json()["sha"]
    lines = [
        {"key": "header", "value": {"summary": "half"}},
        {"key": "file", "value": {"path": "a.txt", "content": "x" * 1000, "encoding": "utf-8"}},
    ]
    body = b"\n".join(json.dumps(line).encode() for line in lines) + b"\n"
    with _connect(hub) as connection:
        head = (
            f"POST /api/models/{repo_id}/commit/main HTTP/1.1\r\nHost: {urlsplit(hub.url).netloc}\r\n"
            f"Authorization: Bearer {owner.token}\r\nContent-Type: application/x-ndjson\r\n"
            f"Content-Length: {len(body) + 100}\r\n\r\n"
        )
        connection.sendall(head.encode() + body)
        connection.shutdown(socket.SHUT_WR)
        answer = connection.recv(65536)
    assert answer.startswith(b"HTTP/1.1 400")
    assert hub.call("GET", f"/api/models/{repo_id}", owner).json()["sha"] == before


def _send_commit(hub: Hub, repo_id: str, owner: Person, headers: str, body: bytes) -> tuple[int, dict[str, Any]]:
    """A commit sent byte by byte as it is given; the status, and the body of the answer."""
    with _connect(hub) as connection:
        head = (
            f"POST /api/models/{repo_id}/commit/main HTTP/1.1\r\nHost: {urlsplit(hub.url).netloc}\r\n"
            f"Authorization: Bearer {owner.token}\r\nContent-Type: application/x-ndjson\r\n"
            f"Connection: close\r\n{headers}\r\n\r\n"
        )
        connection.sendall(head.encode() + body)
        connection.shutdown(socket.SHUT_WR)
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    top, _, rest = answer.partition(b"\r\n\r\n")
    return int(top.split()[1]), json.loads(rest)


def _chunked(*pieces: bytes) -> bytes:
    return b"".join(f"{len(piece):x}\r\n".encode() + piece + b"\r\n" for piece in pieces)


LINES = (
    b'{"key": "header", "value": {"summary": "chunked"}}\n{"key": "fi',
    b'le", "value": {"path": "chunked.txt", "content": "aGVsbG8=", "encoding": "base64"}}\n',
)


def test_a_chunked_commit_lands(hub, repo_id, owner):
    body = _chunked(*LINES) + b"0\r\n\r\n"
    status, answer = _send_commit(hub, repo_id, owner, "Transfer-Encoding: chunked", body)
    assert status == 200, answer
    assert hub.call("GET", f"/{repo_id}/resolve/main/chunked.txt", owner).content == b"hello"


@pytest.mark.parametrize(
    "body",
    [_chunked(*LINES), _chunked(*LINES) + b"5\r\n{", _chunked(*LINES) + b"zz\r\n", b""],
    ids=["no end", "cut chunk", "no size", "nothing"],
)
def test_a_chunked_commit_that_breaks_off_changes_nothing(hub, repo_id, owner, body):
    before = hub.call("GET", f"/api/models/{repo_id}", owner).json()["sha"]
    status, answer = _send_commit(hub, repo_id, owner, "Transfer-Encoding: chunked", body)
    assert status == 400
    assert answer["error"]
    assert hub.call("GET", f"/api/models/{repo_id}", owner).json()["sha"] == before


@pytest.mark.parametrize("size", [5 * 1024**2, 40 * 1024**2])
def test_a_refused_body_still_gets_its_answer(hub, repo_id, size):
    answer = requests.post(
        f"{hub.url}/api/models/{repo_id}/commit/main",
        data=b"x" * size,
        headers={"Content-Type": "application/x-ndjson"},
        timeout=30,
    )
    assert answer.status_code == 401
    assert answer.json()["error"]


def test_two_commits_at_once_land_one_after_the_other_or_not_at_all(hub, repo_id, owner):
    head = hub.call("GET", f"/api/models/{repo_id}", owner).json()["sha"]
    start, outcomes = threading.Barrier(6), []

    def commit(number: int) -> None:
        lines = [{"key": "header", "value": {"summary": f"commit {number}", "parentCommit": head}}]
        lines += [
            {"key": "file", "value": {"path": f"{number}/{name}.txt", "content": str(number), "encoding": "utf-8"}}
            for name in range(20)
        ]
        body = b"\n".join(json.dumps(line).encode() for line in lines)
        headers = {"Authorization": f"Bearer {owner.token}", "Content-Type": "application/x-ndjson"}
        start.wait()
        answer = requests.post(f"{hub.url}/api/models/{repo_id}/commit/main", data=body, headers=headers, timeout=60)
        outcomes.append((answer.status_code, number))

    threads = [threading.Thread(target=commit, args=[number]) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    landed = [number for status, number in outcomes if status == 200]
    assert len(landed) == 1, outcomes
    assert {status for status, _ in outcomes} <= {200, 409, 412}
    tree = hub.call("GET", f"/api/models/{repo_id}/tree/main?recursive=true", owner).json()
    changed = {entry["path"].split("/")[0] for entry in tree if entry["path"].endswith(".txt")}
    assert changed == {str(landed[0])}
