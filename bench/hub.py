"""What the benchmarks of pages start: a private PostgreSQL, and the product as its Docker image runs it."""

from __future__ import annotations

import contextlib
import json
import re
import shlex
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

import requests
from honcho.environ import parse_procfile

from tests.support.postgresql import Cluster
from tests.support.processes import Process, free_port
from tests.support.server import BIN, ROOT, Server

POSTGRESQL = {
    "shared_buffers": "1GB",
    "max_wal_size": "8GB",
    "autovacuum": "off",  # Not in the middle of a round: `bench.crowd` vacuums when it is done.
}
"""On top of `tests.support.postgresql.SETTINGS`; the rest is as PostgreSQL comes."""
PASSWORD = "correct-horse-battery"
RARE = "Miskatonic"
"""Occurs in one answer."""
LATE = "consortium"
"""Occurs in each answer of the last fifth, and nowhere before."""


class Served(Protocol):
    """Something that answers."""

    url: str

    def database_busy(self) -> dict[str, int]: ...


class EmptyView:
    """`bench.empty`, under the image's server or under the embedded one, with as many workers."""

    def __init__(self, *, embedded: bool = False) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="gatehub-bench-"))
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        env = {"PATH": f"{BIN}:/usr/bin:/bin", "PYTHONPATH": str(ROOT), "GATEHUB_PORT": str(port)}
        application = "bench.empty:application"
        command = embedded_command(application) if embedded else _image_command(port, application)
        self.web = Process(command, log_file=self.folder / "web.log", env=env, cwd=ROOT)
        self.web.start(lambda: _answers(f"{self.url}/"))

    def close(self) -> None:
        self.web.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def database_busy(self) -> dict[str, int]:
        return {}


class Hub:
    """The product on PostgreSQL, served by the image's granian command with `bench.clock` around it."""

    def __init__(
        self,
        *,
        people: int = 0,
        requests_: int = 0,
        settings: Mapping[str, str] | None = None,
        fill: Sequence[str] | None = None,
    ) -> None:
        """`fill` are the arguments of the Python that fills the database, instead of `bench.crowd`."""
        self.folder = Path(tempfile.mkdtemp(prefix="gatehub-bench-"))
        self.cluster = Cluster({**POSTGRESQL, **(settings or {})})
        self.database = self.cluster.create_database()
        chosen = {
            "GATEHUB_DATABASE_URL": self.database,
            "GATEHUB_SECRET_KEY": "of-a-benchmark-" * 4,
            "GATEHUB_DATABASE_POOL": "16",
            "PYTHONPATH": str(ROOT),
        }
        self.server = Server(self.folder, processes=(), env=chosen)
        self.url = self.server.url
        self.server.manage("migrate", "-v0")
        self.server.manage("collectstatic", "--noinput", "-v0")
        crowd = ["-m", "bench.crowd", "--people", str(people), "--requests", str(requests_)]
        self.run_python(*(fill or crowd))
        command = _image_command(self.server.port)
        self.web = Process(command, log_file=self.folder / "web.log", env=self.server.env, cwd=ROOT)

    def run_python(self, *args: str) -> str:
        """Run Python in the product's environment and give what it printed."""
        done = subprocess.run(
            [sys.executable, *args], cwd=ROOT, env=self.server.env, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise RuntimeError(f"{shlex.join(args)}: {done.stdout}{done.stderr}")
        return done.stdout

    def start(self) -> None:
        self.web.start(lambda: _answers(f"{self.url}/healthz"))

    def close(self) -> None:
        self.web.stop()
        self.cluster.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def sign_in(self, name: str) -> Client:
        client = Client(self)
        page = client.session.get(f"{self.url}/login", headers={"Accept": "text/html"}, timeout=60)
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.text)
        assert token is not None
        form = {"login": name, "password": PASSWORD, "csrfmiddlewaretoken": token[1]}
        answer = client.session.post(
            f"{self.url}/login", data=form, headers={"Referer": self.url}, timeout=60, allow_redirects=False
        )
        if answer.status_code != 302:
            raise RuntimeError(f"{name} cannot sign in: {answer.status_code}")
        return client

    def peak_mib(self) -> float:
        """The most memory that one of the web server's processes has held."""
        return max(peak_mib(pid) for pid in children_of(self.web.pid))

    def database_busy(self) -> dict[str, int]:
        """Nanoseconds that each process of the database has been on a processor."""
        (postmaster,) = (self.cluster.folder / "data" / "postmaster.pid").read_text().splitlines()[:1]
        found = subprocess.run(["pgrep", "-P", postmaster], capture_output=True, text=True, check=True)
        busy = {}
        for pid in found.stdout.split():
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                busy[pid] = int(Path(f"/proc/{pid}/schedstat").read_text().split()[0])
        return busy


