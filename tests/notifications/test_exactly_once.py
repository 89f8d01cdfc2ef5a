"""Whatever happens in whatever order: each request is in exactly one mail per recipient.

Hypothesis makes up days in the life of two repos of lab: people ask and withdraw, reviewers decide, modes and
recipients change, digests and real-time mails go out while the mail server works, fails, or fails for one.  In the end
the mail server works and one more digest goes out.
"""

from __future__ import annotations

import smtplib
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from django.utils import timezone
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from access import services
from access.models import AccessRequest
from accounts import services as accounts
from accounts.actor import SYSTEM, Actor
from notifications import dispatch, tasks
from notifications.models import Delivery, DigestRun, OutboxMessage
from repos import services as repos
from tests.support.cast import ANSWERS

REPOS, ASKERS, ADMINS = ("lab/one", "lab/two"), ("sam", "noor", "olu"), ("ada", "wes")
which_repo, who = st.sampled_from(REPOS), st.sampled_from(ASKERS)
STEPS = st.one_of(
    st.tuples(st.just("ask"), which_repo, who),
    st.tuples(st.just("ask"), which_repo, who),  # Twice, so that there is something to tell.
    st.tuples(st.just("withdraw"), which_repo, who),
    st.tuples(st.just("decide"), which_repo, who, st.sampled_from(["accepted", "rejected"])),
    st.tuples(st.just("mode"), which_repo, st.sampled_from(["bulk", "real-time"])),
    st.tuples(st.just("change_admins"), st.sampled_from([["ada"], ["wes"], ["ada", "wes"]])),
    st.tuples(st.just("server"), st.sampled_from(["works", "gone", "refuses ada", "refuses wes"])),
    st.tuples(st.just("digest")),
    st.tuples(st.just("deliver")),
    st.tuples(st.just("wait"), st.integers(1, 40)),
)


@dataclass
class World:
    """The clock, the mail server, and who was told of which request."""

    people: dict[str, Any]
    repos: dict[str, Any]
    now: datetime = field(default_factory=timezone.now)
    server: str = "works"
    told: Counter[tuple[str, int]] = field(default_factory=Counter)
    """How often an address was told of a request, by its key."""
    could_be_told: dict[int, set[str]] = field(default_factory=dict)
    """Who was admin at some time while the request was there: nobody else may learn of it."""

    def admins(self) -> set[str]:
        lab = self.repos["lab/one"].namespace.organization
        rows = lab.memberships.filter(role="admin").values_list("user__email", flat=True)
        return set(rows)

    def note_admins(self) -> None:
        for known in self.could_be_told.values():
            known |= self.admins()

    # --- What may happen ---

    def ask(self, repo: str, name: str) -> None:
        request = services.ask(repo=self.repos[repo], answers=ANSWERS, by=Actor(user=self.people[name]))
        assert request is not None
        self.could_be_told.setdefault(request.pk, self.admins())

    def withdraw(self, repo: str, name: str) -> None:
        if self._request(repo, name, status="pending"):
            services.withdraw(repo=self.repos[repo], by=Actor(user=self.people[name]))

    def decide(self, repo: str, name: str, status: str) -> None:
        if request := self._request(repo, name, status="pending"):
            services.review(access_request=request, status=status, by=Actor(user=self.people["ada"]))

    def _request(self, repo: str, name: str, **where: Any) -> AccessRequest | None:
        return AccessRequest.objects.filter(repo=self.repos[repo], user=self.people[name], **where).first()

    def mode(self, repo: str, mode: str) -> None:
        repos.change_settings(self.repos[repo], {"gatedNotificationsMode": mode}, by=Actor(user=self.people["ada"]))
        self.repos[repo].refresh_from_db()

    def change_admins(self, names: list[str]) -> None:
        lab = self.repos["lab/one"].namespace.organization
        for name in [*names, *(set(ADMINS) - set(names))]:
            role = "admin" if name in names else "write"
            accounts.set_role(organization=lab, user=self.people[name], role=role, by=SYSTEM)
        self.note_admins()

    def digest(self) -> None:
        dispatch.digests()
        self.deliver()

    def deliver(self) -> None:
        tasks.deliver()
        self.read_mails()

    def wait(self, hours: int) -> None:
        self.now += timedelta(hours=hours)

    # --- Mails ---

    def send(self, backend: EmailBackend, messages: list[Any]) -> int:
        (to,) = messages[0].to
        if self.server == "gone":
            raise ConnectionRefusedError("Connection refused")
        if self.server == f"refuses {to.partition('@')[0]}":
            raise smtplib.SMTPRecipientsRefused({to: (450, b"Not now")})
        mail.outbox.append(messages[0])
        return 1

    def read_mails(self) -> None:
        """Of which pending requests each mail tells: the people it names, in its repo."""
        for message in mail.outbox:
            if message.extra_headers["X-GateHub-Kind"] not in ("new-request", "digest"):
                continue
            repo = message.extra_headers["X-GateHub-Repo"]
            for name in ASKERS:
                if f"{name}@example.org" in message.body:
                    request = self._request(repo, name, status="pending")
                    assert request is not None, f"{message.to} was told of a request that is over"
                    self.told[message.to[0], request.pk] += 1
        mail.outbox.clear()


@pytest.fixture
def cast(lab, ada, wes, con, sam, noor, olu, make_repo, settings):
    settings.MAILS_PER_HOUR = 100_000  # Summaries are the matter of other tests.
    made = {repo_id: make_repo(repo_id, by=ada, gated="manual") for repo_id in REPOS}
    return {"ada": ada, "wes": wes, "con": con, "sam": sam, "noor": noor, "olu": olu}, made


@settings(
    max_examples=100,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
)
@given(steps=st.lists(STEPS, min_size=8, max_size=40))
def test_each_request_is_told_once_to_each_recipient_and_none_is_forgotten(cast, steps):
    people, made = cast
    reset(people, made)
    world = World(people, {name: type(repo).objects.get(pk=repo.pk) for name, repo in made.items()})
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(timezone, "now", lambda: world.now)
        patched.setattr(EmailBackend, "send_messages", lambda backend, messages: world.send(backend, messages))
        for name, *given_ in steps:
            if name == "server":
                world.server = given_[0]
            else:
                getattr(world, name)(*given_)
            world.now += timedelta(seconds=1)
        world.server = "works"
        # All that failed is due by now; what came too late for its recipients goes with the next digest.
        world.wait(7)
        world.deliver()
        world.wait(1)
        world.digest()

    assert [told for told, number in world.told.items() if number > 1] == [], "told twice"
    for (address, request), _ in world.told.items():
        assert address in world.could_be_told[request], f"{address} was never to be told"
    pending = set(AccessRequest.objects.pending().values_list("pk", flat=True))
    assert pending - {request for _, request in world.told} == set(), "forgotten"
    assert not Delivery.objects.waiting().filter(kind__in=["new-request", "digest"]).exists()
    assert not OutboxMessage.objects.filter(state="waiting").exists()


def reset(people, made) -> None:
    """As it was before the last example."""
    for model in (Delivery, OutboxMessage, DigestRun, AccessRequest):
        model.objects.all().delete()
    type(made["lab/one"]).objects.update(gated_notifications_mode="bulk")
    World(people, made).change_admins(["ada"])
    mail.outbox.clear()
