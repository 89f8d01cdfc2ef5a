"""Makes the demo: an organization, two gated models, people in each state of a request."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from django.conf import settings
from django.db import transaction

from access import services as access
from access import tokens
from access.models import AccessRequest
from accounts import services as accounts
from accounts.actor import SYSTEM, Actor
from accounts.models import AuditEvent, Namespace, User
from gatehub.demo import cards, model
from repos import content, objects
from repos import services as repos
from repos.git import AddBlob
from repos.models import Repo

ORGANIZATION = "demo-lab"
OWNER, REQUESTER = "demo-owner", "demo-noor"
MANUAL, AUTOMATIC = "tiny-bert-research", "tiny-bert"
PEOPLE = {
    OWNER: "Demo Owner",
    REQUESTER: "Noor Haddad",
    "demo-sam": "Sam Okafor",
    "demo-mira": "Mira Lindqvist",
    "demo-jun": "Jun Tanaka",
    "demo-luca": "Luca Moretti",
}


@dataclass(frozen=True, slots=True)
class Demo:
    """How to sign in to the demo: made anew for each installation, so that no stranger knows it."""

    password: str
    requester_token: str


def was_made() -> bool:
    """Whether there is, or ever was, a demo here: one that the operator removed does not come back."""
    return AuditEvent.objects.filter(verb="organization:create", target=ORGANIZATION).exists()


def _file() -> Path:
    return Path(settings.DATA_DIR) / "demo-accounts.json"


def recall() -> Demo | None:
    """What `create` wrote down, for the operator's eyes; None once the operator has removed the file."""
    return Demo(**json.loads(_file().read_text())) if _file().exists() else None


def _write_down(demo: Demo) -> None:
    _file().unlink(missing_ok=True)  # Of a run that was cut off before its transaction ended.
    with os.fdopen(os.open(_file(), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
        json.dump(asdict(demo), out)


@transaction.atomic
def create() -> Demo:
    """Make the demo, whole or not at all."""
    password = secrets.token_urlsafe(9)
    people = {name: _person(name, fullname, password) for name, fullname in PEOPLE.items()}
    owner = Actor(user=people[OWNER])
    lab = accounts.create_organization(name=ORGANIZATION, admin=people[OWNER], fullname="Demo Lab", by=SYSTEM)
    manual = _model(lab.namespace, MANUAL, cards.MANUAL, gated="manual", by=owner)
    automatic = _model(lab.namespace, AUTOMATIC, cards.AUTOMATIC, gated="auto", by=owner)

    research = {
        "Affiliation": "Example University",
        "Country": "FR",
        "Date of birth": "1990-04-01",
        "I want to use this model for": "Research",
        "Tell us about your project": "We measure how small a model can be before it stops being useful.",
        "I agree to use this model for non-commercial use ONLY": "true",
    }
    _ask(manual, people[REQUESTER], research)
    _ask(manual, people["demo-sam"], research | {"Affiliation": "Lagos Institute", "Country": "NG"})
    mira = _ask(manual, people["demo-mira"], research | {"Affiliation": "Uppsala Clinic", "Country": "SE"})
    access.review(access_request=mira, status=AccessRequest.Status.ACCEPTED, by=owner)
    jun = _ask(manual, people["demo-jun"], research | {"Affiliation": "Shop Ltd", "Country": "JP"})
    access.review(
        access_request=jun,
        status=AccessRequest.Status.REJECTED,
        reason="The terms exclude use in products.",
        by=owner,
    )
    access.grant(repo=manual, user=people["demo-luca"], by=owner)
    agreed = {"Company": "Example Ltd", "I agree to use this model for non-commercial use ONLY": "true"}
    _ask(automatic, people["demo-mira"], agreed)

    _, token = tokens.create(user=people[REQUESTER], name="demo", role="read", by=SYSTEM)
    demo = Demo(password=password, requester_token=token)
    _write_down(demo)
    return demo


def _person(name: str, fullname: str, password: str) -> User:
    return accounts.create_user(
        username=name, email=f"{name}@example.org", password=password, fullname=fullname, by=SYSTEM
    )


def _ask(repo: Repo, user: User, answers: Mapping[str, str]) -> AccessRequest:
    request = access.ask(repo=repo, answers=answers, by=Actor(user=user))
    assert request is not None  # None of them can read it already.
    return request


def _model(namespace: Namespace, name: str, card: str, *, gated: str, by: Actor) -> Repo:
    repo = repos.create_repo(type_=Repo.Type.MODEL, namespace=namespace, name=name, private=False, by=by)
    repos.change_settings(repo, {"gated": gated}, by=by)  # Shut before there is anything to read.
    files = model.files()
    weights = files.pop("model.safetensors")
    git = content.open_git(repo)
    small = {"README.md": card.encode(), **files}
    operations: list[content.Operation] = [AddBlob(path, git.stage_blob(data)) for path, data in small.items()]
    with objects.writer(repo.storage_id) as writer:
        writer.write(weights)
        sha256 = writer.sha256
        writer.publish(sha256=sha256, size=len(weights))
    content.record_object(repo, sha256, len(weights))
    operations.append(content.AddLargeFile("model.safetensors", sha256, len(weights)))
    commit = content.NewCommit(title="Add the model and its card", description="", operations=operations)
    content.commit(repo, content.MAIN, commit, by=by)
    repo.refresh_from_db()
    return repo
