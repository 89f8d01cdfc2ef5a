"""git over HTTP with the real git: clone, push, and what is refused.  Each test has people and repos of its own."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
import requests

from tests.support.server import Server

PASSWORD = "correct-horse-battery"


class Person:
    def __init__(self, server: Server, name: str) -> None:
        self.name = name
        server.manage("create_user", name, "--email", f"{name}@example.org", "--password", PASSWORD)
        self.token = server.manage("create_token", name, "--name", "git", "--role", "write").strip()


@pytest.fixture
def owner(server: Server, request: pytest.FixtureRequest, tmp_path: Path) -> Person:
    return Person(server, f"o{abs(hash(str(tmp_path))) % 10**10}")


@pytest.fixture
def guest(server: Server, owner: Person) -> Person:
    return Person(server, f"g{owner.name}")


def call(server: Server, method: str, path: str, who: Person, body: object) -> requests.Response:
    answer = requests.request(
        method, f"{server.url}{path}", json=body, headers={"Authorization": f"Bearer {who.token}"}, timeout=30
    )
    assert answer.ok, answer.text
    return answer


@pytest.fixture
def repo_id(server: Server, owner: Person) -> str:
    call(server, "POST", "/api/repos/create", owner, {"name": "base", "organization": None})
    call(server, "PUT", f"/api/models/{owner.name}/base/settings", owner, {"gated": "manual"})
    return f"{owner.name}/base"


class Git:
    """The real git, as one person or as nobody, without anybody's configuration."""

    def __init__(self, server: Server, folder: Path, who: Person | None) -> None:
        self.server, self.folder, self.who = server, folder, who
        self.home = folder / "home"
        self.home.mkdir(exist_ok=True)

    def url(self, path: str) -> str:
        login = f"{self.who.name}:{self.who.token}@" if self.who else ""
        return f"http://{login}{self.server.url.removeprefix('http://')}/{path}"

    def __call__(self, *arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["git", "-c", "user.name=T", "-c", "user.email=t@example.org", *arguments],
            cwd=cwd or self.folder,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
            env={
                "PATH": "/usr/local/bin:/usr/bin:/bin",
                "HOME": str(self.home),
                "GIT_TERMINAL_PROMPT": "0",
                "GIT_CONFIG_NOSYSTEM": "1",
                "LC_ALL": "C.UTF-8",
            },
        )

    def clone(self, repo_id: str) -> Path:
        done = self("clone", "-q", self.url(repo_id), "work")
        assert done.returncode == 0, done.stderr
        return self.folder / "work"

    def commit(self, work: Path, files: dict[str, bytes]) -> None:
        for name, data in files.items():
            (work / name).parent.mkdir(parents=True, exist_ok=True)
            (work / name).write_bytes(data)
        self("add", "-A", cwd=work)
        assert self("commit", "-qm", "Change", cwd=work).returncode == 0


@pytest.fixture
def git(server: Server, tmp_path: Path, owner: Person) -> Git:
    return Git(server, tmp_path, owner)


def test_what_is_pushed_is_served_and_cloned_again(server, git, owner, repo_id, tmp_path):
    work = git.clone(f"{repo_id}.git")
    git.commit(work, {"config.json": b"{}\n", "dir/ü.txt": b"text\n", "README.md": b"---\nlicense: mit\n---\nHi\n"})
    pushed = git("push", "-q", "origin", "HEAD:main", cwd=work)
    assert pushed.returncode == 0, pushed.stderr
    head = git("rev-parse", "HEAD", cwd=work).stdout.strip()
    info = call(server, "GET", f"/api/models/{repo_id}", owner, None).json()
    assert info["sha"] == head
    assert "license:mit" in info["tags"]
    served = requests.get(
        f"{server.url}/{repo_id}/resolve/main/dir/ü.txt", headers={"Authorization": f"Bearer {owner.token}"}, timeout=9
    )
    assert served.content == b"text\n"


def test_a_stranger_and_a_person_without_access_cannot_clone_a_gated_repo(server, tmp_path, repo_id, guest):
    for who in (None, guest):
        done = Git(server, tmp_path, who)("clone", "-q", Git(server, tmp_path, who).url(repo_id), "other")
        assert done.returncode != 0
        assert not (tmp_path / "other").exists()
    assert "you are not in the authorized list" in done.stderr


