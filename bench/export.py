"""The report of 1,000,000 requests with four answers, in each format, against `psql \\copy` of the same query.

    .venv/bin/python -m bench.export --sizes 100000 1000000 --rounds 5

One database has a repo of each size.  The peers write a file: "same" is the very SELECT of the CSV report, for all rows
at once; "bare" has its columns, answers and order, but times as PostgreSQL spells them and cells as they are.  Product
and peers take turns.  "whole" is seconds until the last byte, "first" until the first one, both at the client; "grown"
is how much more memory than at rest a web process has held (VmHWM).  "busy" is how many seconds the database and the web
server, or psql, were on a processor: on a machine that does other things as well, that is what to compare.
"""

from __future__ import annotations

import argparse
import math
import os
import resource
import shutil
import socket
import statistics
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from honcho.environ import parse_procfile

from bench.hub import Hub, _answers, children_of, peak_mib, reset_peaks, spread, write
from tests.support.postgresql import _program
from tests.support.processes import Process, free_port
from tests.support.server import ROOT

FORMATS = ("csv", "jsonl", "json")
BUDGETS = {"csv": 1.5, "jsonl": 2.2}

FILL = """
import sys
from bench import export_rows
export_rows.fill([int(size) for size in sys.argv[1:]])
"""
SELECTS = """
import sys
from bench import export_rows
print(export_rows.select(sys.argv[1], same=sys.argv[2] == "same"))
"""


class Web:
    """A web server of the product, on the database of the hub."""

    def __init__(self, hub: Hub, name: str) -> None:
        self.name = name
        self.hub = hub
        if name == "granian":
            self.url, self.process = hub.url, hub.web
            return
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        command = parse_procfile((ROOT / "Procfile").read_text()).processes["web"]
        env = {**hub.server.env, "GATEHUB_PORT": str(port)}
        self.process = Process(["sh", "-c", command], log_file=hub.folder / "gunicorn.log", env=env, cwd=ROOT)

    def start(self) -> None:
        self.process.start(lambda: _answers(f"{self.url}/healthz"))

    @contextmanager
    def memory(self) -> Iterator[dict[str, float]]:
        """Gives what the process that grew most has grown by, in MiB, once the block is over."""
        pids = children_of(self.process.pid)
        reset_peaks(pids)
        at_rest = {pid: peak_mib(pid) for pid in pids}
        grown: dict[str, float] = {}
        yield grown
        grown["MiB"] = max(peak_mib(pid) - at_rest[pid] for pid in pids)

    def get(self, path: str, token: str, into: Path, *, bytes_a_second: float = math.inf) -> dict[str, float]:
        """Seconds to the first byte and to the last, with the length of the body, which must be whole."""
        parts = urlsplit(self.url)
        began = time.perf_counter()
        with socket.create_connection((parts.hostname or "", parts.port or 80)) as connection, into.open("wb") as out:
            head = f"GET {path} HTTP/1.1\r\nHost: {parts.netloc}\r\nAuthorization: Bearer {token}\r\n\r\n"
            connection.sendall(head.encode())
            first, read, end = 0.0, 0, b""
            while not end.endswith(b"\r\n0\r\n\r\n"):
                piece = connection.recv(1 << 18)
                if not piece:
                    raise RuntimeError(f"{path} broke off")
                first = first or time.perf_counter() - began
                out.write(piece)
                read += len(piece)
                end = (end + piece)[-7:]
                if read / bytes_a_second > time.perf_counter() - began:
                    time.sleep(read / bytes_a_second - (time.perf_counter() - began))
        return {"first": first, "whole": time.perf_counter() - began, "bytes": read}


def psql(hub: Hub, select: str, into: Path) -> float:
    """Seconds of `\\copy`."""
    options = ["-XqAt", "-v", "ON_ERROR_STOP=1", "-h", str(hub.cluster.socket_folder), "-U", "gatehub"]
    database = urlsplit(hub.database).path.strip("/")
    began = time.perf_counter()
    said = f"\\copy ({' '.join(select.split())}) TO '{into}' CSV HEADER"
    subprocess.run([_program("psql"), *options, "-d", database, "-c", said], check=True, capture_output=True, text=True)
    return time.perf_counter() - began


def on_a_processor(hub: Hub, webs: list[Web]) -> float:
    """Seconds so far of the database, with the connections that have ended, of the web servers, and of psql."""
    (postmaster,) = (hub.cluster.folder / "data" / "postmaster.pid").read_text().splitlines()[:1]
    found = subprocess.run(["pgrep", "-P", postmaster], capture_output=True, text=True, check=True)
    pids = [int(pid) for pid in found.stdout.split()] + [pid for web in webs for pid in children_of(web.process.pid)]
    ticks = sum(sum(_ticks(pid)[:2]) for pid in pids) + sum(_ticks(int(postmaster))[2:])
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return ticks / os.sysconf("SC_CLK_TCK") + usage.ru_utime + usage.ru_stime


def _ticks(pid: int) -> list[int]:
    """In user mode and in the kernel, and the same of its children that have ended."""
    try:
        return [int(word) for word in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:15]]
    except FileNotFoundError:  # It has ended meanwhile.
        return [0, 0, 0, 0]


