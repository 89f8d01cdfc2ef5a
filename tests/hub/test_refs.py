"""Refs of olu/m."""

from __future__ import annotations

import pytest

from accounts.actor import Actor
from repos import content

REFS = "/api/models/olu/m/refs"


def test_branches_and_tags(stranger, olu, make_repo):
    repo = make_repo("olu/m", by=olu, files={"a.txt": b"a"})
    by = Actor(user=olu)
    content.create_branch(repo, "dev/x", start="main", by=by)
    content.create_tag(repo, "v1.0", revision="main", message="First", by=by)
    head = content.open_git(repo).head()
    assert stranger.get(REFS).json() == {
        "branches": [
            {"name": "main", "ref": "refs/heads/main", "targetCommit": head},
            {"name": "dev/x", "ref": "refs/heads/dev/x", "targetCommit": head},
        ],
        "converts": [],
        "tags": [{"name": "v1.0", "ref": "refs/tags/v1.0", "targetCommit": head}],
    }


@pytest.mark.parametrize("spelled", ["1", "true", "True"])
def test_pull_requests_only_when_asked_for(spelled, stranger, olu, make_repo):
    make_repo("olu/m", by=olu)
    assert stranger.get(REFS, {"include_prs": spelled}).json()["pullRequests"] == []


def test_a_hidden_repo_has_none(stranger, olu, make_repo):
    make_repo("olu/m", by=olu, private=True)
    answer = stranger.get(REFS)
    assert (answer.status_code, answer["X-Error-Code"]) == (401, "RepoNotFound")
