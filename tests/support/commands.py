"""The product's command line, loaded once: each command runs in a fork of a process that has loaded the product.

To start Python and load the product takes a second or two, and tests run hundreds of commands.  What a command does in
its fork, it does as under `python manage.py`: the same environment, the same checks, nothing left over from another.

    python -m tests.support.commands

in a server's environment reads requests, one a line as JSON, and answers each with the command's exit status.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import traceback
import weakref
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NoReturn

_STREAMS = ("stdin", "stdout", "stderr")


class Commands:
    """`manage.py` in one environment.  The process that has loaded the product ends with this object."""

    def __init__(self, env: Mapping[str, str], cwd: Path) -> None:
        self.env = dict(env)
        self.cwd = cwd
        self._process: subprocess.Popen[str] | None = None
        self._end: Callable[[], object] | None = None

    def run(self, args: Sequence[str], given: str, *, timeout: float) -> tuple[int, str, str]:
        """The exit status, what was printed, and what was printed of errors.  `given` is its standard input.

        Raises TimeoutError, and ends the command.
        """
        process = self._loaded()
        assert process.stdin is not None
        assert process.stdout is not None
        with tempfile.TemporaryDirectory() as folder:
            files = [Path(folder, name) for name in _STREAMS]
            files[0].write_text(given)
            print(json.dumps([list(args), *map(str, files)]), file=process.stdin, flush=True)
            if not select.select([process.stdout], [], [], timeout)[0]:
                self.close()
                raise TimeoutError(f"manage.py {' '.join(args)} took more than {timeout} s")
            answer = process.stdout.readline()
            printed, errors = (file.read_text() if file.exists() else "" for file in files[1:])
        if not answer:
            self.close()
            raise RuntimeError(f"manage.py {' '.join(args)}: its process was killed")
        return int(answer), printed, errors

    def close(self) -> None:
        """End the process, with the command that it may be running.  The next command starts another."""
        if self._end is not None:
            self._end()
        self._process = self._end = None

    def _loaded(self) -> subprocess.Popen[str]:
        if self._process is None:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.support.commands"],
                cwd=self.cwd,
                env=self.env,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                start_new_session=True,
            )
            self._end = weakref.finalize(self, _end, self._process)
        return self._process


def _end(process: subprocess.Popen[str]) -> None:
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def _serve() -> None:
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gatehub.settings")
    with contextlib.suppress(Exception):  # What is wrong with the settings, each command says as it does by itself.
        django.setup()
    for line in sys.stdin:
        args, *files = json.loads(line)
        pid = os.fork()
        if pid == 0:
            _command(args, files)
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        print(status, flush=True)


def _command(args: list[str], files: list[str]) -> NoReturn:
    """As `manage.py` does it, in the fork, which ends with it."""
    from django.core.management import execute_from_command_line

    for stream, file in enumerate(files):
        descriptor = os.open(file, os.O_RDONLY if stream == 0 else os.O_WRONLY | os.O_CREAT)
        os.dup2(descriptor, stream)
        os.close(descriptor)
    sys.stdin = open(0, closefd=False)  # noqa: SIM115 - the old one has read ahead.
    status = 0
    try:
        execute_from_command_line(["manage.py", *args])
    except SystemExit as ended:
        status = ended.code if isinstance(ended.code, int) else 0 if ended.code is None else 1
        if isinstance(ended.code, str):
            print(ended.code, file=sys.stderr)
    except BaseException:  # noqa: BLE001 - what Python would do with it.
        traceback.print_exc()
        status = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


if __name__ == "__main__":
    _serve()
