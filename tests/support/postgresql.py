"""A private PostgreSQL cluster: its own folder, reached by a socket in there only, and unsafe but quick.

As a pytest plugin it gives the fixture `postgresql`.  As a command it runs another one with the whole test
suite's database in such a cluster:

    python -m tests.support.postgresql pytest -m postgresql
"""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.support.processes import Process
from tests.support.skips import missing, program

SOCKET_VARIABLE = "GATEHUB_TEST_POSTGRESQL"
"""Names the socket folder of a cluster that runs already, so that test workers share one."""

SETTINGS = {
    "listen_addresses": "",
    "max_connections": "300",
    "shared_buffers": "64MB",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
}


class PostgreSQL:
    """A running cluster, by the folder of its socket.  Its only user is `gatehub`, who needs no password."""

    def __init__(self, socket_folder: Path) -> None:
        self.socket_folder = socket_folder

    def url(self, database: str = "postgres") -> str:
        """For GATEHUB_DATABASE_URL."""
        return f"postgres://gatehub@{quote(str(self.socket_folder), safe='')}/{database}"

    def sql(self, statement: str, database: str = "postgres") -> str:
        """Run one statement and give the rows as `psql` prints them unaligned."""
        command = [_program("psql"), "-XAtq", "-v", "ON_ERROR_STOP=1", "-h", str(self.socket_folder), "-U", "gatehub"]
        done = subprocess.run(
            [*command, "-d", database, "-c", statement], check=True, stdout=subprocess.PIPE, text=True
        )
        return str(done.stdout).strip()

    def create_database(self, template: str = "template1") -> str:
        """Make a database, empty or a copy of another to which nothing is connected, and give its URL."""
        name = f"test_{secrets.token_hex(6)}"
        self.sql(f"CREATE DATABASE {name} TEMPLATE {template}")
        return self.url(name)


class Cluster(PostgreSQL):
    """A cluster that we start and stop.  `settings` differ from, or add to, `SETTINGS`."""

    def __init__(self, settings: Mapping[str, str] | None = None) -> None:
        # Not pytest's folder: that one is closed to the user that PostgreSQL runs as.
        self.folder = Path(tempfile.mkdtemp(prefix="gatehub-postgresql-"))
        super().__init__(self.folder)
        self._user = [program("runuser"), "-u", "postgres", "--"] if os.geteuid() == 0 else []  # It refuses to be root.
        data = self.folder / "data"
        chosen = {**SETTINGS, **(settings or {})}
        options = [part for name, value in chosen.items() for part in ("-c", f"{name}={value}")]
        command = [*self._user, _program("postgres"), "-D", str(data), "-k", str(self.folder), *options]
        self.process = Process(command, log_file=self.folder / "log", env={"LANG": "C.UTF-8"}, cwd=self.folder)
        initdb = [*self._user, _program("initdb"), "-D", str(data), "-U", "gatehub", "-E", "UTF8", "--no-sync"]
        try:
            if self._user:
                shutil.chown(self.folder, _unprivileged_user())
            subprocess.run([*initdb, "--locale=C.UTF-8"], check=True, capture_output=True, text=True, cwd=self.folder)
            self.start()
        except BaseException:
            shutil.rmtree(self.folder)
            raise

    def start(self) -> None:
        self.process.start(self._answers)

    def kill(self) -> None:
        self.process.kill()

    def close(self) -> None:
        self.process.stop(how=signal.SIGQUIT)  # "Immediate": the others end with clients still connected.
        shutil.rmtree(self.folder)

    def _answers(self) -> bool:
        command = [_program("pg_isready"), "-q", "-h", str(self.folder), "-U", "gatehub"]
        return subprocess.run(command, check=False).returncode == 0


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSQL]:
    """A running PostgreSQL: that of the whole test run, if there is one, or else the session's own."""
    if shared := os.environ.get(SOCKET_VARIABLE):
        yield PostgreSQL(Path(shared))
        return
    cluster = Cluster()
    yield cluster
    cluster.close()


def _program(name: str) -> str:
    newest = max(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda folder: int(folder.parent.name), default=None)
    return program(name, folder=newest)


def _unprivileged_user() -> str:
    try:
        return pwd.getpwnam("postgres").pw_name
    except KeyError:
        missing("PostgreSQL cannot run as root, and there is no user `postgres`")


def main(command: list[str]) -> int:
    """Run a command with GATEHUB_TEST_DATABASE_URL naming a cluster that lives as long as it."""
    cluster = Cluster()
    try:
        chosen = {SOCKET_VARIABLE: str(cluster.socket_folder), "GATEHUB_TEST_DATABASE_URL": cluster.url("gatehub")}
        return subprocess.run(command, check=False, env=os.environ | chosen).returncode
    finally:
        cluster.close()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
