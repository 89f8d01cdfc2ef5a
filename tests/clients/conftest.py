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


@dataclass
class Hub:
    """The running server, and what a test arranges there by its API."""

    server: Server
    worker: str

    @property
    def url(self) -> str:
        return self.server.url

    def unique(self, stem: str) -> str:
        return f"{stem}-{self.worker}-{next(_numbers)}"

    def person(self, stem: str) -> Person:
        name = self.unique(stem)
        self.server.manage("create_user", name, "--email", f"{name}@example.org", "--password", PASSWORD)
        return Person(name, self.token(name))

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
        lines: list[dict[str, Any]] = [{"key": "header", "value": {"summary": "add files", "description": ""}}]
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
        assert self.call("PUT", f"/api/{type_}s/{repo_id}/settings", owner, json={"gated": gated}).ok


@pytest.fixture
def hub(server: Server, worker_id: str) -> Hub:
    return Hub(server, worker_id)


@pytest.fixture
def owner(hub: Hub) -> Person:
    return hub.person("owner")


@pytest.fixture
def guest(hub: Hub) -> Person:
    return hub.person("guest")


@pytest.fixture
def lab(hub: Hub, owner: Person) -> str:
    return hub.organization(owner)
