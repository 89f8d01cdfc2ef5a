"""A large file goes up by LFS and by Xet and comes down again: time against `cp` + `sha256sum`, memory per process.

    .venv/bin/python -m bench.large_files --gib 2 --rounds 1

The clients are the real ones: huggingface_hub 1.19.0 for LFS, 2.4.0 for Xet and for the download.  Memory is VmHWM of
each process of the web server, reset before each step; growth is against the same process at rest.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.support.clients import client
from tests.support.server import Server

MIB = 1024**2
UPLOAD = """
    import sys
    from huggingface_hub import HfApi
    api = HfApi()
    api.create_repo(sys.argv[1], exist_ok=True)
    api.upload_file(path_or_fileobj=sys.argv[2], path_in_repo="model.safetensors", repo_id=sys.argv[1])
"""
DOWNLOAD = """
    import sys, shutil
    from huggingface_hub import hf_hub_download
    path = hf_hub_download(sys.argv[1], "model.safetensors")
    print("PATH", path)
"""


def server_processes(port: int) -> list[int]:
    """The process ids of the gunicorn that listens on the port, master first."""
    found = subprocess.run(["pgrep", "-f", f"gunicorn.*:{port}"], capture_output=True, text=True, check=True)
    return [int(pid) for pid in found.stdout.split()]


def peak_mib(pid: int) -> float:
    """VmHWM: the most memory that the process has held since its last reset, in MiB."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError(f"process {pid} tells no VmHWM")


def reset_peaks(pids: list[int]) -> None:
    for pid in pids:
        Path(f"/proc/{pid}/clear_refs").write_text("5")


def make_file(path: Path, gib: float) -> str:
    """Random bytes, which nothing can compress or deduplicate.  Returns their sha-256."""
    digest = hashlib.sha256()
    with path.open("wb") as out:
        for _ in range(int(gib * 64)):
            piece = os.urandom(16 * MIB)
            digest.update(piece)
            out.write(piece)
    return digest.hexdigest()


def timed(step: Callable[[], Any]) -> float:
    start = time.monotonic()
    step()
    return time.monotonic() - start


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gib", type=float, default=2.0)
    parser.add_argument("--rounds", type=int, default=1)
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="gatehub-bench-"))
    server = Server(folder)
    try:
        report = run(server, folder, options.gib, options.rounds)
    finally:
        server.kill()
        shutil.rmtree(folder, ignore_errors=True)
    results = Path(__file__).parent / "results"
    results.mkdir(exist_ok=True)
    (results / "large_files.json").write_text(json.dumps(report, indent=2))
    print(json.dumps(report, indent=2))


def run(server: Server, folder: Path, gib: float, rounds: int) -> dict[str, Any]:
    server.manage("migrate", "-v0")
    server.manage("collectstatic", "--noinput", "-v0")
    server.manage("create_user", "ada", "--email", "ada@example.org", "--password", "correct-horse-battery")
    token = server.manage("create_token", "ada", "--name", "bench", "--role", "write")
    server.start()
    large = folder / "large.bin"
    digest = make_file(large, gib)
    steps: dict[str, Callable[[int], Any]] = {
        "cp + sha256sum": lambda number: copy_and_hash(large, folder / "copy.bin"),
        "upload by LFS": lambda number: client("1.19.0").run(
            UPLOAD, f"ada/lfs-{number}", str(large), server=server, token=token, timeout=3600
        ),
        "upload by Xet": lambda number: client("2.4.0").run(
            UPLOAD, f"ada/xet-{number}", str(large), server=server, token=token, timeout=3600
        ),
        "download": lambda number: download(server, folder, f"ada/xet-{number}", token, digest),
    }
    seconds: dict[str, list[float]] = {name: [] for name in steps}
    growth: dict[str, float] = dict.fromkeys(steps, 0.0)
    for number in range(rounds):
        for name, step in steps.items():
            pids = server_processes(server.port)
            reset_peaks(pids)
            at_rest = {pid: peak_mib(pid) for pid in pids}
            seconds[name].append(timed(lambda step=step, number=number: step(number)))  # type: ignore[misc]
            grown = max(peak_mib(pid) - at_rest[pid] for pid in pids)
            growth[name] = max(growth[name], grown)
    base = statistics.median(seconds["cp + sha256sum"])
    return {
        "GiB": gib,
        "rounds": rounds,
        "steps": {
            name: {
                "seconds, median": round(statistics.median(times), 2),
                "ratio to cp + sha256sum": round(statistics.median(times) / base, 2),
                "largest growth of a server process, MiB": round(growth[name], 1),
            }
            for name, times in seconds.items()
        },
    }


def copy_and_hash(source: Path, target: Path) -> None:
    subprocess.run(["cp", str(source), str(target)], check=True)
    subprocess.run(["sync", str(target)], check=True)  # GateHub's uploads are on the disk when acknowledged, too.
    subprocess.run(["sha256sum", str(target)], check=True, stdout=subprocess.DEVNULL)
    target.unlink()


def download(server: Server, folder: Path, repo_id: str, token: str, digest: str) -> None:
    home = folder / "home"
    home.mkdir(exist_ok=True)
    done = client("2.4.0").run(DOWNLOAD, repo_id, server=server, token=token, home=home, timeout=3600)
    path = Path(done.stdout.split("PATH ", 1)[1].strip())
    if sha256_of(path) != digest:
        raise RuntimeError("the file came down with other bytes")
    shutil.rmtree(home)


if __name__ == "__main__":
    main()
