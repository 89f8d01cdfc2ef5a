"""The programs that other tests stand on start, answer, and leave nothing behind."""

from __future__ import annotations

import http.server
import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis as redis_client

from tests.support.clients import HUB_RELEASES, ClientFailed, client
from tests.support.nginx import Nginx
from tests.support.postgresql import Cluster, PostgreSQL
from tests.support.processes import Process, StartFailed
from tests.support.redis import Redis

WHO_AM_I = {
    "type": "user",
    "id": "u-1",
    "name": "ada",
    "fullname": "Ada",
    "email": "ada@example.org",
    "orgs": [],
    "auth": {"type": "access_token", "accessToken": {"displayName": "laptop", "role": "read"}},
}


class WhoAmI(http.server.BaseHTTPRequestHandler):
    """Answers every GET with WHO_AM_I, and keeps the Authorization headers that came."""

    seen: list[str | None] = []

    def do_GET(self) -> None:
        self.seen.append(self.headers.get("Authorization"))
        body = json.dumps(WHO_AM_I).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # As the base class calls it.
        """Say nothing."""


@pytest.fixture
def hub() -> Iterator[str]:
    """The address of a server that knows nothing but who you are."""
    WhoAmI.seen = []
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), WhoAmI) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.parametrize("release", HUB_RELEASES)
def test_every_release_of_the_hub_client_asks_our_server_with_the_token_given(release: str, hub: str) -> None:
    script = """
        import sys, huggingface_hub
        print(huggingface_hub.__version__, huggingface_hub.HfApi().whoami(token=sys.argv[1])["name"])
    """
    assert client(release).run(script, "gate_x", server=hub).stdout.split() == [release, "ada"]
    words = ["whoami"] if release == "0.9.1" else ["auth", "whoami"]
    assert "ada" in client(release).cli(*words, server=hub, token="gate_y").stdout
    assert {header for header in WhoAmI.seen if header} == {"Bearer gate_x", "Bearer gate_y"}


@pytest.mark.parametrize("library", ["transformers", "datasets"])
def test_the_libraries_import_without_a_network(library: str, hub: str) -> None:
    script = "import sys, importlib; print(importlib.import_module(sys.argv[1]).__version__)"
    assert client(library).run(script, library, server=hub).stdout.strip()
    assert WhoAmI.seen == []


def test_a_client_inherits_nothing(hub: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "of-the-developer")
    script = "import os, huggingface_hub; print(huggingface_hub.get_token(), os.listdir(os.environ['HOME']))"
    assert client("2.4.0").run(script, server=hub).stdout == "None []\n"


def test_a_failed_client_shows_what_it_printed(hub: str) -> None:
    with pytest.raises(ClientFailed, match=r"(?s)exit status 3.*so far.*no further"):
        client("2.4.0").run(
            "import sys; print('so far'); print('no further', file=sys.stderr); sys.exit(3)", server=hub
        )
    with pytest.raises(ClientFailed, match=r"(?s)still ran after.*so far"):
        client("2.4.0").run("import time; print('so far'); time.sleep(60)", server=hub, timeout=2)


def test_postgresql_answers_and_gives_out_empty_databases(postgresql: PostgreSQL) -> None:
    first, second = postgresql.create_database(), postgresql.create_database()
    assert first != second
    name = first.rsplit("/", 1)[1]
    assert postgresql.sql("SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace", name) == "0"


def test_a_closed_cluster_leaves_no_process_and_no_file() -> None:
    cluster = Cluster()
    pid = cluster.process.pid
    cluster.close()
    assert not cluster.folder.exists()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_redis_answers(redis: Redis) -> None:
    with redis_client.Redis.from_url(redis.url) as connection:
        assert connection.ping()


def test_nginx_takes_our_configuration_without_a_warning(tmp_path: Path) -> None:
    assert "successful" in Nginx(tmp_path, web="127.0.0.1:8000", data_dir=tmp_path).check()


def test_a_program_that_ends_at_once_shows_its_log(tmp_path: Path) -> None:
    process = Process(["sh", "-c", "echo the port is taken; exit 4"], log_file=tmp_path / "log", env={}, cwd=tmp_path)
    with pytest.raises(StartFailed, match=r"(?s)ended with 4.*the port is taken"):
        process.start(lambda: False)


def test_a_stopped_program_takes_its_children_along(tmp_path: Path) -> None:
    command = ["sh", "-c", "trap '' TERM; sleep 600 & echo $! > child; wait; wait"]
    process = Process(command, log_file=tmp_path / "log", env={"PATH": "/usr/bin:/bin"}, cwd=tmp_path)
    process.start(lambda: (tmp_path / "child").exists() and bool((tmp_path / "child").read_text().strip()))
    child = int((tmp_path / "child").read_text())
    assert process.stop(timeout=0.5) in (-signal.SIGKILL, 0)
    deadline = time.monotonic() + 10  # A killed process takes its time to be gone where many others run.
    while _runs(child) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _runs(child)


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False
