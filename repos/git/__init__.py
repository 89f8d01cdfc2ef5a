"""git repositories: revisions, trees, history, commits.  Plain Python on pygit2, without Django.

`GitRepo` is the door; the modules behind it work on a libgit2 handle that it lends them.
"""

from __future__ import annotations

from repos.git.changes import AddBlob, AddPointer, DeleteFile, DeleteFolder, Op
from repos.git.objects import Author, Changes, CommitInfo, Entry, FileChange, LfsPointer, Ref
from repos.git.paths import clean_path
from repos.git.pointers import parse_pointer, pointer_text
from repos.git.repo import GitRepo

__all__ = [
    "AddBlob",
    "AddPointer",
    "Author",
    "Changes",
    "CommitInfo",
    "DeleteFile",
    "DeleteFolder",
    "Entry",
    "FileChange",
    "GitRepo",
    "LfsPointer",
    "Op",
    "Ref",
    "clean_path",
    "parse_pointer",
    "pointer_text",
]
