"""The cast of all tests, made through the services that the product uses.

ada is the admin of the organization lab, wes has its write role, con contributes, rea reads; sam and noor are members
of nothing; olu owns repos in a namespace of their own.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.http.response import HttpResponseBase
from django.test import Client

from access import tokens
from accounts import nudges
from accounts import services as accounts
from accounts.actor import SYSTEM, Actor, Entrance
from accounts.models import Namespace, Organization, User
from notifications import tasks
from repos import content, objects
from repos import services as repo_services
from repos.git import AddBlob
from repos.models import Repo

PASSWORD = "correct-horse-battery"
GATE_CARD = """---
license: mit
extra_gated_prompt: You agree to not use the model for harm.
extra_gated_fields:
  Company: text
  Country: country
  I agree: checkbox
---
# A model
"""
ANSWERS = {"Company": "Example University", "Country": "FR", "I agree": "true"}


@pytest.fixture(autouse=True)
def data_folder(settings: Any, tmp_path: Path) -> Path:
    """Repos, objects and mails of one test, away from every other."""
    settings.GATEHUB_GIT_DIR = tmp_path / "git"
    settings.GATEHUB_OBJECTS_DIR = tmp_path / "objects"
    settings.GATEHUB_TMP_DIR = tmp_path / "tmp"
    settings.EMAIL_FILE_PATH = tmp_path / "mail"
    return tmp_path


def _person(name: str, fullname: str) -> User:
    address = f"{name}@example.org"
    return accounts.create_user(username=name, email=address, password=PASSWORD, fullname=fullname, by=SYSTEM)


@pytest.fixture
def make_user(db: None) -> Callable[..., User]:
    def make(name: str, fullname: str = "") -> User:
        return _person(name, fullname)

    return make


@pytest.fixture
def make_staff(db: None) -> Callable[..., User]:
    """`make_staff("vic", "access.view_accessrequest")`: who may do that in the admin, and nothing else there."""

    def make(name: str, *permissions: str, superuser: bool = False) -> User:
        user = accounts.create_user(
            username=name,
            email=f"{name}@example.org",
            password=PASSWORD,
            is_staff=True,
            is_superuser=superuser,
            by=SYSTEM,
        )
        for permission in permissions:
            app, _, codename = permission.partition(".")
            user.user_permissions.add(Permission.objects.get(content_type__app_label=app, codename=codename))
        return user

    return make


@pytest.fixture
def ada(db: None) -> User:
    return _person("ada", "Ada Lovelace")


@pytest.fixture
def wes(lab: Organization) -> User:
    return _join(lab, _person("wes", "Wes Writer"), "write")


@pytest.fixture
def con(lab: Organization) -> User:
    return _join(lab, _person("con", "Con Tributor"), "contributor")


@pytest.fixture
def rea(lab: Organization) -> User:
    return _join(lab, _person("rea", "Rea Reader"), "read")


@pytest.fixture
def sam(db: None) -> User:
    return _person("sam", "Sam Requester")


@pytest.fixture
def noor(db: None) -> User:
    return _person("noor", "Noor Haddad")


@pytest.fixture
def olu(db: None) -> User:
    return _person("olu", "Olu Owner")


def _join(organization: Organization, user: User, role: str) -> User:
    accounts.set_role(organization=organization, user=user, role=role, by=SYSTEM)
    return user


@pytest.fixture
def lab(ada: User) -> Organization:
    return accounts.create_organization(name="lab", admin=ada, fullname="The Lab", by=SYSTEM)


MakeRepo = Callable[..., Repo]


@pytest.fixture
def make_repo(db: None) -> MakeRepo:
    """`make_repo("lab/base", by=ada, type_="model", gated="manual", private=False, files={"a.txt": b"…"})`."""

    def make(
        repo_id: str,
        *,
        by: User,
        type_: str = "model",
        gated: str | bool = False,
        private: bool = False,
        org_members_gated: bool = False,
        files: dict[str, bytes] | None = None,
        large: dict[str, bytes] | None = None,
    ) -> Repo:
        namespace, _, name = repo_id.partition("/")
        actor = Actor(user=by, entrance=Entrance.API)
        repo = repo_services.create_repo(
            type_=type_, namespace=Namespace.objects.get(name=namespace), name=name, private=private, by=actor
        )
        add_files(repo, files or {}, large or {}, by=by)
        wanted = {"gated": gated, "orgMembersGated": org_members_gated}
        repo_services.change_settings(repo, wanted, by=actor)
        repo.refresh_from_db()
        return repo

    return make


def add_files(repo: Repo, files: dict[str, bytes], large: dict[str, bytes] | None = None, *, by: User) -> str:
    """Commit files to main, small ones as they are and large ones as LFS objects.  Returns the commit sha."""
    git = content.open_git(repo)
    operations: list[content.Operation] = [AddBlob(path, git.stage_blob(data)) for path, data in files.items()]
    for path, data in (large or {}).items():
        with objects.writer(repo.storage_id) as writer:
            writer.write(data)
            sha256 = writer.sha256
            writer.publish(sha256=sha256, size=len(data))
        content.record_object(repo, sha256, len(data))
        operations.append(content.AddLargeFile(path, sha256, len(data)))
    if not operations:
        return content.open_git(repo).head() or ""
    new = content.NewCommit(title="Add files", description="", operations=operations)
    return content.commit(repo, "main", new, by=Actor(user=by, entrance=Entrance.API))


@pytest.fixture
def gated_repo(ada: User, lab: Organization, make_repo: MakeRepo) -> Repo:
    """lab/toxic-bert: gated for manual review, with a card that asks three questions, a small and a large file."""
    return make_repo(
        "lab/toxic-bert",
        by=ada,
        gated="manual",
        files={"README.md": GATE_CARD.encode(), "config.json": b'{"model_type": "bert"}\n'},
        large={"model.safetensors": b"weights " * 1000},
    )


def make_token(
    user: User, role: str = "write", name: str = "", *, expires_at: datetime | None = None, **kwargs: Any
) -> str:
    """A token of that person, as they would send it."""
    name = name or f"{role} {user.access_tokens.count()}"
    return tokens.create(user=user, name=name, role=role, by=Actor(user=user), expires_at=expires_at, **kwargs)[1]


@dataclass
class Api:
    """A caller of the API: a person with a token, or a stranger."""

    token: str = ""

    def _headers(self, headers: dict[str, str] | None) -> dict[str, str]:
        own = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        return own | (headers or {})

    def get(self, path: str, query: Any = None, headers: dict[str, str] | None = None) -> Any:
        return Client().get(path, query, headers=self._headers(headers))

    def head(self, path: str, headers: dict[str, str] | None = None) -> Any:
        return Client().head(path, headers=self._headers(headers))

    def send(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        content_type: str = "application/json",
        headers: dict[str, str] | None = None,
    ) -> Any:
        """Send a body: bytes as they are, anything else as JSON."""
        data = body if isinstance(body, bytes) else json.dumps(body)
        return Client().generic(method, path, data, content_type=content_type, headers=self._headers(headers))

    def post(self, path: str, body: Any = None, **kwargs: Any) -> Any:
        return self.send("POST", path, body, **kwargs)

    def put(self, path: str, body: Any = None, **kwargs: Any) -> Any:
        return self.send("PUT", path, body, **kwargs)

    def delete(self, path: str, body: Any = None, **kwargs: Any) -> Any:
        return self.send("DELETE", path, body, **kwargs)

    def commit(self, path: str, lines: Sequence[dict[str, Any]]) -> Any:
        """An NDJSON commit."""
        body = b"".join(json.dumps(line).encode() + b"\n" for line in lines)
        return self.send("POST", path, body, content_type="application/x-ndjson")


@pytest.fixture
def stranger(db: None) -> Api:
    return Api()


@pytest.fixture
def api() -> Callable[..., Api]:
    """`api(ada)`, `api(ada, "read")`: that person with a new token of that role."""

    def caller(user: User, role: str = "write", **kwargs: Any) -> Api:
        return Api(make_token(user, role, **kwargs))

    return caller


@pytest.fixture
def browser() -> Callable[..., Client]:
    """`browser(ada)`: a browser in which that person is signed in; `browser()`: nobody."""

    def open_browser(user: User | None = None, *, enforce_csrf_checks: bool = False) -> Client:
        client = Client(headers={"accept": "text/html"}, enforce_csrf_checks=enforce_csrf_checks)
        if user is not None:
            client.force_login(user, backend="accounts.backends.Backend")
        return client

    return open_browser


def text_of(response: HttpResponseBase) -> bytes:
    """The body, streamed or not."""
    return b"".join(response) if response.streaming else response.content  # type: ignore[attr-defined]


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


@pytest.fixture
def deliver_mails(db: None) -> Callable[[], int]:
    """`deliver_mails()`: what a worker does once it is nudged.  Says how many mails were sent."""
    return tasks.deliver


@pytest.fixture
def mails_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that sends at once, within the test: whoever is nudged by a commit sends."""

    def nudge(task: str, *args: Any) -> None:
        assert task == tasks.deliver.name
        tasks.deliver()

    monkeypatch.setattr(nudges, "nudge", nudge)