def test_an_accepted_person_clones_and_cannot_push(server, tmp_path, repo_id, owner, guest):
    call(server, "POST", f"/api/models/{repo_id}/user-access-request/grant", owner, {"user": guest.name})
    git = Git(server, tmp_path, guest)
    work = git.clone(repo_id)
    git.commit(work, {"mine.txt": b"mine"})
    pushed = git("push", "-q", "origin", "HEAD:main", cwd=work)
    assert pushed.returncode != 0
    assert "You have read access but not the required permissions" in pushed.stderr


def test_a_private_repo_looks_missing(server, tmp_path, repo_id, owner, guest):
    call(server, "PUT", f"/api/models/{repo_id}/settings", owner, {"private": True})
    git = Git(server, tmp_path, guest)
    hidden = git("ls-remote", git.url(repo_id))
    missing = git("ls-remote", git.url(f"{owner.name}/none"))
    assert hidden.returncode == missing.returncode != 0
    assert hidden.stderr.replace("base", "none") == missing.stderr


@pytest.mark.parametrize(
    ("files", "told"),
    [
        ({"weights.txt": b"x" * (11 * 1024**2)}, "go through git-lfs"),
        (
            {"a.bin": b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"a" * 64 + b"\nsize 12\n"},
            "was not uploaded to this repository",
        ),
    ],
    ids=["a large file outside of git-lfs", "a pointer to an object of nobody"],
)
def test_a_push_that_breaks_the_rules_moves_nothing(server, git, owner, repo_id, files, told):
    work = git.clone(repo_id)
    (work / ".gitattributes").unlink()
    git.commit(work, files)
    before = call(server, "GET", f"/api/models/{repo_id}", owner, None).json()["sha"]
    pushed = git("push", "-q", "origin", "HEAD:main", cwd=work)
    assert pushed.returncode != 0
    assert told in pushed.stderr
    assert call(server, "GET", f"/api/models/{repo_id}", owner, None).json()["sha"] == before


def test_only_branches_and_tags_can_be_pushed_and_main_stays(git, repo_id):
    work = git.clone(repo_id)
    assert "only branches and tags" in git("push", "-q", "origin", "HEAD:refs/pull/1/head", cwd=work).stderr
    assert git("push", "-q", "origin", ":main", cwd=work).returncode != 0
    assert git("push", "-q", "origin", "HEAD:dev/x", cwd=work).returncode == 0
    assert git("push", "-q", "origin", "HEAD:refs/tags/v1", cwd=work).returncode == 0


def test_a_broken_card_that_comes_by_git_keeps_the_last_good_form(server, git, owner, repo_id):
    work = git.clone(repo_id)
    git.commit(work, {"README.md": b"---\nextra_gated_fields:\n  Company: text\n---\n"})
    git("push", "-q", "origin", "HEAD:main", cwd=work)
    git.commit(work, {"README.md": b"---\nextra_gated_fields: [\n---\n"})
    assert git("push", "-q", "origin", "HEAD:main", cwd=work).returncode == 0
    info = call(server, "GET", f"/api/models/{repo_id}", owner, None).json()
    assert info["gated"] == "manual"
    assert info["cardData"]["extra_gated_fields"] == {"Company": "text"}


def test_large_files_go_through_git_lfs(server, git, owner, guest, repo_id, tmp_path):
    work = git.clone(repo_id)
    assert git("lfs", "install", "--local", cwd=work).returncode == 0
    data = bytes(range(256)) * 4096
    git.commit(work, {"model.bin": data})
    pushed = git("push", "origin", "HEAD:main", cwd=work)
    assert pushed.returncode == 0, pushed.stderr
    assert git("cat-file", "-s", "HEAD:model.bin", cwd=work).stdout.strip() in {"131", "132"}
    call(server, "POST", f"/api/models/{repo_id}/user-access-request/grant", owner, {"user": guest.name})
    (tmp_path / "again").mkdir()
    again = Git(server, tmp_path / "again", guest)
    copy = again.clone(repo_id)
    again("lfs", "install", "--local", cwd=copy)
    pulled = again("lfs", "pull", cwd=copy)
    assert pulled.returncode == 0, pulled.stderr
    assert (copy / "model.bin").read_bytes() == data
