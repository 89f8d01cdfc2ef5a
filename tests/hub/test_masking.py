"""Hashes behind the gate.  lab/toxic-bert is gated; ada reads its files, sam and strangers do not."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlencode

import pytest

from access import policy, services
from access.models import AccessRequest
from accounts.actor import Actor
from accounts.models import User
from repos import content
from repos.models import Repo
from tests.support.cast import ANSWERS, Api, add_files

REPO = "/api/models/lab/toxic-bert"
STARS = "*" * 64


@pytest.fixture(autouse=True)
def repo(gated_repo: Repo, ada: User) -> Repo:
    """With a folder, a copy of the weights and a licence that is a large file."""
    large = {"sub/copy.bin": b"weights " * 1000, "LICENSE.txt": b"All of it"}
    add_files(gated_repo, {"sub/README.md": b"closed"}, large, by=ada)
    return gated_repo


def listed(caller: Api) -> dict[str, dict[str, Any]]:
    """What each of the three kinds of lists says of each path: kind and path, and the hashes in it."""
    paths = ["README.md", "config.json", "model.safetensors", "sub", "sub/README.md", "sub/copy.bin", "LICENSE.txt"]
    form = urlencode({"paths": paths}, doseq=True).encode()
    found: dict[str, dict[str, Any]] = {}
    for entry in caller.get(f"{REPO}/tree/main", {"recursive": "true"}).json():
        found[f"tree {entry['path']}"] = entry
    for entry in caller.get(f"{REPO}/tree/main/sub").json():
        found[f"folder {entry['path']}"] = entry
    for entry in caller.post(f"{REPO}/paths-info/main", form, content_type="application/x-www-form-urlencoded").json():
        found[f"paths {entry['path']}"] = entry
    for entry in caller.get(REPO, {"blobs": "true"}).json()["siblings"]:
        lfs = {**entry["lfs"], "oid": entry["lfs"]["sha256"]} if "lfs" in entry else None
        found[f"siblings {entry['rfilename']}"] = {**entry, "oid": entry["blobId"], "lfs": lfs}
    return found


def true_hashes(repo: Repo) -> set[str]:
    """Of all that is closed: files, large files, folders."""
    git = content.open_git(repo)
    closed = [entry for entry in git.tree(git.head(), recursive=True) if entry.path not in policy.OPEN_FILES]
    return {entry.oid for entry in closed} | {entry.lfs.sha256 for entry in closed if entry.lfs}


def test_who_reads_the_files_sees_their_hashes(api, ada, repo):
    git = content.open_git(repo)
    for where, entry in listed(api(ada, "read")).items():
        true = git.entry(git.head(), where.partition(" ")[2])
        assert entry["oid"] == true.oid
        assert (entry.get("lfs") or {}).get("oid") == (true.lfs.sha256 if true.lfs else None)


@pytest.mark.parametrize("who", ["stranger", "sam", "a token too narrow"])
def test_who_does_not_sees_none_of_them(who, api, sam, ada, repo):
    callers = {"stranger": Api(), "sam": api(sam), "a token too narrow": api(ada, "fine-grained")}
    caller = callers[who]
    git = content.open_git(repo)
    hidden = true_hashes(repo)
    for where, entry in listed(caller).items():
        true = git.entry(git.head(), where.partition(" ")[2])
        assert entry["size"] == true.size
        assert re.fullmatch("[0-9a-f]{40}", entry["oid"])
        if true.path in policy.OPEN_FILES:
            assert entry["oid"] == true.oid
            continue
        assert not {entry["oid"], (entry.get("lfs") or {}).get("oid")} & hidden, where
        if true.lfs:
            assert entry["lfs"]["oid"] == STARS
            assert (entry["lfs"]["size"], entry["lfs"]["pointerSize"]) == (true.size, true.lfs.pointer_size)
    for path in ("", "/tree/main?recursive=true&expand=true", "/refs", "/revision/main?blobs=true&securityStatus=true"):
        assert not [secret for secret in hidden if secret in caller.get(REPO + path).content.decode()]


def test_masked_names_stay_the_same_and_differ_between_repos(stranger, ada, repo, make_repo):
    first, again = listed(stranger), listed(stranger)
    assert first == again
    assert first["tree config.json"]["oid"] == first["siblings config.json"]["oid"] == first["paths config.json"]["oid"]
    make_repo("lab/other", by=ada, gated="auto", files={"config.json": b'{"model_type": "bert"}\n'})
    other = stranger.get("/api/models/lab/other/tree/main").json()
    assert first["tree config.json"]["oid"] not in [entry["oid"] for entry in other]


def test_an_accepted_request_takes_the_mask_off(api, sam, ada, repo):
    caller = api(sam, "read")
    assert listed(caller)["tree model.safetensors"]["lfs"]["oid"] == STARS
    asked = services.ask(repo=repo, answers=ANSWERS, by=Actor(user=sam))
    assert listed(caller)["tree model.safetensors"]["lfs"]["oid"] == STARS
    services.review(access_request=asked, status=AccessRequest.Status.ACCEPTED, by=Actor(user=ada))
    assert listed(caller)["tree model.safetensors"]["lfs"]["oid"] != STARS


def test_last_commits_are_not_told_to_who_may_not_read(stranger, api, ada):
    query = {"expand": "true"}
    assert {entry["lastCommit"] for entry in stranger.get(f"{REPO}/tree/main", query).json()} == {None}
    assert all(entry["lastCommit"] for entry in api(ada).get(f"{REPO}/tree/main", query).json())


def test_open_repos_are_not_masked(stranger, olu, make_repo):
    make_repo("olu/open", by=olu, large={"big.bin": b"x"})
    entries = {entry["path"]: entry for entry in stranger.get("/api/models/olu/open/tree/main").json()}
    assert entries["big.bin"]["lfs"]["oid"] != STARS
