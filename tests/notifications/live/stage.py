"""The running product with a mail server: what tests of mails with real parts arrange and ask.

`Stage` has web, worker and beat as the Procfile starts them, on SQLite with the filesystem broker or on PostgreSQL with
Redis.  Tests may share one, so each uses people and repos of its own.
"""

from __future__ import annotations

import itertools
import json
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import requests
from bs4 import BeautifulSoup
from celery import Celery

from tests.support.hub import ANSWERS, PASSWORD, Person
from tests.support.postgresql import PostgreSQL
from tests.support.redis import Redis
from tests.support.server import Server
from tests.support.smtp import Mail, MailServer

SQLITE, POSTGRESQL = "sqlite", "postgresql"
_numbers = itertools.count(1)

# Passwords are hashed slowly on purpose; only those who sign in on a page get one.
MAKE_PEOPLE = """
from django.db import transaction
from accounts import services
from accounts.actor import SYSTEM
from access import tokens
from accounts.models import User
from notifications.models import OutboxMessage
User.set_password = lambda self, raw: self.set_unusable_password()
with transaction.atomic():
    last = OutboxMessage.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    for name in {names!r}:
        user = services.create_user(username=name, email=name + "@example.org", password="-", by=SYSTEM)
        token, value = tokens.create(user=user, name="write token", role="write", by=SYSTEM)
        print("PERSON", name, value)
    # Not what tests of other mails are about.
    OutboxMessage.objects.filter(kind="token-created", pk__gt=last).delete()
"""


