"""nginx in front of a running server, with the configuration that `docker/` ships."""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Protocol

import pytest

from tests.support.processes import Process, free_port
from tests.support.server import ROOT, Server
from tests.support.skips import program

TEMPLATE = ROOT / "docker" / "nginx.conf.template"
MAIN = """\
{user}
worker_processes 1;
pid {folder}/nginx.pid;
error_log stderr;
events {{}}
http {{
    include /etc/nginx/mime.types;
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/site.conf;
}}
"""


class Nginx:
    """nginx on a loopback port, before the address `web` (host:port), sending files of `data_dir` itself."""

    def __init__(self, folder: Path, *, web: str, data_dir: Path) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        values = {
            "GATEHUB_LISTEN": f"127.0.0.1:{self.port}",
            "GATEHUB_WEB": web,
            "GATEHUB_DATA_DIR": str(data_dir),
            "GATEHUB_SCHEME": "http",
        }
        site = TEMPLATE.read_text()
        for name, value in values.items():
            site = site.replace(f"${{{name}}}", value)
        (folder / "site.conf").write_text(site)
        # Whoever writes the objects must be the one who sends them: nobody else may read them.
        user = "user root;" if os.geteuid() == 0 else ""
        (folder / "nginx.conf").write_text(MAIN.format(folder=folder, user=user))
        self._command = [program("nginx"), "-p", str(folder), "-c", str(folder / "nginx.conf")]
        command = [*self._command, "-g", "daemon off;"]
        self.process = Process(command, log_file=folder / "nginx.log", env={}, cwd=folder)

    def check(self) -> str:
        """What `nginx -t` says about the configuration.  Raises AssertionError when it is refused or warned of."""
        done = subprocess.run([*self._command, "-t"], check=False, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        assert "[warn]" not in done.stderr, done.stderr
        return done.stderr

    def start(self) -> None:
        self.process.start(self._answers)

    def kill(self) -> None:
        self.process.kill()

    def _answers(self) -> bool:
        with closing(socket.socket()) as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0


class StartNginx(Protocol):
    """What the fixture `start_nginx` gives: nginx before that server, stopped when the test is over."""

    def __call__(self, server: Server) -> Nginx: ...


@pytest.fixture
def start_nginx(tmp_path: Path) -> Iterator[StartNginx]:
    started: list[Nginx] = []

    def start(server: Server) -> Nginx:
        folder = tmp_path / f"nginx{len(started)}"
        folder.mkdir()
        nginx = Nginx(folder, web=f"127.0.0.1:{server.port}", data_dir=server.data_dir)
        started.append(nginx)
        nginx.start()
        return nginx

    yield start
    for nginx in started:
        nginx.kill()
