"""Info about a repo.  lab/toxic-bert is gated; whoever sees it gets its info."""

from __future__ import annotations

import re
from typing import Any

import pytest

from accounts.actor import Actor
from repos import content
from repos import services as repo_services
from tests.support.cast import Api, add_files

INFO = "/api/models/lab/toxic-bert"
DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
CARD = b"""---
license: apache-2.0
language: [fr, de]
library_name: transformers
pipeline_tag: text-generation
tags: [toy]
datasets: lab/corpus
released: 2026-01-31
score: .nan
---
# Card
"""


def names(body: dict[str, Any]) -> list[str]:
    return [sibling["rfilename"] for sibling in body["siblings"]]


def test_info_of_a_gated_repo_is_for_everybody_who_sees_it(stranger, gated_repo):
    body = stranger.get(INFO).json()
    head = content.open_git(gated_repo).head()
    assert DATE.fullmatch(body.pop("createdAt"))
    assert DATE.fullmatch(body.pop("lastModified"))
    assert body.pop("usedStorage") > 8000
    assert body.pop("cardData")["license"] == "mit"
    assert body == {
        "_id": f"r-{gated_repo.pk}",
        "id": "lab/toxic-bert",
        "modelId": "lab/toxic-bert",
        "author": "lab",
        "sha": head,
        "private": False,
        "gated": "manual",
        "disabled": False,
        "downloads": 0,
        "likes": 0,
        "trendingScore": 0,
        "tags": ["license:mit"],
        "pipeline_tag": None,
        "library_name": None,
        "xetEnabled": False,
        "siblings": [
            {"rfilename": ".gitattributes"},
            {"rfilename": "README.md"},
            {"rfilename": "config.json"},
            {"rfilename": "model.safetensors"},
        ],
    }


@pytest.mark.parametrize("gated", [False, "auto", "manual"])
def test_the_gate_is_told_in_the_words_of_the_hub(gated, api, olu, make_repo):
    make_repo("olu/m", by=olu, gated=gated)
    assert api(olu).get("/api/models/olu/m").json()["gated"] == gated


def test_what_the_card_says(stranger, olu, make_repo):
    make_repo("olu/m", by=olu, files={"README.md": CARD, "sub/a.txt": b"a"})
    body = stranger.get("/api/models/olu/m").json()
    assert body["pipeline_tag"] == "text-generation"
    assert body["library_name"] == "transformers"
    assert body["tags"] == [
        "transformers",
        "text-generation",
        "toy",
        "fr",
        "de",
        "license:apache-2.0",
        "language:fr",
        "language:de",
        "dataset:lab/corpus",
    ]
    assert body["cardData"]["released"] == "2026-01-31"
    assert "sub/a.txt" in names(body)
    assert "sub" not in names(body)


def test_a_dataset_is_no_model(stranger, olu, make_repo):
    make_repo("olu/d", by=olu, type_="dataset", files={"README.md": CARD})
    body = stranger.get("/api/datasets/olu/d").json()
    assert not {"modelId", "pipeline_tag", "library_name"} & set(body)
    assert stranger.get("/api/models/olu/d").status_code == 401


def test_blobs_add_sizes_and_hashes(api, ada, gated_repo):
    siblings = {s["rfilename"]: s for s in api(ada).get(INFO, {"blobs": "True"}).json()["siblings"]}
    git = content.open_git(gated_repo)
    small, large = (git.entry(git.head(), path) for path in ("config.json", "model.safetensors"))
    assert siblings["config.json"] == {"rfilename": "config.json", "size": 23, "blobId": small.oid}
    assert siblings["model.safetensors"] == {
        "rfilename": "model.safetensors",
        "size": 8000,
        "blobId": large.oid,
        "lfs": {"sha256": large.lfs.sha256, "size": 8000, "pointerSize": large.lfs.pointer_size},
    }


