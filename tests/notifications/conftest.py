"""Rows that are to be told, and their mails.  `queue("accepted", …)` writes a delivery as the outbox does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from access.models import AccessRequest
from accounts.models import User
from notifications import mails
from notifications.models import Delivery, OutboxMessage
from repos.models import Repo

Queue = Callable[..., Delivery]


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