class Stage:
    """One server, its broker and its mail server."""

    def __init__(self, server: Server, smtp: MailServer, cluster: PostgreSQL | None, redis: Redis | None) -> None:
        self.server, self.smtp, self.redis = server, smtp, redis
        self._cluster = cluster
        self._people: list[Person] = []

    @property
    def on_postgresql(self) -> bool:
        return self._cluster is not None

    # --- The database, as an operator with a shell would ask it ---

    def sql(self, statement: str) -> list[list[str]]:
        """The rows, as text.  On both databases the same, if the statement is."""
        if self._cluster is not None:
            name = self.server.env["GATEHUB_DATABASE_URL"].rpartition("/")[2]
            return [line.split("|") for line in self._cluster.sql(statement, unquote(name)).splitlines()]
        with sqlite3.connect(self.server.data_dir / "gatehub.sqlite3", timeout=30, isolation_level=None) as connection:
            rows = connection.execute(statement).fetchall()
        connection.close()
        return [["" if value is None else str(value) for value in row] for row in rows]

    def number(self, statement: str) -> int:
        return int(self.sql(statement)[0][0])

    def waiting(self) -> int:
        """How many mails are still to be sent, or to be made of requests that are told at once."""
        return self.number(
            "SELECT (SELECT count(*) FROM notifications_delivery WHERE state = 'waiting')"
            " + (SELECT count(*) FROM notifications_outboxmessage WHERE state = 'waiting' AND in_digest = false)"
        )

    def has_failed(self, repo_id: str) -> bool:
        """Whether a mail about the repo failed, and waits for another attempt with nobody working on it."""
        name = repo_id.partition("/")[2]
        statement = (
            "SELECT count(*) FROM notifications_delivery delivery"  # noqa: S608
            " JOIN notifications_outboxmessage message ON message.id = delivery.message_id"
            f" JOIN repos_repo repo ON repo.id = message.repo_id WHERE repo.name = '{name}'"
            " AND delivery.state = 'waiting' AND delivery.claim IS NULL AND delivery.problem <> ''"
        )
        return self.number(statement) > 0

    def sealed(self, address: str) -> int:
        """How many characters are kept of the secrets in account mails to an address."""
        statement = (
            "SELECT sum(length(message.sealed)) FROM notifications_outboxmessage message"  # noqa: S608
            " JOIN notifications_delivery delivery ON delivery.message_id = message.id"
            f" WHERE delivery.address = '{address}' AND message.kind = 'account'"
        )
        return self.number(statement)

    def pass_time(self) -> None:
        """As if the pauses after failures were over."""
        now = "now()" if self.on_postgresql else "datetime('now', '-1 second')"
        self.sql(
            f"UPDATE notifications_delivery SET due_at = {now} WHERE state = 'waiting' AND claim IS NULL"  # noqa: S608
        )

    def run(self, script: str) -> str:
        """In a shell of the product."""
        return self.server.manage("shell", "-v0", "-c", script)

    # --- The broker ---

    def nudge(self, task: str = "notifications.tasks.sweep") -> None:
        """Send a task, as web and beat do."""
        self._celery().send_task(task, retry=False)

    def _celery(self) -> Celery:
        if self.redis is not None:
            return Celery("tests", broker=self.redis.url, set_as_current=False)
        app = Celery("tests", broker="filesystem://", set_as_current=False)
        folder = self.queue
        app.conf.broker_transport_options = {
            "data_folder_in": str(folder),
            "data_folder_out": str(folder),
            "control_folder": str(folder.parent / "control"),
        }
        return app

    @property
    def queue(self) -> Path:
        """Where the filesystem broker keeps its messages."""
        return self.server.data_dir / "broker" / "queue"

    def is_task_waiting(self, name: str) -> bool:
        """Whether the broker keeps a task of that name that no worker has taken."""
        if self.redis is None:
            return any(f"notifications.tasks.{name}" in file.read_text() for file in self.queue.iterdir())
        with Celery("tests", broker=self.redis.url, set_as_current=False).connection() as connection:
            kept = connection.default_channel.client.lrange("celery", 0, -1)
        return any(f"notifications.tasks.{name}".encode() in message for message in kept)

    def lose_tasks(self) -> None:
        if self.redis is None:
            for file in self.queue.iterdir():
                file.unlink(missing_ok=True)
            return
        with Celery("tests", broker=self.redis.url, set_as_current=False).connection() as connection:
            connection.default_channel.client.flushall()

    # --- People, repos, requests ---

    def people(self, number: int) -> list[Person]:
        if len(self._people) < number:
            names = [f"p{next(_numbers)}" for _ in range(max(number, 40))]
            told = self.run(MAKE_PEOPLE.format(names=names)).splitlines()
            self._people += [Person(*line.split()[1:]) for line in told if line.startswith("PERSON ")]
        return [self._people.pop(0) for _ in range(number)]

    def person(self) -> Person:
        return self.people(1)[0]

    def call(self, method: str, path: str, who: Person | None = None, **kwargs: Any) -> requests.Response:
        headers = {"authorization": f"Bearer {who.token}"} if who else {}
        return requests.request(
            method, f"{self.server.url}{path}", headers=headers, timeout=60, allow_redirects=False, **kwargs
        )

    def repo(self, owner: Person, mode: str = "real-time", *, gated: str = "manual", namespace: str = "") -> str:
        name = f"r{next(_numbers)}"
        repo_id = f"{namespace or owner.name}/{name}"
        body = {"name": name, "organization": namespace or owner.name, "type": "model"}
        answer = self.call("POST", "/api/repos/create", owner, json=body)
        assert answer.ok, answer.text
        self.change(repo_id, owner, gated=gated, gatedNotificationsMode=mode)
        return repo_id

    def change(self, repo_id: str, owner: Person, **settings: Any) -> None:
        answer = self.call("PUT", f"/api/models/{repo_id}/settings", owner, json=settings)
        assert answer.ok, answer.text

    def ask(self, repo_id: str, who: Person) -> float:
        """Ask for access.  Returns how many seconds the answer took."""
        began = time.monotonic()
        answer = self.call("POST", f"/{repo_id}/ask-access", who, json=ANSWERS)
        assert answer.status_code == 303, answer.text
        return time.monotonic() - began

    def handle(self, repo_id: str, owner: Person, user: Person, status: str, reason: str = "") -> float:
        began = time.monotonic()
        path = f"/api/models/{repo_id}/user-access-request/handle"
        body = {"user": user.name, "status": status} | ({"rejectionReason": reason} if reason else {})
        answer = self.call("POST", path, owner, json=body)
        assert answer.ok, answer.text
        return time.monotonic() - began

    def person_with_password(self) -> Person:
        """Who can sign in on the page, too."""
        name = f"s{next(_numbers)}"
        address = f"{name}@example.org"
        self.server.manage("create_user", name, "--email", address, "--password", PASSWORD)
        token = self.server.manage("create_token", name, "--name", "for tests", "--role", "write")
        return Person(name, token)

    def sign_in(self, username: str, password: str = PASSWORD) -> requests.Session:
        session = requests.Session()
        answer = self.submit(session, "/login", "/login", login=username, password=password)
        assert "gatehub_session" in session.cookies, answer.text[:2000]
        return session

    def submit(
        self, session: requests.Session, page: str, action: str, containing: str = "", **typed: Any
    ) -> requests.Response:
        """Open a page, fill in the first form with that action and those words in it, and send it."""
        shown = session.get(self.server.url + page, headers={"accept": "text/html"}, timeout=60)
        for form in BeautifulSoup(shown.text, "html.parser").select("form[method=post]"):
            if (form.get("action") or page).partition("?")[0] != action or containing not in str(form):
                continue
            data = {field["name"]: field.get("value", "") for field in form.select("input[name][type=hidden]")}
            headers = {"accept": "text/html", "referer": self.server.url + page}
            return session.post(self.server.url + action, data=data | typed, headers=headers, timeout=60)
        raise AssertionError(f"{page} has no form to {action}: {shown.status_code} {shown.text[:2000]}")

    # --- Mails ---

    def settle(self, *, seconds: float = 60) -> None:
        """Wait until nothing is to be sent any more; the worker must be told, or beat must run."""
        wait_until(lambda: self.waiting() == 0, lambda: f"mails to be sent\n{self.report()}", seconds=seconds)

    def about(self, word: str) -> list[Mail]:
        """The mails that came whole and have the word in their subject or headers."""
        return [mail for mail in list(self.smtp.mails) if word in f"{mail.subject} {mail.message['X-GateHub-Repo']}"]

    def wait_for(self, word: str, number: int = 1, *, seconds: float = 60) -> list[Mail]:
        wait_until(
            lambda: len(self.about(word)) >= number,
            lambda: f"{number} mails about {word}\n{self.report()}",
            seconds=seconds,
        )
        return self.about(word)

    def wait_for_mails_to(self, address: str) -> list[Mail]:
        """The first mail to that address, and whatever came with it."""

        def came() -> list[Mail]:
            return [mail for mail in list(self.smtp.mails) if mail.to == [address]]

        wait_until(lambda: bool(came()), lambda: f"a mail to {address}\n{self.report()}")
        return came()

    def report(self) -> str:
        """What a failed test needs to be understood."""
        columns = "id, kind, state, address, attempts, due_at, claim, problem"
        rows = self.sql(f"SELECT {columns} FROM notifications_delivery ORDER BY id DESC LIMIT 10")  # noqa: S608
        messages = self.sql(
            "SELECT id, kind, state, in_digest, because FROM notifications_outboxmessage ORDER BY id DESC LIMIT 10"
        )
        logs = "".join(f"\n--- {name} ---\n{self.server.log(name)[-3000:]}" for name in self.server.processes)
        return "\n".join(map(str, [*rows, *messages])) + logs


