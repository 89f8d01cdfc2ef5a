"""Accepting all who wait: the product's worker against one statement that says the same in SQL.

    .venv/bin/python -m bench.bulk_accept --sizes 1000 10000 --rounds 5

The product: from the order (`bulk.start`, as the page gives it) until a Celery worker, run as the Docker image runs it
with Redis, has decided all, in steps, each with its checks, its audit event per request, its signals, and its mails in
the outbox, which the same worker begins to send meanwhile.  The peer: `UPDATE … RETURNING` whose rows are inserted into
the audit trail and the outbox, in one transaction on the same tables with the same indexes and triggers; it sends
nothing.  In turns, on a database with 200,000 other requests; before each, all wait again, and the tables
are vacuumed.  PostgreSQL writes safely here (fsync on), as in production.
"""

from __future__ import annotations

import argparse
import math
import shutil
import statistics
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from bench.hub import Hub, children_of, peak_mib, reset_peaks, spread, write
from tests.support.processes import Process
from tests.support.redis import Redis
from tests.support.server import BIN, ROOT

OTHERS = 200_000
SAFE = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}

START = """
from access import bulk, tasks
from access.filters import RequestFilter
from accounts.actor import Actor, Entrance
from accounts.models import User
from repos.models import Repo
by = Actor(user=User.objects.get(username="ada"), entrance=Entrance.PAGE, address="192.0.2.7")
review = bulk.start(repo=Repo.objects.get(name="waiting"), chosen=RequestFilter(), status="accepted", by=by)
tasks.nudge(review.pk)
"""
WAITING = """
from accounts.models import User
from bench.crowd import make_repo
make_repo("waiting", 2, User.objects.get(username="ada"))
"""
ASK = """
DELETE FROM access_bulkreview;
DELETE FROM notifications_delivery;
DELETE FROM notifications_outboxmessage;
DELETE FROM access_accessrequest WHERE repo_id = {repo};
INSERT INTO access_accessrequest (request_id, repo_id, user_id, status, form_id, answers, email, fullname, requested_at,
    granted, rejection_reason, search_text, country)
SELECT lpad(to_hex({repo}), 8, '0') || lpad(to_hex(user_id), 16, '0'), {repo}, user_id, 'pending',
    (SELECT max(id) FROM repos_gateform WHERE repo_id = {repo}), answers, email, fullname, requested_at, false, '',
    search_text, country
FROM access_accessrequest WHERE repo_id = (SELECT id FROM repos_repo WHERE name = 'large') ORDER BY id LIMIT {number};
"""
PEER = """
WITH decided AS (
    UPDATE access_accessrequest AS request
    SET status = 'accepted', reviewed_at = now(), reviewed_by_id = ada.id, rejection_reason = ''
    FROM accounts_user AS ada, accounts_user AS person
    WHERE request.repo_id = {repo} AND request.status = 'pending' AND ada.username = 'ada'
        AND person.id = request.user_id
    RETURNING request.id AS request_id, person.id AS person_id, person.username, person.email, ada.id AS ada_id
), recorded AS (
    INSERT INTO accounts_auditevent (at, verb, target, actor, actor_id_at_the_time, entrance, token_name, repo,
        before, after)
    SELECT now(), 'access_request:accepted', username || ' on lab/waiting', 'ada', ada_id, 'page', '',
        {repo}, '{{"status": "pending"}}', '{{"status": "accepted"}}'
    FROM decided
    RETURNING id, at
), located AS (
    INSERT INTO accounts_auditaddress (event_id, at, address)
    SELECT id, at, '192.0.2.7' FROM recorded
), told AS (
    INSERT INTO notifications_outboxmessage (kind, state, repo_id, access_request_id, in_digest, data, sealed, because,
        created_at)
    SELECT 'accepted', 'dispatched', {repo}, request_id, false,
        '{{"repo_id": "lab/waiting", "type": "model", "reason": ""}}', '', '', now()
    FROM decided
    RETURNING id, access_request_id
)
INSERT INTO notifications_delivery (message_id, kind, user_id, address, state, name, due_at, attempts, deadline, held,
    created_at, problem, provider_id, provider_status, file)
SELECT told.id, 'accepted', person_id, email, 'waiting', gen_random_uuid(), now() + interval '1 hour', 0,
    now() + interval '3 days', false, now(), '', '', '', ''
FROM told JOIN decided ON told.access_request_id = decided.request_id;
"""


