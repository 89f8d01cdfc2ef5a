"""A mail server or a broker in trouble: pages answer as ever, and each mail arrives once when the trouble is over.

With the Procfile's web, worker and beat and a real mail server.  Pauses after failures are moved in the database, as if
their time had passed; beat's own sweep is waited for where the test is about it.
"""

from __future__ import annotations

import os
import signal
import time
from collections import Counter

import pytest

from tests.notifications.live.stage import POSTGRESQL, Stage, wait_until
from tests.support.smtp import Trouble

QUICK = 3.0
"""Seconds: far above what an answer takes on a busy machine, far below the twenty that a mail server may take."""

TROUBLES = [
    ("connect", "421 4.3.2 Shutting down"),
    ("connect", "554 5.7.1 Not from there"),
    ("connect", Trouble.DROP),
    ("connect", Trouble.HANG),
    ("rcpt", "450 4.2.1 Busy"),
    ("rcpt", "550 5.1.1 No such person"),
    ("rcpt", "421 4.3.2 Shutting down"),
    ("rcpt", Trouble.HANG),
    ("data", "451 4.3.0 Not now"),
    ("data", Trouble.HANG),
    ("half", Trouble.DROP),
    ("half", Trouble.HANG),
    ("whole", "452 4.3.1 No space"),
    ("whole", "554 5.6.0 Not this one"),
    ("whole", "421 4.3.2 Shutting down"),
]


def is_told_after_pauses(stage: Stage, repo: str) -> bool:
    """Again and again: a mail that was in hand meanwhile fails later, and has a pause of its own."""
    over(stage)
    time.sleep(0.5)
    return bool(stage.about(repo))


def over(stage: Stage) -> None:
    """The trouble is over, and so are the pauses that it caused."""
    stage.smtp.work()
    stage.pass_time()
    stage.nudge()


@pytest.mark.parametrize(("step", "what"), TROUBLES)
def test_a_server_in_trouble_delays_mails_and_nothing_else(stage: Stage, step, what):
    owner, asker = stage.people(2)
    repo = stage.repo(owner)
    stage.smtp.meet(step, what)
    before = stage.smtp.attempts
    assert stage.ask(repo, asker) < QUICK
    stage.smtp.wait_for_attempts(before + 1)
    assert stage.handle(repo, owner, asker, "accepted") < QUICK
    assert stage.call("GET", f"/{repo}").elapsed.total_seconds() < QUICK
    if what is Trouble.HANG:
        stage.smtp.stop()  # Otherwise the worker would wait for an answer until its patience is at an end.
    wait_until(lambda: stage.has_failed(repo), lambda: f"a failure\n{stage.report()}")
    assert stage.about(repo) == []
    if what is Trouble.HANG:
        stage.smtp.work()  # Before it is there again, or another mail would hang.
        stage.smtp.start()
        wait_until(lambda: is_told_after_pauses(stage, repo), "the mail of the decision")
    else:
        over(stage)
    # The request is decided by now, so that its own mail is dropped: the decision alone is told.
    [mail] = stage.wait_for(repo)
    assert (mail.to, mail.kind) == ([asker.email], "accepted")
    stage.settle()
    assert len(stage.about(repo)) == 1


def test_a_server_that_is_gone_delays_mails_and_nothing_else(stage: Stage):
    owner, asker = stage.people(2)
    repo = stage.repo(owner)
    stage.smtp.stop()
    try:
        assert stage.ask(repo, asker) < QUICK
        wait_until(lambda: stage.has_failed(repo), "a failure")
    finally:
        stage.smtp.start()
    over(stage)
    [mail] = stage.wait_for(repo)
    assert mail.kind == "new-request"
    stage.settle()
    assert len(stage.about(repo)) == 1


def test_a_pause_ends_by_itself(stage: Stage):
    """Nobody moves a clock and nobody sends a nudge: ten seconds, and beat's sweep."""
    owner, asker = stage.people(2)
    repo = stage.repo(owner)
    stage.smtp.meet("rcpt", "451 4.3.0 Not now")
    stage.ask(repo, asker)
    wait_until(lambda: stage.has_failed(repo), "a failure")
    stage.smtp.work()
    assert stage.about(repo) == []
    stage.wait_for(repo, seconds=40)
    stage.settle()
    assert len(stage.about(repo)) == 1


def test_a_mail_that_was_taken_without_an_answer_comes_again_with_the_same_name(stage: Stage):
    owner, asker = stage.people(2)
    repo = stage.repo(owner)
    stage.smtp.meet("whole", Trouble.DROP)
    stage.ask(repo, asker)
    wait_until(lambda: stage.has_failed(repo), "a failure")
    over(stage)
    first, second = stage.wait_for(repo, 2)
    assert first.id == second.id
    assert first.subject == second.subject
    stage.settle()
    assert len(stage.about(repo)) == 2


