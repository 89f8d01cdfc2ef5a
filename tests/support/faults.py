"""The product with fault points: processes that kill themselves with SIGKILL at a chosen step.

    python -m tests.support.faults worker PLAN REPORT     # Celery workers, one life after the other
    python -m tests.support.faults beat PLAN REPORT
    gunicorn tests.support.faults:application             # as the header X-Fault of a request says

A plan has a fault on each line: `before send 3` is right before the third sending.  Each life of a worker or of beat is
a fork of a process that has loaded the product, so that two hundred of them take no hour.  The report gets a line for
each death: the fault, and the name of the delivery that was in hand.  After the plan they live without faults.
"""

from __future__ import annotations

import functools
import importlib
import os
import signal
import sys
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NoReturn

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gatehub.settings")
django.setup()

from django.core.mail.utils import DNS_NAME  # noqa: E402

from gatehub import wsgi  # noqa: E402
from gatehub.celery import app  # noqa: E402

WORKER_POINTS: dict[str, tuple[str, str]] = {
    # Where, and what: the steps from a request to a mail that is written down as sent.
    "dispatch": ("notifications.dispatch", "_next_batch"),
    "drop what is over": ("notifications.dispatch", "_drop_what_is_over"),
    "collect": ("notifications.dispatch", "_collect"),
    "note the run": ("notifications.models", "DigestRun.objects.create"),
    "write deliveries": ("notifications.models", "Delivery.objects.bulk_create"),
    "take": ("notifications.claims", "Claim.take"),
    "sort": ("notifications.sorting", "sendable"),
    "prefetch": ("notifications.mails", "prefetch"),
    "compose": ("notifications.mails", "compose"),
    "connect": ("django.core.mail.backends.smtp", "EmailBackend.open"),
    "send": ("django.core.mail", "EmailMessage.send"),
    "mark": ("notifications.claims", "Claim.sent"),
    "fail": ("notifications.claims", "Claim.failed"),
    "put back": ("notifications.claims", "Claim.put_back"),
    "drop": ("notifications.claims", "Claim.drop"),
}
TAKEN: frozenset[str] = frozenset({"after send", "before mark"})
"""The mail server has the mail, and that is not written down yet."""
BEAT_POINTS: dict[str, tuple[str, str]] = {
    "apply": ("gatehub.schedules", "Scheduler.apply_async"),
    "tick": ("gatehub.schedules", "Scheduler.tick"),
    "reload": ("gatehub.schedules", "Scheduler.all_as_schedule"),
}
PATIENCE = 15.0
"""Seconds for which a life waits for its fault; after that it ends in peace, and the fault has another life later."""
MOST_LIVES = 4
"""That may miss one fault.  On a busy machine the rare ones may not come in the first."""


# --- Dying ----------------------------------------------------------------------------------------------------------


def die(report: Path, line: str) -> NoReturn:
    write(report, line)
    os.kill(os.getpid(), signal.SIGKILL)
    raise SystemExit("unreachable")


def write(report: Path, line: str) -> None:
    with report.open("a") as out:  # One short write: lines of several processes do not mix.
        out.write(line + "\n")