class Stage:
    """The database, a worker and its broker."""

    def __init__(self) -> None:
        self.hub = Hub(people=OTHERS, requests_=OTHERS // 2, settings=SAFE)
        self.database = self.hub.database.rpartition("/")[2]
        self.folder = Path(tempfile.mkdtemp(prefix="gatehub-bench-"))
        self.redis = Redis(self.folder)
        self.redis.start()
        self.hub.server.env["GATEHUB_REDIS_URL"] = self.redis.url
        self.hub.server.manage("shell", "-v0", "-c", WAITING)
        self.repo = int(self.sql("SELECT id FROM repos_repo WHERE name = 'waiting'"))
        self.worker = Process(
            image_command("worker"), log_file=self.folder / "worker.log", env=self.hub.server.env, cwd=ROOT
        )
        self.worker.start(lambda: "ready" in self.worker.log())

    def close(self) -> None:
        self.worker.stop()
        self.redis.kill()
        self.hub.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def sql(self, statement: str) -> str:
        return self.hub.cluster.sql(statement, self.database)

    def let_wait(self, number: int) -> None:
        self.sql(ASK.format(repo=self.repo, number=number))
        self.sql("VACUUM ANALYZE access_accessrequest")
        self.sql("VACUUM ANALYZE accounts_auditevent")
        self.sql("VACUUM ANALYZE notifications_outboxmessage")
        self.sql("VACUUM ANALYZE notifications_delivery")
        self.sql("CHECKPOINT")

    def by_product(self, number: int) -> float:
        """Seconds from the order until all are decided."""
        self.hub.server.manage("shell", "-v0", "-c", START)
        deadline = time.monotonic() + 600
        while not (done := self.sql("SELECT decided FROM access_bulkreview WHERE finished_at IS NOT NULL")):
            if time.monotonic() > deadline:
                raise RuntimeError(self.worker.log())
            time.sleep(0.2)
        self.check(number, int(done))
        return float(self.sql("SELECT extract(epoch FROM finished_at - created_at) FROM access_bulkreview"))

    def by_sql(self, number: int) -> float:
        began = time.perf_counter()
        self.sql(PEER.format(repo=self.repo))
        seconds = time.perf_counter() - began
        self.check(number, number)
        return seconds

    def check(self, number: int, done: int) -> None:
        accepted = self.sql(
            f"SELECT count(*) FROM access_accessrequest WHERE repo_id = {self.repo} AND status = 'accepted'"  # noqa: S608
        )
        if done != number or int(accepted) != number:
            raise RuntimeError(f"{done} decided, {accepted} accepted, {number} waited")


def image_command(service: str) -> list[str]:
    """How docker/compose.yaml runs the service."""
    services: Mapping[str, Any] = yaml.safe_load((ROOT / "docker" / "compose.yaml").read_text())["services"]
    command = str(services[service]["command"]).split()
    return [str(BIN / command[0]), *command[1:]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1_000, 10_000])
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    stage = Stage()
    try:
        report = run(stage, options.sizes, options.rounds)
    finally:
        stage.close()
    write("bulk_accept", report)


def run(stage: Stage, sizes: list[int], rounds: int) -> dict[str, Any]:
    ways = {"product": stage.by_product, "SQL": stage.by_sql}
    seconds: dict[tuple[str, int], list[float]] = {(way, size): [] for way in ways for size in sizes}
    growth = dict.fromkeys(sizes, 0.0)
    for number in range(rounds + 1):
        for size in sizes:
            for way, decide in ways.items():
                stage.let_wait(size)
                pids = children_of(stage.worker.pid)
                reset_peaks(pids)
                at_rest = {pid: peak_mib(pid) for pid in pids}
                taken = decide(size)
                if number:  # The first round warms up.
                    seconds[way, size].append(taken)
                    growth[size] = max(growth[size], *(peak_mib(pid) - at_rest[pid] for pid in pids))
    report: dict[str, Any] = {"rounds": rounds, "budget": "10 times SQL"}
    for size in sizes:
        ratios = [mine / peer for mine, peer in zip(seconds["product", size], seconds["SQL", size], strict=True)]
        report[f"{size} requests"] = {
            **{f"{way}, seconds": spread(seconds[way, size], 3) for way in ways},
            "product against SQL": spread(ratios, 2),
            "largest growth of a worker process, MiB": round(growth[size], 1),
        }
    first, last = sizes[0], sizes[-1]
    for way in ways:
        ratio = statistics.median(seconds[way, last]) / statistics.median(seconds[way, first])
        report[f"exponent, {way}"] = round(math.log(ratio) / math.log(last / first), 2) if first != last else 0
    return report


if __name__ == "__main__":
    main()
