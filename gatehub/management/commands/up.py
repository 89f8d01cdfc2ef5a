"""`make up`: set up what is missing, then run web, worker and beat in the foreground."""

from __future__ import annotations

import fcntl
import os
import signal
import socket
import sys
import threading
import time
import urllib.error
import urllib.request
from typing import Any, TextIO

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from honcho.environ import parse_procfile

from gatehub.demo import content as demo
from gatehub.supervisor import Supervisor

_PATIENCE = 120  # Seconds until the server must have answered once.
_INTERRUPTED = 128 + signal.SIGINT  # honcho's status after Ctrl-C.


class Command(BaseCommand):
    help = "Set up what is missing and run web, worker and beat until Ctrl-C."

    def handle(self, *args: Any, **options: Any) -> None:
        lock = self._only_one()
        self._refuse_taken_port()
        call_command("migrate", interactive=False, verbosity=0)
        call_command("collectstatic", interactive=False, verbosity=0)
        if settings.DEMO and not demo.was_made():
            demo.create()
        manager = Supervisor()
        procfile = (settings.BASE_DIR / "Procfile").read_text()
        for name, command in parse_procfile(procfile).processes.items():
            manager.add_process(name, command, cwd=str(settings.BASE_DIR), env=self._environment())
        threading.Thread(target=self._greet, daemon=True).start()
        manager.loop()
        lock.close()
        # Ctrl-C is how it is meant to end, so it is no failure.
        sys.exit(0 if manager.returncode == _INTERRUPTED else manager.returncode)

    def _only_one(self) -> TextIO:
        lock = (settings.DATA_DIR / "up.lock").open("w")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CommandError(f"GateHub is running already on {settings.DATA_DIR}.") from None
        return lock

    def _refuse_taken_port(self) -> None:
        host = os.environ.get("GATEHUB_BIND", "127.0.0.1")
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host.strip("[]"), settings.PORT))
            except OSError as error:
                raise CommandError(
                    f"Port {settings.PORT} on {host} cannot be used: {error.strerror}. "
                    "Choose another: GATEHUB_PORT=8080 make up"
                ) from None

    def _environment(self) -> dict[str, str]:
        return os.environ | {"PYTHONUNBUFFERED": "1", "GATEHUB_PORT": str(settings.PORT)}

    def _greet(self) -> None:
        """Say where it is and what to try, once it answers."""
        address = f"http://127.0.0.1:{settings.PORT}/healthz"
        deadline = time.monotonic() + _PATIENCE
        while time.monotonic() < deadline:
            try:
                with urllib.request.urlopen(address, timeout=2):
                    break
            except (urllib.error.URLError, OSError):
                time.sleep(0.3)
        else:
            return
        self.stdout.write(_greeting(demo.recall() if settings.DEMO else None))
        self.stdout.flush()


def _greeting(accounts: demo.Demo | None) -> str:
    url = settings.PUBLIC_URL
    lines = ["", f"GateHub is running at {url}   (Ctrl-C stops it)", ""]
    if accounts is None:
        lines += [
            "Create an account on the page, or here:",
            "    .venv/bin/python manage.py create_user NAME --email ADDRESS --password PASSWORD",
            f"Then, with a token from {url}/settings/tokens:",
            f"    export HF_ENDPOINT={url}",
            "    hf auth login --token TOKEN",
        ]
    else:
        research = f"{demo.ORGANIZATION}/{demo.MANUAL}"
        lines += [
            f"Demo accounts, all with the password {accounts.password}",
            f"    {demo.OWNER}  reviews the requests for {research} at {url}/{research}/settings",
            f"    {demo.REQUESTER}   waits for access to it",
            "",
            f"Try, as {demo.REQUESTER}, before and after {demo.OWNER} accepts the request:",
            f"    export HF_ENDPOINT={url}",
            f"    export HF_TOKEN={accounts.requester_token}",
            f"    hf download {research}",
        ]
    return "\n".join([*lines, ""])
