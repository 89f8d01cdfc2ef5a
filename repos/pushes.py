"""What a `git push` may bring: the same rules as for commits through the API.

Runs inside git's pre-receive hook, whose environment lets the `git` command see the objects of the push while they
are still in quarantine: refused, they leave no trace.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from django.conf import settings

from accounts.errors import BadRequest
from repos import content
from repos.git import clean_path, parse_pointer
from repos.git.revisions import check_new_name
from repos.models import LfsObject, Repo

_NOTHING = "0" * 40
_POINTER_MAX_BYTES = 1024


class RefChange(NamedTuple):
    """One line of the hook's input: the ref moves from `old` to `new`; forty zeros are none."""

    old: str
    new: str
    ref: str


class _Object(NamedTuple):
    sha: str
    kind: str
    size: int
    path: str


def check(repo: Repo, changes: Iterable[RefChange]) -> None:
    """Raise BadRequest, naming what is wrong, unless the whole push may land."""
    changes = list(changes)
    for change in changes:
        _check_ref(change)
    tips = [change.new for change in changes if change.new != _NOTHING]
    pointers: dict[str, str] = {}
    for found in _new_objects(tips):
        if found.kind != "blob" or not found.path:
            continue
        clean_path(found.path)
        if found.size > settings.REGULAR_FILE_MAX_BYTES:
            limit = settings.REGULAR_FILE_MAX_BYTES
            raise BadRequest(f"{found.path} has {found.size} bytes; files over {limit} bytes go through git-lfs.")
        if found.size <= _POINTER_MAX_BYTES:
            pointer = parse_pointer(_read(found.sha))
            if pointer is not None:
                pointers[pointer.sha256] = found.path
    _check_pointers(repo, pointers)


def _check_ref(change: RefChange) -> None:
    for prefix in ("refs/heads/", "refs/tags/"):
        if change.ref.startswith(prefix):
            name = change.ref.removeprefix(prefix)
            if change.new != _NOTHING and change.old == _NOTHING:
                check_new_name(name)
            if change.new == _NOTHING and prefix == "refs/heads/" and name == content.MAIN:
                raise BadRequest("The branch main cannot be deleted.")
            return
    raise BadRequest(f"{change.ref}: only branches and tags can be pushed. Pull requests are not offered here.")


def _check_pointers(repo: Repo, pointers: dict[str, str]) -> None:
    """An object of another repo, or none, must not become readable by its hash."""
    wanted = list(pointers)
    for start in range(0, len(wanted), 500):
        piece = wanted[start : start + 500]
        held = set(LfsObject.objects.filter(repo=repo, sha256__in=piece).values_list("sha256", flat=True))
        for sha256 in piece:
            if sha256 not in held:
                raise BadRequest(
                    f"{pointers[sha256]} points to the large file {sha256}, which was not uploaded to this repository. "
                    "Run `git lfs push --all origin` first."
                )


def _git(*arguments: str, stdin: bytes = b"") -> bytes:
    done = subprocess.run(
        ["git", *arguments],  # noqa: S607 - git is found as everywhere else.
        input=stdin,
        stdout=subprocess.PIPE,
        check=True,
    )
    return done.stdout


def _new_objects(tips: list[str]) -> Iterator[_Object]:
    """Objects that the tips reach and no ref of the repo does, with a path for each blob."""
    if not tips:
        return
    listed = _git("rev-list", "--objects", "--stdin", "--not", "--all", stdin="\n".join(tips).encode())
    paths: dict[str, str] = {}
    for line in listed.decode("utf-8", "replace").splitlines():
        sha, _, path = line.partition(" ")
        paths[sha] = path
    told = _git("cat-file", "--batch-check=%(objectname) %(objecttype) %(objectsize)", stdin="\n".join(paths).encode())
    for line in told.decode().splitlines():
        sha, kind, size = line.split()
        yield _Object(sha, kind, int(size), paths[sha])


def _read(sha: str) -> bytes:
    return _git("cat-file", "blob", sha)
