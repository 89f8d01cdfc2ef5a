"""Bulk reviews by a real Celery worker that is killed with SIGKILL, again and again, and by several at once.

ada accepts 2,000 who wait for lab/toxic-bert.  What is tested is what the database holds in the end.
"""

from __future__ import annotations

import json

import pytest

from tests.support.server import Server, StartServer

MANY = 2000
KILLED_AT = (1, 600, 1300)
"""The worker is killed once so many are decided, in the middle of whatever it is doing then."""

FILL = f"""
from accounts import services as accounts
from accounts.actor import SYSTEM, Actor
from accounts.models import Namespace, User
from access import bulk
from access.filters import RequestFilter
from access.models import AccessRequest
from repos import services as repos
ada = accounts.create_user(username="ada", email="ada@example.org", password="correct-horse-battery", by=SYSTEM)
accounts.create_organization(name="lab", admin=ada, by=SYSTEM)
lab = Namespace.objects.get(name="lab")
repo = repos.create_repo(type_="model", namespace=lab, name="toxic-bert", private=False, by=Actor(user=ada))
repo = repos.change_settings(repo, {{"gated": "manual"}}, by=Actor(user=ada))
people = User.objects.bulk_create([User(username=f"p{{n}}", email=f"p{{n}}@example.org") for n in range({MANY})])
AccessRequest.objects.bulk_create([AccessRequest(repo=repo, user=user) for user in people])
print(bulk.start(repo=repo, chosen=RequestFilter(), status="accepted", by=Actor(user=ada)).pk)
"""
FILL_FOR_STAFF = f"""
{FILL.rpartition("print(")[0]}
from access import choices
from access.filters_all import StaffFilter
from accounts.actor import Entrance
User.objects.filter(pk=ada.pk).update(is_staff=True, is_superuser=True)
by = Actor(user=User.objects.get(pk=ada.pk), entrance=Entrance.ADMIN)
choice = choices.matching(StaffFilter(status="pending"))
print(bulk.start_everywhere(choice=choice, status="accepted", by=by).pk)
"""
NUDGE = """
from access import tasks
from access.models import BulkReview
for number in range({times}):
    tasks.nudge(BulkReview.objects.get().pk)
"""
TIMED = """
import time
from access import tasks
began = time.monotonic()
tasks.nudge(1)
print(time.monotonic() - began)
"""
SWEEP = """
from datetime import timedelta
from django.utils import timezone
from access import bulk, tasks
from access.models import BulkReview
BulkReview.objects.update(touched_at=timezone.now() - 2 * bulk.STALLED_AFTER)  # As if that time were over.
tasks.resume_bulk_reviews.delay()
"""
WAIT = """
import sys, time
from access.models import BulkReview
deadline = time.monotonic() + 90
while time.monotonic() < deadline:
    review = BulkReview.objects.get()
    if review.finished_at or (review.decided >= {number} and {number} < review.total):
        break
    time.sleep(0.01)
print(review.decided)
"""
OUTCOME = """
import json
from collections import Counter
from access import tallies
from access.models import AccessRequest, BulkReview
from accounts.models import AuditEvent
from repos.models import Repo
review = BulkReview.objects.get()
events = AuditEvent.objects.filter(verb="access_request:accepted")
bulk_events = AuditEvent.objects.filter(verb__startswith="bulk").order_by("pk")
print(json.dumps({
    "review": [review.decided, review.refused, review.stopped_because, review.finished_at is not None],
    "requests": Counter(AccessRequest.objects.values_list("status", flat=True)),
    "reviewers": Counter(AccessRequest.objects.values_list("reviewed_by__username", flat=True)),
    "events": events.count(),
    "decided twice": events.count() - events.values("target").distinct().count(),
    "bulk events": list(bulk_events.values_list("verb", flat=True)),
    "tallies": tallies.counts(Repo.objects.get()),
}))
"""
ALL_DECIDED_ONCE = {
    "review": [MANY, 0, "", True],
    "requests": {"accepted": MANY},
    "reviewers": {"ada": MANY},
    "events": MANY,
    "decided twice": 0,
    "bulk events": ["bulk_review:started", "bulk_review:finished"],
    "tallies": {"pending": 0, "accepted": MANY, "rejected": 0},
}

both = pytest.mark.parametrize("database", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])


def run(server: Server, script: str) -> str:
    return server.manage("shell", "-v0", "-c", script)


def wait_until_decided(server: Server, number: int) -> int:
    return int(run(server, WAIT.format(number=number)))


@both
@pytest.mark.parametrize("fill", [FILL, FILL_FOR_STAFF], ids=["owner", "staff"])
def test_killed_in_the_middle_it_goes_on_and_decides_each_request_once(
    fill: str, database: str, start_server: StartServer
):
    server = start_server(processes=("worker",), database=database)
    worker = server.processes["worker"]
    run(server, fill)
    run(server, NUDGE.format(times=1))
    for number in KILLED_AT:
        decided = wait_until_decided(server, number)
        worker.kill()
        assert decided >= number
        server.start()
        run(server, SWEEP)
    assert wait_until_decided(server, MANY) == MANY
    assert json.loads(run(server, OUTCOME)) == ALL_DECIDED_ONCE


@both
def test_several_workers_told_several_times_decide_each_request_once(database: str, start_server: StartServer):
    server = start_server(processes=("worker",), database=database)
    run(server, FILL)
    second = Server(server.data_dir.parent, processes=("worker",), env=server.env)
    second.start()
    try:
        run(server, NUDGE.format(times=6))
        run(server, SWEEP)
        assert wait_until_decided(server, MANY) == MANY
    finally:
        second.kill()
    assert json.loads(run(server, OUTCOME)) == ALL_DECIDED_ONCE


def test_a_broker_that_is_down_delays_nobody_and_the_sweep_does_it_later(start_server: StartServer, tmp_path):
    """A real one: nothing listens where Redis should be.  Whoever pressed the button waits for no retries."""
    server = start_server(processes=())
    run(server, FILL)
    broken = Server(tmp_path, processes=(), env={**server.env, "GATEHUB_REDIS_URL": "redis://127.0.0.1:1/0"})
    assert float(run(broken, TIMED)) < 1
    later = Server(server.data_dir.parent, processes=("worker",), env=server.env)
    later.start()
    try:
        run(later, SWEEP)
        assert wait_until_decided(later, MANY) == MANY
    finally:
        later.kill()
    assert json.loads(run(later, OUTCOME)) == ALL_DECIDED_ONCE
