"""The server of the browser tests, filled by `seed.py` once per worker, and how its people open a page there."""

from __future__ import annotations

import email
import email.message
import email.policy
import itertools
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.support.chromium import NewContext
from tests.support.hub import Hub, Person
from tests.support.server import Server, Starter

AT_ONCE = 48
COMPANY_CARD = b"""---
extra_gated_fields:
  Company: text
---
# A model
"""
PROVIDERS = {
    "GATEHUB_SIGN_IN_PROVIDERS": "company,github",
    "GATEHUB_SIGN_IN_COMPANY_NAME": "Example University",
    "GATEHUB_SIGN_IN_COMPANY_ISSUER": "https://login.example.org",
} | {
    f"GATEHUB_SIGN_IN_{name}_{what}": "for pictures"
    for name in ("COMPANY", "GITHUB")
    for what in ("CLIENT_ID", "CLIENT_SECRET")
}
"""Identity providers that pages offer.  Nobody goes there: see `test_identity_providers` for that."""


@dataclass(frozen=True)
class Visitor(Person):
    """A person with a token, who is signed in in a browser."""

    session: str


@dataclass
class Stage:
    """The server, who is there, and those parts of addresses that differ from run to run."""

    server: Server
    people: dict[str, Visitor]
    addresses: dict[str, str]
    spare: list[Visitor] = field(default_factory=list)
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    @property
    def url(self) -> str:
        return self.server.url

    def next(self) -> Visitor:
        """A person of whom no other test knows; made many at once."""
        if not self.spare:
            names = [f"person-{number:03}" for number in itertools.islice(self.numbers, AT_ONCE)]
            script = f"from tests.browser import seed_people; seed_people.more_people({names!r})"
            made = json.loads(self.server.manage("shell", "-v0", "-c", script))
            self.spare = [Visitor(name, entry["token"], entry["session"]) for name, entry in made.items()]
        return self.spare.pop()

    def mails_to(self, address: str) -> list[email.message.EmailMessage]:
        """Newest first, once what waits in the outbox is sent."""
        self.server.manage("shell", "-v0", "-c", "from notifications import tasks; tasks.deliver()")
        files = sorted(self.server.data_dir.glob("mail/*.eml"), reverse=True)
        letters = [email.message_from_bytes(file.read_bytes(), policy=email.policy.default) for file in files]
        return [letter for letter in letters if address in str(letter["To"])]

    def link_in_mail_to(self, address: str, part: str = "") -> str:
        """The first link in the newest mail to that address.

        `part` is a part of the link: of links without it, and mails without such a link, nothing counts.
        """
        for letter in self.mails_to(address):
            links = re.findall(r"https?://\S+", letter.get_body(("plain",)).get_content())
            found = next((link for link in links if part in link), "")
            if found:
                return found
        raise AssertionError(f"no mail to {address} with a link to {part}")


@pytest.fixture(scope="session")
def stage(_make_server: Starter) -> Iterator[Stage]:
    server = _make_server(env=PROVIDERS)
    made = json.loads(server.manage("shell", "-v0", "-c", "from tests.browser import seed; seed.main()"))
    people = {name: Visitor(name, entry["token"], entry["session"]) for name, entry in made["people"].items()}
    server.start()
    yield Stage(server, people, made["addresses"])
    server.stop()


@pytest.fixture
def hub(stage: Stage, worker_id: str) -> Hub:
    """The same server, as clients of its API see it."""
    return Hub(stage.server, worker_id, stage)  # type: ignore[arg-type]  # It hands out people, as `People` does.


@pytest.fixture
def owner(stage: Stage) -> Visitor:
    return stage.next()


@pytest.fixture
def guest(stage: Stage) -> Visitor:
    return stage.next()


@pytest.fixture(params=[True, False], ids=["scripts", "no-scripts"])
def javascript(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


Visit = Callable[..., Page]


@pytest.fixture
def visit(new_context: NewContext, stage: Stage, javascript: bool) -> Visit:
    """`visit("/new", ada)`: a browser in which ada is signed in, at that address; `visit("/")`: nobody is.

    What is done with scripts is done in the light theme, and the same without scripts in the dark one.
    """

    def open_page(path: str, person: Visitor | None = None, **options: Any) -> Page:
        session = person.session if person else ""
        options = {"color_scheme": "light" if javascript else "dark"} | options
        page = new_context(stage.url, session=session, javascript=javascript, **options).new_page()
        page.goto(path)
        return page

    return open_page


@pytest.fixture
def guests(stage, hub, repo_id):
    """Three people who wait for access."""
    asking = [stage.next() for _ in range(3)]
    for person in asking:
        hub.ask(repo_id, person, {"Company": f"Company of {person.name}"})
    return asking


@pytest.fixture
def repo_id(hub, owner):
    name = f"{owner.name}/gated"
    hub.publish(name, owner, {"README.md": COMPANY_CARD})
    return name
