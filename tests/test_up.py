"""`make up`: one command starts everything, Ctrl-C ends everything, and the next `make up` finds what was left."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests

from tests.support.processes import Process
from tests.support.server import ROOT, Server, Starter

NO_DEMO = {"GATEHUB_DEMO": "0"}


@pytest.fixture
def up(tmp_path: Path, _make_server: Starter) -> Iterator[Process]:
    """`make up` without demo content, as a terminal would start it: `start_up` starts it, once or more."""
    yield from _up(_make_server(processes=(), env=NO_DEMO, database="sqlite"), tmp_path)


@pytest.fixture
def first_up(tmp_path: Path) -> Iterator[Process]:
    """The same, where nothing is yet."""
    yield from _up(Server(tmp_path, processes=(), env=NO_DEMO), tmp_path)


def _up(server: Server, folder: Path) -> Iterator[Process]:
    process = Process(["make", "--no-print-directory", "up"], log_file=folder / "log", env=server.env, cwd=ROOT)
    yield process
    process.kill()
    for pid in _left(process):
        subprocess.run(["kill", "-KILL", str(pid)], check=False)


def start_up(up: Process) -> None:
    said = up.log().count("GateHub is running at")
    up.start(lambda: up.log().count("GateHub is running at") > said, timeout=120)


def test_it_starts_where_nothing_is_and_ctrl_c_ends_every_process(first_up: Process) -> None:
    start_up(first_up)
    assert len(_left(first_up)) >= 5, "make, up, web, worker and beat"
    assert first_up.stop(how=signal.SIGINT) in (130, 2, -signal.SIGINT)
    assert _left(first_up) == []
    assert "Traceback" not in first_up.log()


def test_a_second_start_is_quick_and_keeps_the_data(up: Process) -> None:
    start_up(up)
    key = Path(up.env["GATEHUB_DATA_DIR"], "secret_key")
    first = key.read_text()
    up.stop(how=signal.SIGINT)
    began = time.monotonic()
    start_up(up)
    assert time.monotonic() - began < 30
    assert requests.get(f"{up.env['GATEHUB_PUBLIC_URL']}/healthz", timeout=10).ok
    assert key.read_text() == first


def test_a_second_one_beside_it_is_refused_and_disturbs_nothing(up: Process, tmp_path: Path) -> None:
    start_up(up)
    second = subprocess.run(up.command, env=up.env, cwd=up.cwd, capture_output=True, text=True, check=False, timeout=60)
    assert second.returncode != 0
    assert "running already" in second.stderr
    assert requests.get(f"{up.env['GATEHUB_PUBLIC_URL']}/healthz", timeout=10).ok


@pytest.mark.parametrize("program", ["celery", "gunicorn"])
def test_what_dies_is_started_again_and_the_others_go_on(up: Process, program: str) -> None:
    start_up(up)
    before = _running(up, program)
    subprocess.run(["kill", "-KILL", *map(str, before)], check=True)
    _wait(lambda: len(_running(up, program) - before) >= len(before) and not _running(up, program) & before)
    _wait(lambda: requests.get(f"{up.env['GATEHUB_PUBLIC_URL']}/healthz", timeout=10).ok)
    assert "ended with status -9, and is started again" in up.log()
    assert up.stop(how=signal.SIGINT) in (130, 2, -signal.SIGINT)
    assert _left(up) == []


def test_what_dies_again_and_again_ends_them_all(up: Process) -> None:
    start_up(up)
    _wait(lambda: not _left_after_killing(up, "celery"), timeout=90)
    assert up.stop() != 0


def _left_after_killing(up: Process, program: str) -> list[int]:
    for pid in _running(up, program):
        subprocess.run(["kill", "-KILL", str(pid)], check=False, capture_output=True)
    return _left(up)


def _wait(until: Callable[[], bool], *, timeout: float = 30) -> None:
    deadline = time.monotonic() + timeout
    while True:
        try:
            if until():
                return
        except requests.RequestException:
            if time.monotonic() > deadline:
                raise
        assert time.monotonic() < deadline, "it takes too long"
        time.sleep(0.2)


def _running(up: Process, program: str) -> set[int]:
    return {pid for pid in _left(up) if f"bin/{program}".encode() in Path(f"/proc/{pid}/cmdline").read_bytes()}


def _left(up: Process) -> list[int]:
    """The processes that still work on this data folder: they are in several sessions, but share a variable."""
    mark = f"GATEHUB_DATA_DIR={up.env['GATEHUB_DATA_DIR']}".encode()
    found = []
    for environ in Path("/proc").glob("[0-9]*/environ"):
        try:
            if mark in environ.read_bytes():
                found.append(int(environ.parent.name))
        except OSError:  # It ended meanwhile, or is a zombie or somebody else's.
            continue
    return found
