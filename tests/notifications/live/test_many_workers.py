"""Several workers on one full outbox: each mail is sent once.

The workers are real processes that share nothing but the database, and the mail server answers at once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.notifications.live.stage import POSTGRESQL, SQLITE, Stage, close, make_stage, wait_until
from tests.support.server import Server

FILL = """
from django.db import connection
from allauth.account.models import EmailAddress
from accounts import services
from accounts.actor import SYSTEM, Actor
from accounts.models import Namespace, User
from access.models import AccessRequest
from notifications.models import Delivery, OutboxMessage
from repos import services as repos
User.set_password = lambda self, raw: self.set_unusable_password()
ada = services.create_user(username="ada", email="ada@example.org", password="-", by=SYSTEM)
namespace = Namespace.objects.get(name="ada")
repo = repos.create_repo(type_="model", namespace=namespace, name="crowded", private=False, by=Actor(user=ada))
repo = repos.change_settings(repo, {{"gated": "manual"}}, by=Actor(user=ada))
numbers = range({number})
people = User.objects.bulk_create([User(username=f"p{{n}}", email=f"p{{n}}@example.org") for n in numbers])
EmailAddress.objects.bulk_create(
    [EmailAddress(user=user, email=user.email, verified=True, primary=True) for user in people]
)
asked = AccessRequest.objects.bulk_create([AccessRequest(repo=repo, user=user, granted=True) for user in people])
data = {{"repo_id": repo.repo_id, "type": repo.type, "reason": ""}}
messages = OutboxMessage.objects.bulk_create(
    [OutboxMessage(kind="granted", state="dispatched", repo=repo, access_request=a, data=data) for a in asked]
)
Delivery.objects.bulk_create(
    [Delivery(message=m, kind=m.kind, user=u, address=u.email) for m, u in zip(messages, people)]
)
if connection.vendor == "postgresql":
    connection.cursor().execute("ANALYZE")
"""


@pytest.fixture(
    params=[(SQLITE, 2, 1000)] + [pytest.param((POSTGRESQL, n, 10_000), marks=pytest.mark.postgresql) for n in (2, 8)]
)
def crowded(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Stage, list[Server], int]]:
    """A stage with a full outbox, workers that are about to start, and how many mails wait."""
    database, workers, number = request.param
    stage = make_stage(request, tmp_path, database, processes=("worker",))
    stage.run(FILL.format(number=number))
    folders = [tmp_path / f"worker-{worker}" for worker in range(workers)]
    made = []
    for folder in folders:
        folder.mkdir()
        server = Server(folder, processes=("worker",), env=stage.server.env)
        made.append(server)
    yield stage, made, number
    for server in made:
        server.kill()
    close(stage)


@pytest.mark.timeout(900)
def test_each_mail_is_sent_once(crowded):
    stage, workers, number = crowded
    for worker in workers:
        worker.start()
    for _ in range(3 * len(workers)):
        stage.nudge("notifications.tasks.deliver")
    wait_until(lambda: stage.waiting() == 0, lambda: f"all mails\n{stage.report()}", seconds=600)
    assert Counter(mail.to[0] for mail in stage.smtp.mails) == {f"p{n}@example.org": 1 for n in range(number)}
    assert stage.number("SELECT max(attempts) FROM notifications_delivery") == 1
    assert stage.number("SELECT count(*) FROM notifications_delivery WHERE state = 'sent'") == number
