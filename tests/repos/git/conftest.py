"""A repo on disk, the real git beside it, and Ada, who commits."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pygit2
import pytest
from pygit2.enums import ConfigLevel

from repos.git import AddBlob, Author, GitRepo, Op, handles

Git = Callable[..., str]
Commit = Callable[..., str]


@pytest.fixture(autouse=True)
def _libgit2_as_configured() -> Iterator[None]:
    """With the product's configuration, by which libgit2 waits for the disk; see `_no_power_cuts`."""
    paths = pygit2.settings.search_path
    quick = paths[ConfigLevel.SYSTEM]
    handles._configure_libgit2()
    yield
    paths[ConfigLevel.SYSTEM] = quick


@pytest.fixture
def ada() -> Author:
    return Author("Ada Lovelace", "ada@example.org")


@pytest.fixture
def repo_path(tmp_path: Path) -> Path:
    return tmp_path / "toxic-bert.git"


@pytest.fixture
def repo(repo_path: Path, ada: Author) -> GitRepo:
    """`main` has one commit with .gitattributes."""
    return GitRepo.create(repo_path, author=ada, files={".gitattributes": b"*.bin filter=lfs -text\n"})


@pytest.fixture
def first(repo: GitRepo) -> str:
    """The first commit."""
    sha = repo.head()
    assert sha
    return sha


@pytest.fixture
def git(repo_path: Path) -> Git:
    """Run the real git in the repo: `git("log", "--oneline")` gives what it prints."""

    def run(*arguments: str, cwd: Path = repo_path, stdin: bytes = b"", **env: str) -> str:
        environment = {"PATH": os.environ["PATH"], "HOME": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"} | env
        identity = ["-c", "user.name=Bo", "-c", "user.email=bo@example.org", "-c", "protocol.file.allow=always"]
        command = ["git", *identity, *arguments]
        done = subprocess.run(command, cwd=cwd, env=environment, input=stdin, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode("utf-8", "surrogateescape").strip()

    return run


@pytest.fixture
def commit(repo: GitRepo, ada: Author) -> Commit:
    """Commit to the repo: bytes under a path are a file, anything else is an operation."""

    def make(*operations: Op, branch: str = "main", title: str = "change", **files: bytes) -> str:
        added = [AddBlob(name, repo.stage_blob(data)) for name, data in files.items()]
        head = repo.head(branch)
        assert head
        return repo.commit(branch, [*operations, *added], title=title, author=ada, expected_head=head)

    return make
