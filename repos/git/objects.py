"""What the git layer hands out: entries of a tree, refs, commits.  Plain values, without a handle to the repo."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from pygit2 import Signature

# What libgit2 refuses in a name, and what would break a line of the commit object.
_NOT_IN_SIGNATURES = re.compile(r"[\x00-\x1f\x7f<>\ud800-\udfff]+")


@dataclass(frozen=True, slots=True)
class LfsPointer:
    """What a git-lfs pointer file says.  `size` is that of the object, `pointer_size` that of the file itself."""

    sha256: str
    size: int
    pointer_size: int


@dataclass(frozen=True, slots=True)
class Entry:
    """A file or a folder at one commit.

    `path` starts at the repo root, without a slash in front or behind.  `oid` is the sha-1 of the git blob or tree;
    `size` the number of bytes that a download gives (for LFS the object's), 0 for folders.
    """

    type: Literal["file", "directory"]
    path: str
    oid: str
    size: int
    lfs: LfsPointer | None = None

    @property
    def etag(self) -> str:
        """What names the content: 64 hex digits for an LFS object, else the 40 of the git object."""
        return self.lfs.sha256 if self.lfs else self.oid


@dataclass(frozen=True, slots=True)
class Ref:
    """A branch or a tag; `target` is the commit's sha, also where the tag is an annotated one."""

    name: str
    ref: str
    target: str


@dataclass(frozen=True, slots=True)
class CommitInfo:
    """`title` is the first line of the commit message, `message` what follows it.  `date` is in UTC."""

    oid: str
    title: str
    message: str
    date: datetime
    author_name: str
    author_email: str
    parents: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Author:
    """Who makes a commit.  The time is that of the commit."""

    name: str
    email: str

    def signature(self) -> Signature:
        """As libgit2 wants it, with the present time.  Characters that git cannot hold become spaces."""
        name, email = (_NOT_IN_SIGNATURES.sub(" ", text).strip() for text in (self.name, self.email))
        return Signature(name or "unknown", email or "unknown")


Kind = Literal["added", "changed", "deleted", "renamed"]


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a changed file.  `sign` is `+`, `-`, a space, or `…` where lines are left out; numbers start at 1."""

    sign: str
    before: int
    after: int
    text: str


@dataclass(frozen=True, slots=True)
class FileChange:
    """What a commit did to one file.  `lines` is None where they are not compared: large, not text, too many.

    `before` and `after` are the file's two states; None where there was, or is, none, and for submodules.
    """

    kind: Kind
    path: str
    old_path: str
    before: Entry | None
    after: Entry | None
    lines: tuple[Line, ...] | None
    added: int
    removed: int


@dataclass(frozen=True, slots=True)
class Changes:
    """The files that a commit changed: how many, and the first of them."""

    total: int
    files: list[FileChange]
