"""The gate: HEAD and GET of a small gated file with a token, against a hand-written FastAPI gate and an empty view.

    .venv/bin/python -m bench.gate --rounds 5 --seconds 3

The file has 1 kB; the token is that of somebody whose request was accepted, one of `--people`.  The product runs as its
image does (granian) and by its embedded default (gunicorn, on the same PostgreSQL); the empty view under the same
servers; the peer (`bench.peer_gate`) under uvicorn with as many workers, on the product's tables.  All take turns, with
`--connections` that are kept.  A ratio is of answers per second, the median over the rounds.
"""

from __future__ import annotations

import argparse
import contextlib
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import requests

from bench.hub import BIN, EmptyView, Hub, children_of, embedded_command, peak_mib, spread, write
from bench.load import Load, load
from tests.support.processes import Process, free_port
from tests.support.server import ROOT

FILE = "config.json"
PATH = f"/lab/large/resolve/main/{FILE}"
CONTENTS = b"{" + b'"words": "of a model", ' * 44 + b'"end": 1}'
PREPARE = """
import json, sys
from access import services, tokens
from access.models import AccessRequest
from accounts.actor import SYSTEM, Actor
from accounts.models import User
from repos import content
from repos.git import AddBlob
from repos.models import Repo
repo, ada = Repo.objects.get(name="large"), User.objects.get(username="ada")
git = content.open_git(repo)
operations = [AddBlob("config.json", git.stage_blob(sys.argv[1].encode()))]
content.commit(repo, "main", content.NewCommit("Configure", "", operations), by=Actor(user=ada))
accepted = AccessRequest.objects.filter(repo=repo, status="accepted").order_by("pk")[50]
print(tokens.create(user=accepted.user, name="bench", role="read", by=SYSTEM)[1])
"""


class Peer:
    """`bench.peer_gate` in an environment of its own, on the database of the hub."""

    def __init__(self, hub: Hub) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="gatehub-bench-"))
        (self.folder / FILE).write_bytes(CONTENTS)
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        command = [
            str(_peers() / "uvicorn"), "bench.peer_gate:app", "--host", "127.0.0.1", "--port", str(port),
            "--workers", "2", "--no-access-log",
        ]  # fmt: skip
        env = {"PATH": "/usr/bin:/bin", "FILES": str(self.folder), "DATABASE_URL": hub.database}
        self.web = Process(command, log_file=self.folder / "web.log", env=env, cwd=ROOT)
        self.web.start(lambda: _answers(f"{self.url}/"))

    def close(self) -> None:
        self.web.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


class Embedded:
    """The product under the Procfile's gunicorn, on the database of the hub."""

    def __init__(self, hub: Hub) -> None:
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        env = {**hub.server.env, "GATEHUB_PORT": str(port)}
        self.web = Process(embedded_command(), log_file=hub.folder / "embedded.log", env=env, cwd=ROOT)
        self.web.start(lambda: _answers(f"{self.url}/healthz"))

    def close(self) -> None:
        self.web.stop()


def _peers() -> Path:
    """The programs of the peers' environment, which is made once."""
    folder, lock = ROOT / ".cache" / "peers", ROOT / "bench" / "requirements-peers.txt"
    kept = folder / "lock"
    if not kept.exists() or kept.read_text() != lock.read_text():
        shutil.rmtree(folder, ignore_errors=True)
        uv = str(BIN / "uv")
        subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, str(folder)], check=True)
        install = [uv, "pip", "install", "--quiet", "--require-hashes", "--python", str(folder), "-r", str(lock)]
        subprocess.run(install, check=True)
        kept.write_text(lock.read_text())
    return folder / "bin"


def _answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=5).status_code < 500
    except (requests.ConnectionError, requests.Timeout):
        return False


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, nargs="+", default=[6_000, 60_000])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--connections", type=int, default=32)
    options = parser.parse_args()
    report: dict[str, Any] = {
        "budgets": "FastAPI: HEAD 1.2, GET 1.6; empty view: 0.30 (granian), 0.45 (gunicorn); p99 100 ms"
    }
    for people in options.people:
        report[f"{people} people and requests"] = measure(people, options)
    write("gate", report)


def measure(people: int, options: argparse.Namespace) -> dict[str, Any]:
    with contextlib.ExitStack() as stack:
        hub = Hub(people=people, requests_=people)
        stack.callback(hub.close)
        token = hub.server.manage("shell", "-v0", "-c", PREPARE.replace("sys.argv[1]", repr(CONTENTS.decode())))
        hub.start()
        peer, embedded, empty, embedded_empty = Peer(hub), Embedded(hub), EmptyView(), EmptyView(embedded=True)
        for side in (peer, embedded, empty, embedded_empty):
            stack.callback(side.close)
        headers = {"Authorization": f"Bearer {token.strip()}"}
        sides = {
            "product, granian": f"{hub.url}{PATH}",
            "product, gunicorn": f"{embedded.url}{PATH}",
            "FastAPI": f"{peer.url}{PATH}",
            "empty view, granian": f"{empty.url}/",
            "empty view, gunicorn": f"{embedded_empty.url}/",
        }
        for name, url in sides.items():
            answer = requests.get(url, headers=headers, timeout=30)
            if answer.status_code != 200 or answer.content not in (CONTENTS, b""):
                raise RuntimeError(f"{name}: {answer.status_code} {answer.text[:300]}")
            if requests.get(url, timeout=30).status_code == 200 and "empty" not in name:
                raise RuntimeError(f"{name} lets in who has no token")
        found: dict[str, dict[str, list[Load]]] = {method: {name: [] for name in sides} for method in ("HEAD", "GET")}
        for number in range(options.rounds + 1):
            for method, of_method in found.items():
                for name, url in sides.items():
                    seen = load(url, headers, method=method, connections=options.connections, seconds=options.seconds)
                    if number:  # The first round warms up.
                        of_method[name].append(seen)
        memory = {"granian": hub.web.pid, "gunicorn": embedded.web.pid, "FastAPI": peer.web.pid}
        return {
            **{method: summary(of_method) for method, of_method in found.items()},
            "memory of the largest process, MiB": {
                name: round(max(map(peak_mib, children_of(pid))), 1) for name, pid in memory.items()
            },
        }


def summary(sides: dict[str, list[Load]]) -> dict[str, Any]:
    def against(name: str, peer: str) -> float:
        pairs = zip(sides[name], sides[peer], strict=True)
        return round(statistics.median(one.rate / other.rate for one, other in pairs), 2)

    return {
        **{
            name: {"a second": spread([load.rate for load in loads], 0), "p99 ms": spread([load.p99 for load in loads])}
            for name, loads in sides.items()
        },
        "granian against FastAPI": against("product, granian", "FastAPI"),
        "granian against its empty view": against("product, granian", "empty view, granian"),
        "gunicorn against FastAPI": against("product, gunicorn", "FastAPI"),
        "gunicorn against its empty view": against("product, gunicorn", "empty view, gunicorn"),
    }


if __name__ == "__main__":
    main()
