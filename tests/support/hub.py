"""People and repos on the running server, for tests with the real clients."""

from __future__ import annotations

import itertools
import json
from dataclasses import dataclass
from typing import Any

import pytest
import requests

from tests.support.server import Server

PASSWORD = "correct-horse-battery"
CARD = """---
license: mit
extra_gated_prompt: You agree to not use the model for harm.
extra_gated_fields:
  Company: text
  I agree: checkbox
---
# A gated model
"""
ANSWERS = {"Company": "Example University", "I agree": "true"}
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Person:
    name: str
    token: str

    @property
    def email(self) -> str:
        return f"{self.name}@example.org"


# All have the same password, so it is hashed once: that is slow on purpose.
_MAKE_PEOPLE = """
from django.contrib.auth.hashers import make_password
from access import tokens
from accounts import services
from accounts.actor import SYSTEM
from accounts.models import User
hashed = make_password({password!r})
User.set_password = lambda self, raw: setattr(self, "password", hashed)
for name in {names!r}:
    user = services.create_user(
        username=name, email=name + "@example.org", password={password!r}, fullname=name.title(), by=SYSTEM
    )
    print("PERSON", name, tokens.create(user=user, name="write token", role="write", by=SYSTEM)[1])
"""


class People:
    """Makes people by the dozen: each run of a management command costs a second or two of a busy machine."""

    def __init__(self, server: Server, worker: str) -> None:
        self._server, self._worker = server, worker
        self._waiting: list[Person] = []

    def next(self) -> Person:
        if not self._waiting:
            names = [f"person-{self._worker}-{next(_numbers)}" for _ in range(24)]
            script = _MAKE_PEOPLE.format(names=names, password=PASSWORD)
            told = self._server.manage("shell", "-v0", "-c", script).splitlines()
            self._waiting = [Person(*line.split()[1:]) for line in told if line.startswith("PERSON ")]
        return self._waiting.pop()


@pytest.fixture(scope="session")
def people(server: Server, worker_id: str) -> People:
    return People(server, worker_id)


@dataclass
class Hub:
    """The running server, and what a test arranges there by its API."""

    server: Server
    worker: str
    people: People

    @property
    def url(self) -> str:
        return self.server.url

    def unique(self, stem: str) -> str:
        return f"{stem}-{self.worker}-{next(_numbers)}"

    def person(self) -> Person:
        return self.people.next()

    def token(self, name: str, role: str = "write") -> str:
        return self.server.manage("create_token", name, "--name", f"{role} token", "--role", role)

    def organization(self, admin: Person) -> str:
        name = self.unique("lab")
        self.server.manage("create_org", name, "--admin", admin.name)
        return name

    def call(self, method: str, path: str, who: Person | None, **kwargs: Any) -> requests.Response:
        headers = {"authorization": f"Bearer {who.token}"} if who else {}
        return requests.request(
            method, f"{self.url}{path}", headers=headers, timeout=60, allow_redirects=False, **kwargs
        )

    def ask(self, repo_id: str, who: Person, answers: dict[str, str] | None = None, prefix: str = "") -> None:
        answer = self.call("POST", f"/{prefix}{repo_id}/ask-access", who, json=answers or ANSWERS)
        assert answer.status_code == 303, answer.text

    def handle(self, repo_id: str, owner: Person, user: Person, status: str, type_: str = "models") -> None:
        path = f"/api/{type_}/{repo_id}/user-access-request/handle"
        answer = self.call("POST", path, owner, json={"user": user.name, "status": status})
        assert answer.ok, answer.text

    def publish(
        self,
        repo_id: str,
        owner: Person,
        files: dict[str, bytes],
        *,
        gated: str | bool = "manual",
        type_: str = "model",
    ) -> None:
        """A repo with these files, made through the API."""
        namespace, _, name = repo_id.partition("/")
        body = {"name": name, "organization": namespace, "type": type_}
        assert self.call("POST", "/api/repos/create", owner, json=body).ok
        self.commit(repo_id, owner, files, title="add files", type_=type_)
        assert self.call("PUT", f"/api/{type_}s/{repo_id}/settings", owner, json={"gated": gated}).ok

    def commit(self, repo_id: str, owner: Person, files: dict[str, bytes], *, title: str, type_: str = "model") -> None:
        lines: list[dict[str, Any]] = [{"key": "header", "value": {"summary": title, "description": ""}}]
        for path, data in files.items():
            value = {"path": path, "content": data.decode(), "encoding": "utf-8"}
            lines.append({"key": "file", "value": value})
        ndjson = "\n".join(json.dumps(line) for line in lines).encode()
        answer = requests.post(
            f"{self.url}/api/{type_}s/{repo_id}/commit/main",
            data=ndjson,
            headers={"authorization": f"Bearer {owner.token}", "content-type": "application/x-ndjson"},
            timeout=60,
        )
        assert answer.ok, answer.text


@pytest.fixture
def hub(server: Server, worker_id: str, people: People) -> Hub:
    return Hub(server, worker_id, people)


@pytest.fixture
def owner(hub: Hub) -> Person:
    return hub.person()


@pytest.fixture
def guest(hub: Hub) -> Person:
    return hub.person()


@pytest.fixture
def lab_name(hub: Hub, owner: Person) -> str:
    return hub.organization(owner)
