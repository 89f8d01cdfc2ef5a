"""The real git-lfs, with credentials as people and CI jobs give them: a helper, or a header."""

from __future__ import annotations

import base64
import os
import subprocess
from pathlib import Path

import pytest

from tests.support import skips
from tests.support.hub import Hub, Person

WEIGHTS = os.urandom(300_000)
CREDENTIALS = ["helper", "bearer header", "basic header"]


def _option(kind: str, hub: Hub, who: Person) -> str:
    """The line of git's configuration that makes git log in."""
    if kind == "helper":
        return f"credential.helper=!f() {{ echo username={who.name}; echo password={who.token}; }}; f"
    basic = base64.b64encode(f"{who.name}:{who.token}".encode()).decode()
    value = f"Bearer {who.token}" if kind == "bearer header" else f"Basic {basic}"
    return f"http.{hub.url}/.extraHeader=Authorization: {value}"


def _git(folder: Path, *args: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    skips.program("git-lfs")
    env = {
        "HOME": str(folder),
        "PATH": os.environ["PATH"],
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_AUTHOR_NAME": "A",
        "GIT_AUTHOR_EMAIL": "a@example.org",
        "GIT_COMMITTER_NAME": "A",
        "GIT_COMMITTER_EMAIL": "a@example.org",
    }
    done = subprocess.run(["git", *args], cwd=folder, env=env, capture_output=True, text=True, check=False, timeout=60)
    assert not check or done.returncode == 0, done.stderr
    return done


@pytest.mark.parametrize("kind", CREDENTIALS)
def test_a_large_file_goes_up_and_comes_down(hub, owner, tmp_path, kind):
    repo_id = f"{owner.name}/{hub.unique('base')}"
    hub.publish(repo_id, owner, {"README.md": b"# A model\n"}, gated="manual")
    _git(tmp_path, "lfs", "install")
    option = _option(kind, hub, owner)
    _git(tmp_path, "clone", "--config", option, f"{hub.url}/{repo_id}", "work")
    work = tmp_path / "work"
    (work / "weights.safetensors").write_bytes(WEIGHTS)
    _git(tmp_path, "-C", str(work), "add", "--all")
    _git(tmp_path, "-C", str(work), "commit", "--message", "weights")
    pushed = _git(tmp_path, "-C", str(work), "push")
    assert "lock" not in pushed.stderr.lower()
    answer = hub.call("GET", f"/{repo_id}/resolve/main/weights.safetensors", owner)
    assert answer.content == WEIGHTS
    _git(tmp_path, "clone", "--config", option, f"{hub.url}/{repo_id}", "copy")
    assert (tmp_path / "copy" / "weights.safetensors").read_bytes() == WEIGHTS


def test_who_waits_at_the_gate_gets_no_large_file(hub, owner, guest, tmp_path):
    repo_id = f"{owner.name}/{hub.unique('base')}"
    hub.publish(repo_id, owner, {"README.md": b"# A model\n"}, gated="manual")
    body = {"operation": "download", "objects": [{"oid": "0" * 64, "size": 1}]}
    answer = hub.call("POST", f"/{repo_id}.git/info/lfs/objects/batch", guest, json=body)
    assert (answer.status_code, answer.headers["X-Error-Code"]) == (403, "GatedRepo")
    assert "not in the authorized list" in answer.json()["message"]
    refused = _git(tmp_path, "clone", "--config", _option("helper", hub, guest), f"{hub.url}/{repo_id}", check=False)
    assert refused.returncode != 0