def wait_until(is_so: Callable[[], bool], what: str | Callable[[], str], *, seconds: float = 60) -> None:
    """`what` may be called, once the time is over: it says how things are then."""
    deadline, pause = time.monotonic() + seconds, 0.05
    while not is_so():
        assert time.monotonic() < deadline, f"waited in vain for {what() if callable(what) else what}"
        time.sleep(pause)
        pause = min(pause * 1.2, 0.25)  # What takes long has better to do than to answer.


def told(mails: Iterable[Mail]) -> list[tuple[str, str]]:
    """To whom which kinds went, sorted."""
    return sorted((mail.to[0], mail.kind) for mail in mails)


def make_stage(
    request: Any,
    folder: Path,
    database: str,
    *,
    processes: Iterable[str] = ("web", "worker", "beat"),
    env: Mapping[str, str] | None = None,
) -> Stage:
    """A stage that does not run yet; `close` it."""
    smtp = MailServer()
    chosen = {"GATEHUB_EMAIL_URL": smtp.url, "GATEHUB_MAIL_LEASE_SECONDS": "2", **(env or {})}
    redis = None
    if database == POSTGRESQL:
        folder.mkdir(parents=True, exist_ok=True)
        redis = Redis(folder)
        redis.start()
        chosen["GATEHUB_REDIS_URL"] = redis.url
    server = request.getfixturevalue("_make_server")(processes=processes, env=chosen, database=database)
    cluster = request.getfixturevalue("postgresql") if database == POSTGRESQL else None
    smtp.start()
    return Stage(server, smtp, cluster, redis)


def close(stage: Stage) -> None:
    stage.server.kill()
    stage.smtp.stop()
    if stage.redis is not None:
        stage.redis.kill()
    shutil.rmtree(stage.server.data_dir / "git", ignore_errors=True)


def as_json(printed: str) -> Any:
    """The last line of what a script printed."""
    return json.loads(printed.splitlines()[-1])