def test_a_revision_has_its_own_files_and_date(stranger, olu, make_repo):
    repo = make_repo("olu/m", by=olu, files={"a.txt": b"a"})
    first = content.open_git(repo).head()
    content.create_branch(repo, "dev/x", start="main", by=Actor(user=olu))
    add_files(repo, {"b.txt": b"b"}, by=olu)
    for revision in (first, first[:10], "dev%2Fx", "dev/x", "refs%2Fheads%2Fdev%2Fx"):
        body = stranger.get(f"/api/models/olu/m/revision/{revision}").json()
        assert body["sha"] == first
        assert names(body) == [".gitattributes", "a.txt"]
    assert names(stranger.get("/api/models/olu/m").json()) == [".gitattributes", "a.txt", "b.txt"]


@pytest.mark.parametrize("revision", ["nope", "refs%2Fpr%2F1", "0" * 40, "--help", "main~1"])
def test_an_unknown_revision_says_so(revision, stranger, gated_repo):
    answer = stranger.get(f"{INFO}/revision/{revision}")
    assert (answer.status_code, answer["X-Error-Code"]) == (404, "RevisionNotFound")


def test_security_status_says_that_nothing_is_scanned(stranger, gated_repo):
    body = stranger.get(INFO, {"securityStatus": "true"}).json()
    assert body["securityRepoStatus"] == {"scansDone": False, "filesWithIssues": []}


def test_expand_gives_the_fields_asked_for(stranger, gated_repo):
    body = stranger.get(INFO, {"expand": ["gated", "xetEnabled", "nonsense"]}).json()
    assert body == {
        "_id": f"r-{gated_repo.pk}",
        "id": "lab/toxic-bert",
        "modelId": "lab/toxic-bert",
        "gated": "manual",
        "xetEnabled": False,
    }
    assert "config.json" in names(stranger.get(INFO, {"expand[]": "siblings"}).json())


def test_used_storage_is_all_that_was_ever_kept(stranger, olu, make_repo):
    repo = make_repo("olu/m", by=olu, large={"a.bin": b"x" * 1000})
    add_files(repo, {}, {"a.bin": b"y" * 500}, by=olu)
    attributes = content.open_git(repo).entry(content.open_git(repo).head(), ".gitattributes").size
    assert stranger.get("/api/models/olu/m").json()["usedStorage"] == 1500 + attributes


def test_a_moved_repo_is_found_under_its_old_id(api, olu, make_repo):
    repo = make_repo("olu/old", by=olu)
    repo_services.move_repo(repo, namespace=repo.namespace, name="new", by=Actor(user=olu))
    answer = api(olu).get("/api/models/olu/old?blobs=true")
    assert (answer.status_code, answer["Location"]) == (307, "/api/models/olu/new?blobs=true")


def test_ids_ignore_case_and_come_back_as_they_are_written(stranger, gated_repo):
    assert stranger.get("/api/models/LAB/Toxic-Bert").json()["id"] == "lab/toxic-bert"


def test_a_private_repo_is_there_for_members_only(stranger, api, ada, lab, sam, rea, make_repo):
    make_repo("lab/secret", by=ada, private=True)
    address = "/api/models/lab/secret"
    assert api(rea, "read").get(address).json()["private"] is True
    assert (stranger.get(address).status_code, stranger.get(address)["X-Error-Code"]) == (401, "RepoNotFound")
    answer = api(sam).get(address)
    assert (answer.status_code, answer["X-Error-Code"]) == (404, "RepoNotFound")


def test_a_bad_token_is_refused_whatever_the_repo(gated_repo):
    for path in (INFO, "/api/models/lab/absent"):
        answer = Api("hf_foreign").get(path)
        assert (answer.status_code, answer["X-Error-Message"]) == (401, "Invalid credentials in Authorization header")


def test_info_costs_few_queries(api, ada, gated_repo, django_assert_max_num_queries):
    caller = api(ada)
    caller.get(INFO)
    with django_assert_max_num_queries(3):  # The token, the repo, the storage.
        caller.get(INFO)
    with django_assert_max_num_queries(2):
        caller.get(INFO, {"expand": "sha"})
