"""The real server starts as the Procfile says, survives what tests do to it, and keeps its own things to itself."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

import pytest
import requests
from django.conf import settings

from tests.support.nginx import StartNginx
from tests.support.server import CommandFailed, Server, StartServer


def test_the_shared_server_answers(server: Server) -> None:
    assert requests.get(f"{server.url}/healthz", timeout=10).status_code == 200


def test_a_killed_server_starts_again_at_the_same_address(start_server: StartServer) -> None:
    server = start_server()
    first = server.processes["web"].pid
    server.kill()
    with pytest.raises(requests.ConnectionError):
        requests.get(f"{server.url}/healthz", timeout=10)
    server.restart()
    assert requests.get(f"{server.url}/healthz", timeout=10).ok
    assert server.processes["web"].pid != first
    assert server.log().count("Listening at") == 2


def test_a_server_opens_no_control_socket(server: Server) -> None:
    assert not (Path(server.env["HOME"]) / ".gunicorn").exists()


def test_a_server_runs_on_postgresql(start_server: StartServer) -> None:
    server = start_server(database="postgresql")
    assert requests.get(f"{server.url}/readyz", timeout=10).json()["database"] == "ok"
    assert not (server.data_dir / "gatehub.sqlite3").exists()


def test_management_commands_see_the_data_of_the_server(server: Server) -> None:
    script = "from django.conf import settings; print(settings.DATA_DIR)"
    assert server.manage("shell", "--no-imports", "-c", script) == str(server.data_dir)
    with pytest.raises(CommandFailed, match="no-such-command"):
        server.manage("no-such-command")


def test_no_management_command_leaves_anything_behind_for_the_next(server: Server) -> None:
    mark = (
        "from django.conf import settings; import os; settings.MARK = 1; os.environ['MARK'] = '1'; print(os.getpid())"
    )
    first = server.manage("shell", "--no-imports", "-c", mark)
    look = "from django.conf import settings; import os; print(hasattr(settings, 'MARK'), 'MARK' in os.environ)"
    assert server.manage("shell", "--no-imports", "-c", look) == "False False"
    assert server.manage("shell", "--no-imports", "-c", "import os; print(os.getpid())") != first


def test_a_management_command_reads_what_it_is_given_and_fails_as_it_does_by_itself(server: Server) -> None:
    assert server.manage("shell", "--no-imports", "-c", "print(input())", input="a word\n") == "a word"
    with pytest.raises(CommandFailed, match=r"exit status 3\nbefore"):
        server.manage("shell", "--no-imports", "-c", "print('before'); raise SystemExit(3)")
    with pytest.raises(CommandFailed, match=r"(?s)exit status 1\n.*ZeroDivisionError"):
        server.manage("shell", "--no-imports", "-c", "1 / 0")


def test_nginx_passes_on_what_the_server_says(server: Server, start_nginx: StartNginx) -> None:
    nginx = start_nginx(server)
    assert requests.get(f"{nginx.url}/healthz", timeout=10).json() == {"status": "ok"}
    # Nobody reaches the objects without the server's word.
    (server.data_dir / "objects").mkdir(exist_ok=True)
    (server.data_dir / "objects" / "secret").write_text("secret")
    assert requests.get(f"{nginx.url}/_objects/secret", timeout=10).status_code == 404


@pytest.mark.postgresql
def test_the_suite_on_postgresql_shares_one_cluster(server: Server) -> None:
    own = settings.DATABASES["default"]["HOST"]
    assert quote(own, safe="") in server.env["GATEHUB_DATABASE_URL"]