@dataclass(frozen=True, slots=True)
class Answer:
    """Milliseconds of the server, as a clock on the wall sees them; those that it and its database were on a processor;
    and the page."""

    wall: float
    busy: float
    text: str


class Client:
    """One browser on one connection that is kept."""

    def __init__(self, hub: Served) -> None:
        self.hub = hub
        self.session = requests.Session()
        self.session.trust_env = False

    def get(self, path: str, headers: Mapping[str, str] | None = None, *, whole: bool = True) -> Answer:
        """Without `whole` the rest of a stream is not fetched."""
        before = self.hub.database_busy()
        with self.session.get(f"{self.hub.url}{path}", headers=headers, timeout=600, stream=True) as answer:
            answer.raise_for_status()
            wall, busy = (float(answer.headers[f"X-Server-{name}"]) * 1000 for name in ("Seconds", "Busy-Seconds"))
            text = answer.text if whole else ""
            busy += sum(now - before.get(pid, 0) for pid, now in self.hub.database_busy().items()) / 1e6
        return Answer(wall, busy, text)


class Socket:
    """The same browser on a bare socket, which adds next to nothing to what it measures."""

    def __init__(self, client: Client, headers: Mapping[str, str]) -> None:
        parts = urlsplit(client.hub.url)
        cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in client.session.cookies)
        sent = {"Host": parts.netloc, "Cookie": cookies, **headers}
        self._head = "".join(f"{name}: {value}\r\n" for name, value in sent.items() if value)
        self._socket = socket.create_connection((parts.hostname or "", parts.port or 80))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def first_byte(self, path: str) -> float:
        """Milliseconds from the request to the first byte of the answer, which must be 200; the rest is read."""
        began = time.perf_counter()
        self._socket.sendall(f"GET {path} HTTP/1.1\r\n{self._head}\r\n".encode())
        got = self._socket.recv(1 << 16)
        took = (time.perf_counter() - began) * 1000
        while b"\r\n\r\n" not in got:
            got += self._socket.recv(1 << 16)
        head, _, body = got.partition(b"\r\n\r\n")
        length = re.search(rb"(?i)\r\ncontent-length: (\d+)", head)
        if not head.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(head.decode())
        while len(body) < int(length[1]) if length else not body.endswith(b"0\r\n\r\n"):
            body += self._socket.recv(1 << 16)
        return took


def _answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=5).ok
    except (requests.ConnectionError, requests.Timeout):
        return False


def _image_command(port: int, application: str = "bench.clock:application") -> list[str]:
    """The command of docker/Dockerfile, on loopback and on that port, with an application that is timed."""
    text = (ROOT / "docker" / "Dockerfile").read_text().replace("\\\n", " ")
    command: list[str] = json.loads(text[text.rindex("CMD ") + 4 :])
    changed = {"0.0.0.0": "127.0.0.1", "8000": str(port), "gatehub.wsgi:application": application}  # noqa: S104
    return [str(BIN / command[0]), *(changed.get(word, word) for word in command[1:])]


def embedded_command(application: str = "bench.clock:application") -> list[str]:
    """The Procfile's command, on the port of GATEHUB_PORT, with an application that is timed."""
    command = parse_procfile((ROOT / "Procfile").read_text()).processes["web"]
    return ["sh", "-c", command.replace("gatehub.wsgi:application", application)]


def children_of(pid: int) -> list[int]:
    found = subprocess.run(["pgrep", "-g", str(pid)], capture_output=True, text=True, check=True)
    return [int(line) for line in found.stdout.split()]


def peak_mib(pid: int) -> float:
    """VmHWM, in MiB."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError(f"process {pid} tells no VmHWM")


def reset_peaks(pids: Iterable[int]) -> None:
    for pid in pids:
        Path(f"/proc/{pid}/clear_refs").write_text("5")


def spread(numbers: Iterable[float], digits: int = 1) -> dict[str, float]:
    """Median with minimum and maximum."""
    found = sorted(numbers)
    return {
        "median": round(statistics.median(found), digits),
        "min": round(found[0], digits),
        "max": round(found[-1], digits),
    }


def write(name: str, report: Any) -> None:
    """Print it, and keep it in `bench/results`, which is not in git."""
    results = Path(__file__).parent / "results"
    results.mkdir(exist_ok=True)
    text = json.dumps(report, indent=2, ensure_ascii=False)
    (results / f"{name}.json").write_text(text)
    print(text)