def arm(points: dict[str, tuple[str, str]], fault: str, report: Path) -> None:
    """Wrap the step of which a fault speaks."""
    when, _, rest = fault.partition(" ")
    name, _, number = rest.rpartition(" ")
    where, what = points[name]
    calls = 0

    def around(function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def with_fault(*args: Any, **kwargs: Any) -> Any:
            nonlocal calls
            calls += 1
            is_it = calls == int(number)
            line = f"{when} {name}\t{_in_hand(args)}"
            if is_it and when == "before":
                die(report, line)
            done = function(*args, **kwargs)
            if is_it and when == "after":
                die(report, line)
            return done

        return with_fault

    owner: Any = importlib.import_module(where)
    *path, attribute = what.split(".")
    for part in path:
        owner = getattr(owner, part)
    original = owner.__dict__.get(attribute) if isinstance(owner, type) else None
    if isinstance(original, classmethod):
        setattr(owner, attribute, classmethod(around(original.__func__)))
    else:
        setattr(owner, attribute, around(getattr(owner, attribute)))


def _in_hand(args: Iterable[Any]) -> str:
    """The name of the delivery among the arguments, if there is one; or what a mail says of it."""
    for argument in args:
        if type(argument).__name__ == "Delivery":
            return str(argument.name)
        if hasattr(argument, "extra_headers"):
            return str(argument.extra_headers.get("Message-ID", "")).strip("<>").partition("@")[0]
    return ""


# --- Lives ----------------------------------------------------------------------------------------------------------


def live(role: str, plan: Iterable[str], report: Path) -> NoReturn:
    """One life for each fault of the plan, more where the mail server was quicker to kill, and then one without."""
    child = 0

    def end(*_: Any) -> None:
        if child:
            os.kill(child, signal.SIGKILL)
        os._exit(0)

    signal.signal(signal.SIGTERM, end)
    waiting = deque([*plan, ""])
    lives = Counter[str]()
    while waiting:
        fault, told = waiting.popleft(), _size(report)
        while _size(report) == told:
            child = os.fork()
            if child == 0:
                signal.signal(signal.SIGTERM, signal.SIG_DFL)
                _run(role, fault, report)
            if _died_in_time(child, patient=not fault):
                continue
            lives[fault] += 1
            if lives[fault] >= MOST_LIVES:  # A plan may have it twice.
                write(report, f"missed {fault}\t")
            else:  # Its step may come more often later.
                waiting.insert(len(waiting) - 1, fault)
                break
    raise SystemExit("the last life ended by itself")


def _size(report: Path) -> int:
    return report.stat().st_size if report.exists() else 0


def _run(role: str, fault: str, report: Path) -> NoReturn:
    DNS_NAME._fqdn = f"pid-{os.getpid()}.example.org"  # Tells the mail server whom to kill.
    if fault:
        arm(WORKER_POINTS if role == "worker" else BEAT_POINTS, fault, report)
    quiet = ["-q", "-A", "gatehub"]
    if role == "worker":  # One at a time, so that a death is about one mail.
        options = "--pool threads --concurrency 1 --without-gossip --without-mingle --without-heartbeat".split()
        app.start([*quiet, "worker", "--loglevel", "ERROR", *options])
    else:
        app.start([*quiet, "beat", "--loglevel", "ERROR", "--pidfile="])
    os._exit(1)


def _died_in_time(child: int, *, patient: bool) -> bool:
    deadline = time.monotonic() + PATIENCE
    while True:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            if not os.WIFSIGNALED(status):
                sys.stderr.write(f"a life ended with {os.waitstatus_to_exitcode(status)}\n")
            return os.WIFSIGNALED(status)
        if not patient and time.monotonic() > deadline:
            os.kill(child, signal.SIGTERM)
            os.waitpid(child, 0)
            return False
        time.sleep(0.005)


# --- Web ------------------------------------------------------------------------------------------------------------


WEB_POINTS: dict[str, tuple[str, str]] = {
    "write the outbox": ("notifications.models", "OutboxMessage.objects.bulk_create"),
    "commit": ("accounts.nudges", "nudge_when_certain"),
    "nudge": ("accounts.nudges", "nudge"),
}
_armed: list[str] = []


def application(environ: dict[str, Any], start_response: Any) -> Any:
    """The product; a request with `X-Fault: before commit 1` kills the process that answers it."""
    if (fault := environ.get("HTTP_X_FAULT")) and not _armed:
        _armed.append(fault)
        arm(WEB_POINTS, fault, Path(os.environ["GATEHUB_DATA_DIR"]) / "web-faults")
    return wsgi.application(environ, start_response)


if __name__ == "__main__":
    role_, plan_, report_ = sys.argv[1:]
    live(role_, Path(plan_).read_text().splitlines(), Path(report_))
