"""What tests of notifications share.  `queue("accepted", …)` writes a delivery as the outbox does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import pytest
from django.core import mail
from django.core.mail import EmailMessage
from django.core.mail.backends.locmem import EmailBackend
from django.utils import timezone

from access import services
from access.models import AccessRequest
from accounts.actor import Actor
from accounts.models import User
from notifications import mails
from notifications.models import Delivery, OutboxMessage
from repos import services as repos
from repos.models import Repo
from tests.support.cast import ANSWERS

Queue = Callable[..., Delivery]
SendRequest = Callable[..., AccessRequest]


@pytest.fixture(autouse=True)
def public_address(settings):
    settings.PUBLIC_URL = "https://gate.example.org"


@pytest.fixture
def queue(db: None) -> Queue:
    """`queue(kind, request, user=ada)`: a delivery with its message; `address=…` where there is no person."""

    def write(
        kind: str,
        access_request: AccessRequest | None = None,
        *,
        user: User | None = None,
        address: str = "",
        repo: Repo | None = None,
        data: dict[str, Any] | None = None,
        into: Delivery | None = None,
        sealed: str = "",
    ) -> Delivery:
        repo = access_request.repo if access_request else repo
        told = {} if repo is None else {"repo_id": repo.repo_id, "type": repo.type}
        message = OutboxMessage.objects.create(
            kind=kind, state="dispatched", repo=repo, access_request=access_request, data=told | (data or {}),
            sealed=sealed,
        )  # fmt: skip
        address = address or (user.email if user else "desk@example.com")
        state = "folded" if into else "waiting"
        return Delivery.objects.create(
            message=message, kind=kind, user=user, address=address, state=state, folded_into=into
        )

    return write


@pytest.fixture
def ask(db: None) -> Callable[..., AccessRequest]:
    """`ask(repo, sam)`: a pending request, without the service, so that it may hold anything."""

    def make(repo: Repo, user: User, **values: Any) -> AccessRequest:
        usual = {"email": user.email, "fullname": user.fullname, "form": repo.gate_form, "requested_at": timezone.now()}
        return AccessRequest.objects.create(repo=repo, user=user, **(usual | values))

    return make


@pytest.fixture
def send_request() -> SendRequest:
    """`send_request(repo, user)`: that person asks for access, through the service."""

    def send(repo: Repo, user: User) -> AccessRequest:
        request = services.ask(repo=repo, answers=ANSWERS, by=Actor(user=user))
        assert request is not None
        return request

    return send


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


def as_claimed(delivery: Delivery) -> Delivery:
    """As the worker loads it."""
    rows = Delivery.objects.select_related("message__repo__namespace", "message__access_request__user", "user")
    return rows.get(pk=delivery.pk)


def mail_of(delivery: Delivery) -> Any:
    return mails.compose(as_claimed(delivery))


def html_of(message: Any) -> str:
    ((html, kind),) = message.alternatives
    assert kind == "text/html"
    return str(html)


def in_one_line(text: str) -> str:
    return " ".join(text.split())
