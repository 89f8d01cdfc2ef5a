"""Who reviews in the admin: rita may see, review and export requests of all repos, vic may only see them."""

from __future__ import annotations

import pytest
from django.urls import reverse

from access import services
from access.models import AccessRequest
from accounts.actor import Actor
from tests.support.cast import ANSWERS

REQUESTS = "/admin/access/accessrequest/"
SEE, REVIEW, EXPORT = (f"access.{name}_accessrequest" for name in ("view", "review", "export"))


@pytest.fixture
def rita(make_staff):
    return make_staff("rita", SEE, REVIEW, EXPORT)


@pytest.fixture
def vic(make_staff):
    return make_staff("vic", SEE)


@pytest.fixture
def request_from():
    """`request_from(sam, repo)`: that person's request, as they send it."""

    def ask(user, repo, **answers) -> AccessRequest:
        request = services.ask(repo=repo, answers={**ANSWERS, **answers} if repo.gate_form else {}, by=Actor(user=user))
        assert request is not None
        return request

    return ask


@pytest.fixture
def act(browser):
    """`act(rita, "accept", [request], query="status=pending", reason="…")`: as the form of the list sends it."""

    def press(user, action, requests, *, query="", everything=False, **said):
        form = {
            "index": "0",
            "action": action,
            "select_across": "1" if everything else "0",
            "_selected_action": [request.pk for request in requests],
            "seen": [f"{request.pk}:{request.status}" for request in requests],
        }
        return browser(user).post(f"{REQUESTS}?{query}", form | said, follow=True)

    return press


def page_of(request: AccessRequest) -> str:
    return reverse("admin:access_accessrequest_change", args=[request.pk])


def told(response) -> list[str]:
    """The messages of a page."""
    return [str(message) for message in response.context["messages"]]
