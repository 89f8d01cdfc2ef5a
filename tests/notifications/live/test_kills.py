"""SIGKILL of web, worker and beat at every step from a request to its mail.

Workers and beat die as their plans say, at fault points and when the mail server has got so far; web dies in the middle
of requests.  Meanwhile people ask and are let in.  In the end every mail has arrived, and none twice unless the mail
server had taken it before its sender could write that down: then the repeat has the same Message-ID.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import random
import re
import signal
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import requests

from tests.notifications.live.stage import POSTGRESQL, SQLITE, Stage, close, make_stage, wait_until
from tests.support import faults
from tests.support.hub import ANSWERS, Person
from tests.support.processes import Process
from tests.support.server import BIN, ROOT
from tests.support.smtp import Trouble

PYTHON = str(BIN / "python")
WEB = "exec gunicorn tests.support.faults:application --preload --bind 127.0.0.1:{port} --worker-class gthread "
WEB += "--workers 2 --threads 4 --no-control-socket"
WORKERS = 2
ROUNDS = 100
"""Deaths on each database, at least."""
WEB_FAULTS = (
    "before write the outbox 1",
    "after write the outbox 1",
    "before commit 1",
    "before nudge 1",
    "after nudge 1",
)
STORED = {"before write the outbox": False, "after write the outbox": False, "before commit": False}
"""Whether a request is stored whose answer never came; committed is what comes after the nudge is written down."""
BEAT_PLAN = [f"{when} {point} 1" for point in faults.BEAT_POINTS for when in ("before", "after")] * 2
REPOS = 20
DEAF = 6
"""People who want no mails of decisions, let in so often that each life that waits for a dropped mail has some."""


RARE = {"collect", "drop what is over", "note the run", "fail", "drop", "put back"}
"""Steps that do not come with each mail: each life waits for the first."""


def worker_plans() -> list[list[str]]:
    """Each point twice, at the first call and at a later one, in an order that is the same each time."""
    lines = [
        f"{when} {point} {1 if point in RARE else number}"
        for point in faults.WORKER_POINTS
        for when in ("before", "after")
        for number in (1, 2)
    ]
    random.Random(4).shuffle(lines)  # noqa: S311 - no secret.
    return [lines[worker::WORKERS] for worker in range(WORKERS)]


@pytest.fixture(params=[SQLITE, pytest.param(POSTGRESQL, marks=pytest.mark.postgresql)])
def mortal(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Mortal]:
    env = {"GATEHUB_MAILS_PER_HOUR": "1000000", "GATEHUB_MAIL_LEASE_SECONDS": "4"}
    stage = make_stage(request, tmp_path / "stage", request.param, processes=(), env=env)
    made = Mortal(stage, tmp_path)
    yield made
    made.end()
    close(stage)


@dataclass
class Expected:
    """Who must be told what, by what was done on the server."""

    requests: set[tuple[str, str, str]] = field(default_factory=set)
    """Owner, repo, person."""
    digests: set[tuple[str, str, str]] = field(default_factory=set)
    grants: set[tuple[str, str]] = field(default_factory=set)


class Mortal:
    """A stage whose processes die, and the mail server that kills some of them."""

    def __init__(self, stage: Stage, folder: Path) -> None:
        self.stage, self.folder = stage, folder
        self.taken: Counter[str] = Counter()
        """By Message-ID: how often a worker died when the server had a mail, and had not answered."""
        self.answered: Counter[str] = Counter()
        """The same where the answer was on its way."""
        self.deaths_by_server: Counter[str] = Counter()
        self._recipients = 0
        self._kill_at = iter(["rcpt", "half", "whole", "answered"] * 4)
        self._next = next(self._kill_at)
        env = stage.server.env
        web = ["sh", "-c", WEB.format(port=stage.server.port)]
        self.web = Process(web, log_file=folder / "web.log", env=env, cwd=ROOT)
        self.others = [self._mortal("worker", plan, number) for number, plan in enumerate(worker_plans())]
        self.others.append(self._mortal("beat", BEAT_PLAN, 0))

    def _mortal(self, role: str, plan: list[str], number: int) -> Process:
        file = self.folder / f"plan-{role}-{number}"
        file.write_text("\n".join(plan))
        command = [PYTHON, "-m", "tests.support.faults", role, str(file), str(self.folder / f"report-{role}-{number}")]
        log = self.folder / f"{role}-{number}.log"
        return Process(command, log_file=log, env=self.stage.server.env, cwd=ROOT)

    def start(self) -> None:
        self.web.start(self.stage.server._healthy)
        for process in self.others:
            process.start(lambda: True)

    def end(self) -> None:
        for process in (self.web, *self.others):
            process.kill()

    def logs(self) -> str:
        return "".join(
            f"\n--- {process.log_file.name} ---\n{process.log()[-4000:]}" for process in (self.web, *self.others)
        )

    # --- The mail server's part ---

    def let_the_server_kill(self) -> None:
        smtp = self.stage.smtp
        for step in ("rcpt", "half", "whole", "answered"):
            smtp.at[step] = lambda recipient, client, step=step: self._at(step, client)

    def _at(self, step: str, client: str) -> str | Trouble | None:
        """Kill the sender at this step once in so many mails; now and then refuse one, or all."""
        if step == "rcpt":
            self._recipients += 1
            if self._recipients % 13 == 0:
                return "451 4.2.1 Greylisted"
            if self._recipients % 11 == 0:  # Often, as only then those behind it are put back.
                return "421 4.3.2 Shutting down"
        if self._next != step or self._recipients % 7:
            return None
        pid = re.search(r"pid-(\d+)", client)
        if pid is None:
            return None
        with contextlib.suppress(ProcessLookupError):  # A plan was quicker.
            os.kill(int(pid[1]), signal.SIGKILL)
        self.deaths_by_server[step] += 1
        name = self.stage.smtp.mails[-1].id if step in ("whole", "answered") else ""
        if step == "whole":
            self.taken[name] += 1
        elif step == "answered":
            self.answered[name] += 1
        self._next = next(self._kill_at, "")
        return Trouble.DROP if step == "half" else None  # The other half may have been sent before it died.

    # --- What was written down ---

    def reported(self) -> list[list[str]]:
        """Fault and delivery, of each death by plan and of each fault that never came."""
        return [line.split("\t") for file in self.folder.glob("report-*") for line in file.read_text().splitlines()]

    def deaths(self) -> list[tuple[str, str]]:
        return [(fault, name) for fault, name in self.reported() if not fault.startswith("missed")]

    def missed(self) -> list[str]:
        return [fault for fault, _ in self.reported() if fault.startswith("missed")]

    def is_plan_over(self) -> bool:
        return len(self.reported()) >= sum(map(len, worker_plans())) + len(BEAT_PLAN)


@pytest.mark.timeout(900)  # A machine that does other things as well needs four minutes.
def test_killed_at_every_step_every_mail_arrives_and_none_twice(mortal: Mortal):
    stage, expected = mortal.stage, Expected()
    owner, *people = stage.people(39 + DEAF)
    deaf, people = people[:DEAF], people[DEAF:]
    stage.run(
        "from notifications.models import OptOut; from accounts.models import User\n"
        f"for user in User.objects.filter(username__in={[person.name for person in deaf]!r}):"
        " OptOut.objects.create(user=user, topic='decisions')"
    )
    mortal.start()
    began = time.monotonic()
    real_time = [stage.repo(owner) for _ in range(REPOS)]
    bulk = [stage.repo(owner, "bulk") for _ in range(REPOS)]
    open_to = [stage.repo(owner, "bulk") for _ in range(REPOS)]
    mortal.let_the_server_kill()
    feeder = Feeder(stage, owner, deaf, people, expected)
    feeder.feed_until(mortal.is_plan_over, real_time, bulk, open_to)
    fed = time.monotonic() - began
    stage.smtp.at.clear()
    stage.server.manage("send_digests")
    wait_until(lambda: settled(stage), lambda: f"all mails\n{stage.report()}\n{mortal.logs()}", seconds=60)
    feeder.resolve()

    deaths = mortal.deaths()
    rounds = len(deaths) + sum(mortal.deaths_by_server.values()) + sum(feeder.killed.values())
    died_at = Counter(fault for fault, _ in deaths)
    every = {f"{when} {point}" for point in faults.WORKER_POINTS | faults.BEAT_POINTS for when in ("before", "after")}
    print(f"{rounds} deaths, {len(stage.smtp.mails)} mails in {fed:.0f} s; never came: {mortal.missed()}")
    assert not every - set(died_at), f"never killed there; missed: {mortal.missed()}\n{mortal.logs()}"
    assert {"rcpt", "half", "whole", "answered"} == set(mortal.deaths_by_server)
    assert set(feeder.killed) == set(WEB_FAULTS)
    assert rounds >= ROUNDS
    everybody_was_told(stage, expected, owner)
    nothing_came_twice(mortal)


def settled(stage: Stage) -> bool:
    stage.pass_time()
    stage.nudge("notifications.tasks.deliver")
    return stage.waiting() == 0


def everybody_was_told(stage: Stage, expected: Expected, owner: Person) -> None:
    """Each request in one real-time mail, or in one digest; each decision in one mail; and nothing else."""
    distinct = {mail.id: mail for mail in stage.smtp.mails}.values()
    requests_, digests, grants = Counter(), Counter(), Counter()
    for mail in distinct:
        repo = str(mail.message["X-GateHub-Repo"])
        if mail.kind == "new-request":
            requests_[mail.to[0], repo, mail.subject.rpartition(" ")[2]] += 1
        elif mail.kind == "digest":
            for address in set(re.findall(r"\S+@example\.org", mail.text)) - {owner.email}:
                digests[mail.to[0], repo, address.strip("<>(),.").partition("@")[0]] += 1
        else:
            assert mail.kind == "granted"
            grants[mail.to[0], repo] += 1
    assert requests_ == dict.fromkeys(expected.requests, 1)
    assert digests == dict.fromkeys(expected.digests, 1)
    assert grants == dict.fromkeys(expected.grants, 1)


def nothing_came_twice(mortal: Mortal) -> None:
    copies = Counter(mail.id for mail in mortal.stage.smtp.mails)
    names = {name.strip("<>").partition("@")[0]: name for name in copies}
    taken = Counter(mortal.taken)
    for fault, name in mortal.deaths():
        if fault in faults.TAKEN:
            taken[names[name]] += 1
    for name, number in copies.items():
        least, most = 1 + taken[name], 1 + taken[name] + mortal.answered[name]
        assert least <= number <= most, f"{name} came {number} times, of {least} to {most}"
    assert sum(taken.values()) > 0


class Feeder:
    """People who ask and owners who grant while everything dies."""

    def __init__(
        self, stage: Stage, owner: Person, deaf: list[Person], people: list[Person], expected: Expected
    ) -> None:
        self.stage, self.owner, self.deaf, self.people, self.expected = stage, owner, deaf, people, expected
        self.killed: Counter[str] = Counter()
        self._doubtful: list[tuple[str, str, Person]] = []
        self._faults = iter(WEB_FAULTS * 4)

    def feed_until(self, is_over, real_time: list[str], bulk: list[str], open_to: list[str]) -> None:
        """Round after round; every fifth request kills the process that answers it."""
        pairs = [(number, person) for number in range(REPOS) for person in self.people]
        deaf = itertools.product(open_to, self.deaf)
        for count, (number, person) in enumerate(pairs):
            if is_over():
                return
            fault = next(self._faults, "") if count % 5 == 0 else ""
            self._ask(real_time[number], person, fault)
            self._ask(bulk[number], person)
            self._grant(open_to[number], person)
            if count % 7 == 0:
                self._grant_deaf(*next(deaf))
            if count % 4 == 0:
                self.stage.nudge("notifications.tasks.send_digests")
            self.stage.nudge("notifications.tasks.deliver")
            time.sleep(0.05)
        wait_until(is_over, "the end of the plan", seconds=60)

    def _ask(self, repo: str, person: Person, fault: str = "") -> None:
        told = self.expected.requests if repo in self.stage_repos("real-time") else self.expected.digests
        answer = self._post(f"/{repo}/ask-access", person, ANSWERS, fault)
        if answer is None:
            self._doubtful.append((fault, repo, person))
        else:
            assert answer.status_code == 303, answer.text
            told.add((self.owner.email, repo, person.name))

    def stage_repos(self, mode: str) -> set[str]:
        if not hasattr(self, "_modes"):
            rows = self.stage.sql("SELECT name, gated_notifications_mode FROM repos_repo")
            self._modes = {f"{self.owner.name}/{name}": mode for name, mode in rows}
        return {repo for repo, its in self._modes.items() if its == mode}

    def _grant(self, repo: str, person: Person) -> None:
        answer = self._post(f"/api/models/{repo}/user-access-request/grant", self.owner, {"user": person.name})
        assert answer is not None
        assert answer.ok, answer.text
        self.expected.grants.add((person.email, repo))

    def _grant_deaf(self, repo: str, person: Person) -> None:
        """To somebody who wants no such mail: the delivery is dropped."""
        self._post(f"/api/models/{repo}/user-access-request/grant", self.owner, {"user": person.name})

    def _post(self, path: str, who: Person, body: dict[str, str], fault: str = "") -> requests.Response | None:
        """The answer; None from a process that died instead."""
        headers = {"authorization": f"Bearer {who.token}"} | ({"x-fault": fault} if fault else {})
        url = self.stage.server.url + path
        for _ in range(100):  # A process that dies takes the connections along that wait for it.
            try:
                return requests.post(url, json=body, headers=headers, timeout=30, allow_redirects=False)
            except requests.ConnectionError:
                if fault:
                    self.killed[fault] += 1
                    return None
                time.sleep(0.05)
        raise AssertionError("the server does not come back")

    def resolve(self) -> None:
        """What became of the requests whose answer never came: as the database says, and as it must be."""
        rows = self.stage.sql(
            "SELECT repo.name, person.username FROM access_accessrequest request"
            " JOIN repos_repo repo ON repo.id = request.repo_id"
            " JOIN accounts_user person ON person.id = request.user_id"
        )
        stored = {(f"{self.owner.name}/{repo}", person) for repo, person in rows}
        for fault, repo, person in self._doubtful:
            is_stored = (repo, person.name) in stored
            assert is_stored == STORED.get(fault.rpartition(" ")[0], True), f"{fault}: {is_stored}"
            if is_stored:
                self.expected.requests.add((self.owner.email, repo, person.name))