def test_a_recipient_who_is_refused_keeps_nobody_else_waiting(stage: Stage):
    owner, *askers = stage.people(8)
    repo = stage.repo(owner, "bulk")
    for asker in askers:
        stage.ask(repo, asker)
    for number, asker in enumerate(askers):
        if number % 3 == 0:
            stage.smtp.refuse(asker.email, "550 5.1.1 No such person" if number else "451 4.2.1 Greylisted")
    for asker in askers:
        stage.handle(repo, owner, asker, "accepted")
    fine = [asker.email for number, asker in enumerate(askers) if number % 3]
    stage.wait_for(repo, len(fine), seconds=9)  # Sooner than a pause ends.
    assert sorted(mail.to[0] for mail in stage.about(repo)) == sorted(fine)
    over(stage)
    stage.wait_for(repo, len(askers))
    stage.settle()
    assert Counter(mail.to[0] for mail in stage.about(repo)) == {asker.email: 1 for asker in askers}


def test_a_slow_server_gets_each_mail_once(stage: Stage):
    """Each takes longer than the lease: whoever sends keeps it."""
    owner, *askers = stage.people(4)
    repo = stage.repo(owner, "bulk")
    for asker in askers:
        stage.ask(repo, asker)
    stage.smtp.seconds = 3
    for asker in askers:
        assert stage.handle(repo, owner, asker, "accepted") < QUICK
    for _ in range(6):
        stage.nudge()
    stage.wait_for(repo, len(askers))
    stage.settle()
    assert Counter(mail.to[0] for mail in stage.about(repo)) == {asker.email: 1 for asker in askers}


def test_a_broker_that_is_gone_delays_mails_and_nothing_else(stage: Stage):
    """The request is stored and answered as ever; beat's sweep finds it once the broker is back."""
    owner, asker = stage.people(2)
    repo = stage.repo(owner)
    worker_is_up(stage)
    break_broker(stage)
    try:
        assert stage.ask(repo, asker) < QUICK
        assert stage.call("GET", f"/{repo}").ok
    finally:
        repair_broker(stage)
    arrives_once(stage, repo)


@pytest.mark.parametrize("running", [pytest.param(POSTGRESQL, marks=pytest.mark.postgresql)], indirect=True)
def test_a_broker_that_hangs_delays_mails_and_hardly_anything_else(stage: Stage):
    """Redis takes connections and says nothing any more."""
    owner, asker = stage.people(2)
    repo = stage.repo(owner)
    worker_is_up(stage)
    assert stage.redis is not None
    os.kill(stage.redis.process.pid, signal.SIGSTOP)
    try:
        assert stage.ask(repo, asker) < 3 * QUICK
        assert stage.call("GET", f"/{repo}").ok
    finally:
        os.kill(stage.redis.process.pid, signal.SIGCONT)
    arrives_once(stage, repo)


@pytest.mark.parametrize("running", [pytest.param(POSTGRESQL, marks=pytest.mark.postgresql)], indirect=True)
def test_a_broker_that_goes_while_mails_are_under_way_ends_no_worker(stage: Stage):
    """A task that ends after the connection it came by: acknowledged only then, it would take the worker with it."""
    owner, asker = stage.people(2)
    repo = stage.repo(owner)
    assert stage.redis is not None
    stage.smtp.seconds = 6
    before = stage.smtp.attempts
    stage.ask(repo, asker)
    stage.smtp.wait_for_attempts(before + 1)
    stage.redis.kill()
    try:
        wait_until(lambda: bool(stage.about(repo)), "the mail that was under way")
        time.sleep(1)  # The task ends after its mail.
    finally:
        stage.smtp.seconds = 0
        stage.redis.start()
    other = stage.repo(owner)
    stage.ask(other, asker)
    arrives_once(stage, other)
    assert len(stage.about(repo)) == 1
    assert stage.server.processes["worker"].running


def arrives_once(stage: Stage, repo: str) -> None:
    stage.wait_for(repo, seconds=90)
    stage.settle()
    assert len(stage.about(repo)) == 1


def worker_is_up(stage: Stage) -> None:
    """One that finds no broker while it starts ends, and a supervisor starts another: these tests have none."""
    owner, asker = stage.people(2)
    repo = stage.repo(owner)
    stage.ask(repo, asker)
    arrives_once(stage, repo)


def break_broker(stage: Stage) -> None:
    if stage.redis is None:  # Where the folder was, is a file: root may write into any folder.
        stage.queue.rename(stage.queue.with_name("kept"))
        stage.queue.write_text("")
    else:
        stage.redis.kill()


def repair_broker(stage: Stage) -> None:
    if stage.redis is None:
        stage.queue.unlink()
        stage.queue.with_name("kept").rename(stage.queue)
    else:
        stage.redis.start()
