"""What tests of notifications share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest
from django.core import mail
from django.core.mail import EmailMessage
from django.core.mail.backends.locmem import EmailBackend

from access import services
from access.models import AccessRequest
from accounts.actor import Actor
from accounts.models import User
from repos import services as repos
from repos.models import Repo
from tests.support.cast import ANSWERS

Ask = Callable[..., AccessRequest]


@pytest.fixture
def ask() -> Ask:
    """`ask(repo, user)`: that person asks for access."""

    def ask(repo: Repo, user: User) -> AccessRequest:
        request = services.ask(repo=repo, answers=ANSWERS, by=Actor(user=user))
        assert request is not None
        return request

    return ask


@pytest.fixture
def real_time(gated_repo: Repo, ada: User) -> Repo:
    """lab/toxic-bert, whose requests are told at once."""
    return repos.change_settings(gated_repo, {"gatedNotificationsMode": "real-time"}, by=Actor(user=ada))


@pytest.fixture
def sent(settings: pytest.FixtureRequest) -> Callable[[], list[tuple[str, str]]]:
    """`sent()`: the kinds and recipients of the mails sent since it was asked last."""

    def since_last() -> list[tuple[str, str]]:
        found = [(message.extra_headers["X-GateHub-Kind"], *message.to) for message in mail.outbox]
        mail.outbox.clear()
        return found

    return since_last


@pytest.fixture
def bodies() -> Callable[[], list[str]]:
    """`bodies()`: the texts of the mails sent so far."""
    return lambda: [str(message.body) for message in mail.outbox]


@pytest.fixture
def refusing(monkeypatch: pytest.MonkeyPatch) -> Callable[..., AbstractContextManager[None]]:
    """`with refusing(error):` the mail server answers that, by default that it cannot be reached."""

    @contextmanager
    def refuse(error: Exception | None = None, *, to: str = "") -> Iterator[None]:
        usual = EmailBackend.send_messages

        def send_messages(self: EmailBackend, messages: list[EmailMessage]) -> int:
            if not to or messages[0].to == [to]:
                raise error or ConnectionRefusedError("Connection refused")
            return usual(self, messages)

        with monkeypatch.context() as patched:
            patched.setattr(EmailBackend, "send_messages", send_messages)
            yield

    return refuse
