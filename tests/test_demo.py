"""The demo of a new installation: made once, by the services, with people in each state of a request."""

from __future__ import annotations

import json
import stat

import pytest
from safetensors.numpy import load

from access import policy
from access.models import AccessRequest
from access.policy import Action
from accounts.actor import Actor
from accounts.models import Organization, User
from gatehub.demo import content as demo
from gatehub.demo import model
from repos.models import Repo
from tests.support.cast import Api, text_of


@pytest.fixture
def made(db, settings, tmp_path):
    settings.DATA_DIR = tmp_path
    return demo.create()


def test_two_gated_models_and_people_in_each_state(made):
    assert {repo.repo_id: repo.gated for repo in Repo.objects.all()} == {
        "demo-lab/tiny-bert-research": "manual",
        "demo-lab/tiny-bert": "auto",
    }
    manual = AccessRequest.objects.filter(repo__gated="manual").values_list("user__username", "status")
    assert dict(manual) == {
        "demo-noor": "pending",
        "demo-sam": "pending",
        "demo-mira": "accepted",
        "demo-jun": "rejected",
        "demo-luca": "accepted",
    }
    assert AccessRequest.objects.get(repo__gated="auto").status == "accepted"


def test_the_requesters_token_opens_the_files_once_accepted(made):
    noor = Api(made.requester_token)
    path = "/demo-lab/tiny-bert-research/resolve/main/model.safetensors"
    assert noor.get(path).status_code == 403
    AccessRequest.objects.filter(user__username="demo-noor").update(status="accepted", reviewed_at="2026-01-01T00:00Z")
    weights = load(text_of(noor.get(path)))
    assert weights["embeddings.word_embeddings.weight"].shape == (len(model.WORDS), 32)


def test_the_accounts_are_written_down_for_the_operator_alone(made, settings):
    file = settings.DATA_DIR / "demo-accounts.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert json.loads(file.read_text())["password"] == made.password
    assert demo.recall() == made
    assert User.objects.get(username="demo-owner").check_password(made.password)


def test_a_demo_that_was_removed_does_not_come_back(made):
    assert demo.was_made()
    Repo.objects.all().delete()
    Organization.objects.all().delete()
    User.objects.all().delete()
    assert demo.was_made()


def test_the_owner_reviews_and_a_requester_does_not(made):
    repo = Repo.objects.get(gated="manual")
    owner, noor = (User.objects.get(username=name) for name in ("demo-owner", "demo-noor"))
    assert policy.may(Actor(user=owner), Action.REQUESTS_REVIEW, repo)
    assert not policy.may(Actor(user=noor), Action.REQUESTS_REVIEW, repo)
