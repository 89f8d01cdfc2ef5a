"""The real product, as its users meet it: the Procfile's own commands on a free loopback port.

    def test_health(server):
        assert requests.get(f"{server.url}/healthz", timeout=5).ok

`server` is shared by all tests of a worker, so each test uses names of its own.  `start_server` makes more,
to be killed, restarted, or run with other settings.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Protocol

import pytest
from honcho.environ import parse_procfile

from tests.support.commands import Commands
from tests.support.postgresql import SOCKET_VARIABLE, PostgreSQL
from tests.support.processes import Process, free_port

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
PREPARED = "prepared"
"""The database, in each cluster, of which those of servers are copies."""


class CommandFailed(AssertionError):
    """A management command ended with an error; the message holds all that it printed."""


class Server:
    """The product with a data folder of its own.

    `processes` are names from the Procfile; `env` adds to its environment.  It is not running before `start`.
    """

    def __init__(
        self, folder: Path, *, processes: Iterable[str] = ("web",), env: Mapping[str, str] | None = None
    ) -> None:
        self.data_dir = folder / "data"
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.env = {
            "PATH": f"{BIN}:/usr/local/bin:/usr/bin:/bin",
            "HOME": str(folder),
            "LANG": "C.UTF-8",
            "PYTHONUNBUFFERED": "1",
            "GATEHUB_DATA_DIR": str(self.data_dir),
            "GATEHUB_PORT": str(self.port),
            "GATEHUB_PUBLIC_URL": self.url,
            **(env or {}),
        }
        self._commands: Commands | None = None
        commands = parse_procfile((ROOT / "Procfile").read_text()).processes
        self.processes = {
            name: Process(["sh", "-c", commands[name]], log_file=folder / f"{name}.log", env=self.env, cwd=ROOT)
            for name in processes
        }

    def start(self) -> None:
        """Start all its processes; returns once `/healthz` answers.  Raises StartFailed with the log."""
        for name, process in self.processes.items():
            process.start(self._healthy if name == "web" else lambda: True)

    def stop(self) -> None:
        """Ask all its processes to end, as Ctrl-C does, and wait for them."""
        for process in self.processes.values():
            process.stop()

    def kill(self) -> None:
        """SIGKILL for all its processes."""
        for process in self.processes.values():
            process.kill()

    def restart(self) -> None:
        """Stop what still runs and start again: same port, same data."""
        self.stop()
        self.start()

    def manage(self, *args: str, input: str = "") -> str:  # noqa: A002  # As subprocess calls it.
        """Run `manage.py ARGS`, server running or not, and give what it printed, without the last line end.

        Raises CommandFailed.
        """
        if self._commands is None or self._commands.env != self.env:
            self._commands = Commands(self.env, ROOT)
        status, printed, errors = self._commands.run(args, input, timeout=120)
        if status:
            raise CommandFailed(f"manage.py {' '.join(args)}: exit status {status}\n{printed}{errors}")
        return printed.rstrip("\n")

    def log(self, name: str = "web") -> str:
        """All that a process has printed so far, in all its lives."""
        return self.processes[name].log()

    def _healthy(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/healthz", timeout=5) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False


class StartServer(Protocol):
    """What the fixture `start_server` gives: a running server, stopped when its test is over.

    `database` is `sqlite` or `postgresql`; None means that of the test run.
    """

    def __call__(
        self, *, processes: Iterable[str] = ("web",), env: Mapping[str, str] | None = None, database: str | None = None
    ) -> Server: ...


Starter = Callable[..., Server]


@pytest.fixture(scope="session")
def _make_server(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Starter:
    """Makes servers that have their tables, but do not run."""
    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent

    def make(
        *, processes: Iterable[str] = ("web",), env: Mapping[str, str] | None = None, database: str | None = None
    ) -> Server:
        folder = tmp_path_factory.mktemp("server")
        prepared = shared / "prepared"
        draft = Server(prepared)
        _once(prepared, "static", lambda: draft.manage("collectstatic", "--noinput", "-v0"))
        if (database or ("postgresql" if SOCKET_VARIABLE in os.environ else "sqlite")) == "sqlite":
            _once(prepared, "sqlite", lambda: draft.manage("migrate", "-v0"))
            server = Server(folder, processes=processes, env=env)
            shutil.copytree(draft.data_dir, server.data_dir)
            return server
        cluster: PostgreSQL = request.getfixturevalue("postgresql")
        _once(prepared, cluster.socket_folder.name, lambda: _prepare_database(cluster, folder))
        url = cluster.create_database(template=PREPARED)
        server = Server(folder, processes=processes, env={**_on_postgresql(url), **(env or {})})
        shutil.copytree(draft.data_dir / "static", server.data_dir / "static")
        return server

    return make


@pytest.fixture(scope="session")
def server(_make_server: Starter) -> Iterator[Server]:
    """The server that tests share."""
    running = _make_server()
    running.start()
    yield running
    running.stop()


@pytest.fixture
def start_server(_make_server: Starter) -> Iterator[StartServer]:
    """Starts servers of a test's own: see StartServer."""
    started: list[Server] = []

    def start(
        *, processes: Iterable[str] = ("web",), env: Mapping[str, str] | None = None, database: str | None = None
    ) -> Server:
        made = _make_server(processes=processes, env=env, database=database)
        started.append(made)
        made.start()
        return made

    yield start
    for made in started:
        made.kill()


def _once(folder: Path, name: str, make: Callable[[], object]) -> None:
    """Make what all servers of a test run begin with, whichever worker comes first; copies are made much quicker."""
    folder.mkdir(exist_ok=True)
    made = folder / f"{name}.made"
    with (folder / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            make()
            made.touch()


def _prepare_database(cluster: PostgreSQL, folder: Path) -> None:
    """In a folder of its own: other workers may be copying that of SQLite's servers meanwhile."""
    url = cluster.create_database()
    Server(folder, env=_on_postgresql(url)).manage("migrate", "-v0")
    cluster.sql(f"ALTER DATABASE {url.rpartition('/')[2]} RENAME TO {PREPARED}")


def _on_postgresql(url: str) -> dict[str, str]:
    return {"GATEHUB_DATABASE_URL": url, "GATEHUB_SECRET_KEY": "of-a-test-server-" * 3}