def measure(hub: Hub, webs: list[Web], sizes: list[int], rounds: int, token: str, folder: Path) -> dict[str, Any]:
    steps: dict[str, Callable[[], dict[str, float]]] = {}
    for size in sizes:
        for kind in ("same", "bare"):
            select = hub.run_python("-c", f"{DJANGO}{SELECTS}", f"requests-{size}", kind)
            steps[f"{size} psql {kind}"] = lambda select=select: {"whole": psql(hub, select, folder / "peer")}  # type: ignore[misc]
        for web in webs:
            for format_ in FORMATS:
                steps[f"{size} {web.name} {format_}"] = lambda w=web, f=format_, s=size: fetched(w, f, s, token, folder)  # type: ignore[misc]
    found: dict[str, list[dict[str, float]]] = {name: [] for name in steps}
    for number in range(rounds + 1):
        for name, step in steps.items():
            if not number and not name.startswith(f"{sizes[0]} "):  # The first round is for warming up.
                continue
            before = on_a_processor(hub, webs)
            figures = step()
            figures["busy"] = on_a_processor(hub, webs) - before
            if number:
                found[name].append(figures)
            print(name, {key: round(value, 3) for key, value in figures.items()}, flush=True)
    return summed_up(found, sizes)


def fetched(web: Web, format_: str, size: int, token: str, folder: Path) -> dict[str, float]:
    with web.memory() as grown:
        figures = web.get(f"/lab/requests-{size}/user-access-report?format={format_}", token, folder / "product")
    return {**figures, "grown": grown["MiB"]}


def summed_up(found: dict[str, list[dict[str, float]]], sizes: list[int]) -> dict[str, Any]:
    """Medians, and the ratio of each round to the peers of the same round."""
    summary: dict[str, Any] = {}
    for name, rounds in found.items():
        size, _, kind = name.split()
        told: dict[str, Any] = {key: spread((one[key] for one in rounds), 3) for key in rounds[0]}
        for peer in ("same", "bare"):
            against = found[f"{size} psql {peer}"]
            for what in ("whole", "busy"):
                ratios = (one[what] / other[what] for one, other in zip(rounds, against, strict=True))
                told[f"{what}, times psql {peer}"] = spread(ratios, 2)
        if kind in BUDGETS:
            told["budget"] = BUDGETS[kind]
        summary[name] = told
    if len(sizes) > 1:
        small, large = sizes[0], sizes[-1]
        for name in [name for name in found if name.startswith(f"{large} ")]:
            less, more = (
                statistics.median(one["busy"] for one in found[name.replace(str(large), str(size), 1)])
                for size in (small, large)
            )
            summary[name]["exponent of busy"] = round(math.log(more / less) / math.log(large / small), 2)
    return summary


def slow_reader(hub: Hub, web: Web, size: int, token: str, folder: Path, seconds: float) -> dict[str, Any]:
    """What a reader of 1 MB a second keeps of the server: memory, and connections to the database that are in use."""
    path = f"/lab/requests-{size}/user-access-report?format=csv"
    done = threading.Event()
    busy: list[int] = []

    def read() -> None:
        parts = urlsplit(web.url)
        with socket.create_connection((parts.hostname or "", parts.port or 80)) as connection:
            head = f"GET {path} HTTP/1.1\r\nHost: {parts.netloc}\r\nAuthorization: Bearer {token}\r\n\r\n"
            connection.sendall(head.encode())
            while not done.is_set() and connection.recv(1 << 16):
                time.sleep(0.065)

    with web.memory() as grown:
        thread = threading.Thread(target=read)
        thread.start()
        until = time.monotonic() + seconds
        count = "SELECT count(*) FROM pg_stat_activity WHERE state <> 'idle' AND pid <> pg_backend_pid()"
        while time.monotonic() < until:
            busy.append(int(hub.cluster.sql(count, urlsplit(hub.database).path.strip("/"))))
            time.sleep(0.1)
        done.set()
        thread.join()
    return {"grown": round(grown["MiB"], 1), "looks": len(busy), "looks at a busy connection": sum(map(bool, busy))}


DJANGO = """
import os, django
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gatehub.settings")
django.setup()
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--slow", type=float, default=30, help="seconds of the slow reader")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="gatehub-bench-"))
    hub = Hub(fill=["-c", f"{DJANGO}{FILL}", *map(str, options.sizes)])
    webs = [Web(hub, name) for name in ("granian", "gunicorn")]
    try:
        os.chmod(folder, 0o777)  # noqa: S103, PTH101 - psql is another user's
        token = hub.server.manage("create_token", "ada", "--name", "bench", "--role", "write")
        for web in webs:
            web.start()
        report = measure(hub, webs, options.sizes, options.rounds, token, folder)
        report["slow reader"] = {
            web.name: slow_reader(hub, web, options.sizes[-1], token, folder, options.slow) for web in webs
        }
        write("export", report)
    finally:
        webs[1].process.kill()
        hub.close()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
