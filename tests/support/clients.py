"""The client matrix: unmodified Hub clients, each release in a virtualenv of its own.

`tests/clients/requirements-NAME.txt` locks one environment; NAME is a release of huggingface_hub, or
`transformers` or `datasets`.  Environments are made on demand under `.cache/clients/` (GATEHUB_CLIENTS_DIR
says where else), under a file lock, and used without any network once they are complete.

    hub = client("2.4.0")
    hub.run("from huggingface_hub import whoami; print(whoami()['name'])", server=server, token=token)
    hub.cli("auth", "whoami", server=server, token=token)
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, Required, TypedDict, Unpack

ROOT = Path(__file__).resolve().parents[2]
LOCKS = ROOT / "tests" / "clients"
HUB_RELEASES = ("0.9.1", "0.36.2", "1.19.0", "1.20.0", "2.4.0")
NAMES = (*HUB_RELEASES, "transformers", "datasets")


class HasUrl(Protocol):
    """A running server: `url` is what a user would set HF_ENDPOINT to."""

    @property
    def url(self) -> str: ...


class ClientFailed(AssertionError):
    """A client exited with an error or ran out of time; the message holds all that it printed."""


class RunOptions(TypedDict, total=False):
    """How to run a client.

    `env` adds to `Client.environment`; `home` is kept (a cache or a login to be used again), otherwise each run
    has an empty one; `input` is typed into it; `timeout` is in seconds (120); `check` false lets it fail.
    """

    server: Required[HasUrl | str]
    token: str | None
    env: Mapping[str, str]
    home: Path
    input: str
    timeout: float
    check: bool


@dataclass(frozen=True)
class Client:
    """One installed client."""

    name: str
    folder: Path

    @property
    def python(self) -> Path:
        return self.bin("python")

    def bin(self, program: str) -> Path:
        return self.folder / "bin" / program

    def run(self, script: str, *args: str, **options: Unpack[RunOptions]) -> subprocess.CompletedProcess[str]:
        """Run Python source with `args` as its `sys.argv[1:]`.

        Raises ClientFailed when its exit status is not 0 (unless `check` is false) or when its time is up.
        """
        with tempfile.TemporaryDirectory(prefix="gatehub-script-") as folder:
            source = Path(folder) / "script.py"
            source.write_text(textwrap.dedent(script), encoding="utf-8")
            return self._execute([str(self.python), str(source), *args], options)

    def cli(
        self, *args: str, program: str | None = None, **options: Unpack[RunOptions]
    ) -> subprocess.CompletedProcess[str]:
        """Run a command line: `program`, else `hf` where this release has it, else `huggingface-cli`.  See `run`."""
        chosen = self.bin(program or "hf")
        if program is None and not chosen.exists():
            chosen = self.bin("huggingface-cli")
        return self._execute([str(chosen), *args], options)

    def environment(self, home: Path, server: HasUrl | str, token: str | None) -> dict[str, str]:
        """The whole environment of a run: nothing is inherited, so no proxy, login or cache of this machine."""
        env = {
            "HOME": str(home),
            "HF_HOME": str(home / "hf"),
            "HF_ENDPOINT": server if isinstance(server, str) else server.url,
            "PATH": f"{self.folder / 'bin'}:/usr/local/bin:/usr/bin:/bin",
            "LANG": "C.UTF-8",
            "NO_COLOR": "1",
            "NO_PROXY": "*",
            "PYTHONUNBUFFERED": "1",  # What it printed before its time was up is shown.
            "HF_HUB_DISABLE_TELEMETRY": "1",
            "HF_HUB_DISABLE_UPDATE_CHECK": "1",
            "HF_HUB_DISABLE_PROGRESS_BARS": "1",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_TERMINAL_PROMPT": "0",
        }
        if token is not None:
            # 0.9 reads the second name only, newer releases prefer the first.
            env |= {"HF_TOKEN": token, "HUGGING_FACE_HUB_TOKEN": token}
        return env

    def _execute(self, command: list[str], options: RunOptions) -> subprocess.CompletedProcess[str]:
        timeout = options.get("timeout", 120)
        with _home(options.get("home")) as home:
            env = self.environment(home, options["server"], options.get("token")) | dict(options.get("env", {}))
            try:
                done = subprocess.run(
                    command,
                    cwd=home,
                    env=env,
                    input=options.get("input", ""),
                    capture_output=True,
                    text=True,
                    timeout=timeout,
                    check=False,
                )
            except subprocess.TimeoutExpired as error:
                raise ClientFailed(
                    _report(self.name, f"still ran after {timeout} s", error.stdout, error.stderr)
                ) from None
        if done.returncode and options.get("check", True):
            raise ClientFailed(_report(self.name, f"exit status {done.returncode}", done.stdout, done.stderr))
        return done


def client(name: str) -> Client:
    """Give the client of that name, one of NAMES, and build its environment first if it is not there."""
    lock_file = LOCKS / f"requirements-{name}.txt"
    release = f"{sys.version_info.major}.{sys.version_info.minor}"
    digest = hashlib.sha256(release.encode() + lock_file.read_bytes()).hexdigest()[:12]
    base = Path(os.environ.get("GATEHUB_CLIENTS_DIR") or ROOT / ".cache" / "clients").resolve()
    folder = base / f"{name}-{digest}"
    complete = folder / "complete"
    if not complete.exists():
        base.mkdir(parents=True, exist_ok=True)
        with (base / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # Two test workers must not build the same environment.
            if not complete.exists():
                _build(folder, lock_file)
                complete.touch()
    return Client(name, folder)


def _build(folder: Path, lock_file: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)  # What an interrupted build has left.
    uv = str(Path(sys.executable).with_name("uv"))
    subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, str(folder)], check=True)
    subprocess.run(
        [uv, "pip", "install", "--quiet", "--require-hashes", "--python", str(folder), "-r", str(lock_file)],
        check=True,
    )


@contextmanager
def _home(kept: Path | None) -> Iterator[Path]:
    if kept is not None:
        yield kept
        return
    with tempfile.TemporaryDirectory(prefix="gatehub-client-") as folder:
        yield Path(folder)


def _report(name: str, what: str, *output: str | bytes | None) -> str:
    texts = [text.decode(errors="replace") if isinstance(text, bytes) else text or "" for text in output]
    return "\n".join([f"client {name}: {what}", "--- stdout ---", texts[0], "--- stderr ---", texts[1]])


if __name__ == "__main__":
    with ThreadPoolExecutor(max_workers=2) as pool:
        for built in pool.map(client, NAMES):
            print(built.name, built.folder)
